using Microsoft.Extensions.Options;

namespace Pulse.Web.Pages;

/// <summary>Content of the pages.</summary>
internal sealed class PagesOptions
{
    public const string SectionName = "Pulse:Pages";

    /// <summary>
    /// Whether the dashboard lists the other users to signed-in users, as far as <see cref="Presence.IPresencePolicy"/> allows. If it is
    /// unset, only in Development, because names and pictures of all users are private by default.
    /// </summary>
    public bool? ListPeople { get; set; }

    /// <summary>
    /// The hosts of users' pictures: <c>avatars.example.com</c>, or <c>*.example.com</c> for all hosts below it. Default any, over https. A
    /// picture's host learns the address of every viewer.
    /// </summary>
    public IList<string> PictureHosts { get; } = [];

    /// <summary>The hosts in the format of Content-Security-Policy.</summary>
    public string PictureSources => PictureHosts.Count == 0 ? "https:" : string.Join(' ', PictureHosts.Select(host => $"https://{host}"));
}

/// <summary>Refuses values that are not host names.</summary>
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
