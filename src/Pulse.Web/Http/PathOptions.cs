using System.Text.RegularExpressions;
using Microsoft.Extensions.Options;

namespace Pulse.Web.Http;

/// <summary>Below which path of its origin this site is. Setting <c>Pulse:Http:PathBase</c>.</summary>
internal sealed class PathOptions
{
    /// <summary>Where this setting is read from.</summary>
    public const string SectionName = "Pulse:Http";

    /// <summary>
    /// Such as <c>/pulse</c>: what browsers have before each path of this site. Default none. Requests are answered with it and without it, so a proxy may
    /// keep it or take it away.
    /// </summary>
    public string PathBase { get; set; } = "";
}

/// <summary>Refuses a base that is no plain path.</summary>
internal sealed partial class PathOptionsValidator : IValidateOptions<PathOptions>
{
    public ValidateOptionsResult Validate(string? name, PathOptions options) =>
        options.PathBase.Length == 0 || (Plain().IsMatch(options.PathBase) && !options.PathBase.Split('/').Any(segment => segment is "." or ".."))
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail(
                $"{PathOptions.SectionName}:PathBase must be a path such as /pulse, of letters, digits and -._~, without a slash at its end; it is '{options.PathBase}'.");

    // RFC 3986 section 2.3: characters that have one spelling, so that paths can be compared as texts.
    [GeneratedRegex(@"\A(/[A-Za-z0-9\-._~]+)+\z")]
    private static partial Regex Plain();
}
