namespace Pulse.Web.Pages;

/// <summary>What pages show.</summary>
internal sealed class PagesOptions
{
    public const string SectionName = "Pulse:Pages";

    /// <summary>
    /// Whether the dashboard lists the other users to whoever is signed in, as far as <see cref="Presence.IPresencePolicy"/> allows. Unset: in
    /// Development alone, since names and pictures of everybody are nobody else's business by themselves.
    /// </summary>
    public bool? ListPeople { get; set; }
}
