using Microsoft.Extensions.Options;

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

    /// <summary>
    /// The hosts that pages may load users' pictures from: <c>avatars.example.com</c>, or <c>*.example.com</c> for all below it. Default any, over
    /// https. A host of a picture sees the address of everybody who looks at it.
    /// </summary>
    public IList<string> PictureHosts { get; } = [];

    /// <summary>As Content-Security-Policy has it.</summary>
    public string PictureSources => PictureHosts.Count == 0 ? "https:" : string.Join(' ', PictureHosts.Select(host => $"https://{host}"));
}

/// <summary>Refuses picture hosts that are none.</summary>
internal sealed class PagesOptionsValidator : IValidateOptions<PagesOptions>
{
    public ValidateOptionsResult Validate(string? name, PagesOptions options)
    {
        var faults = options.PictureHosts
            .Select((host, index) => (host, index))
            .Where(entry => !IsHost(entry.host))
            .Select(entry =>
                $"{PagesOptions.SectionName}:PictureHosts:{entry.index} must be a host name such as avatars.example.com or *.example.com; it is '{entry.host}'.")
            .ToArray();
        return faults.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }

    private static bool IsHost(string? text) =>
        text is not null && Uri.CheckHostName(text.StartsWith("*.", StringComparison.Ordinal) ? text[2..] : text) == UriHostNameType.Dns;
}
