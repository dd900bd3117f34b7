using System.Text.RegularExpressions;
using Microsoft.Extensions.Options;

namespace Pulse.Web.Http;

/// <summary>The path of this site below its origin. Setting <c>Pulse:Http:PathBase</c>.</summary>
internal sealed class PathOptions
{
    /// <summary>The configuration section of this setting.</summary>
    public const string SectionName = "Pulse:Http";

    /// <summary>
    /// The prefix of all paths of this site in browsers, such as <c>/pulse</c>. Default none. Requests are answered with and without it, so
    /// that a proxy may keep or remove it.
    /// </summary>
    public string PathBase { get; set; } = "";
}

/// <summary>Accepts only a plain path.</summary>
internal sealed partial class PathOptionsValidator : IValidateOptions<PathOptions>
{
    public ValidateOptionsResult Validate(string? name, PathOptions options) =>
        options.PathBase.Length == 0 || (Plain().IsMatch(options.PathBase) && !options.PathBase.Split('/').Any(segment => segment is "." or ".."))
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail(
                $"{PathOptions.SectionName}:PathBase must be a path such as /pulse, of letters, digits and -._~, without a slash at its end; it is '{options.PathBase}'.");

    // RFC 3986 section 2.3: characters with one spelling, so that paths can be compared as texts.
    [GeneratedRegex(@"\A(/[A-Za-z0-9\-._~]+)+\z")]
    private static partial Regex Plain();
}
