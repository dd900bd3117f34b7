using Microsoft.Extensions.Options;

namespace Pulse.Web.Http;

/// <summary>Origins whose pages may call Pulse from a browser. Settings <c>Pulse:Cors:*</c>.</summary>
internal sealed class CorsOptions
{
    /// <summary>The configuration section of these settings.</summary>
    public const string SectionName = "Pulse:Cors";

    /// <summary>
    /// Origins, as browsers send them: <c>https://app.example.com</c>, or for packaged applications <c>capacitor://localhost</c>. Default
    /// none. Wildcards are refused.
    /// </summary>
    public IList<string> Origins { get; } = [];
}

/// <summary>Accepts only origins, and refuses a wildcard, a path, or a host without scheme.</summary>
internal sealed class CorsOptionsValidator : IValidateOptions<CorsOptions>
{
    public ValidateOptionsResult Validate(string? name, CorsOptions options)
    {
        var faults = options.Origins
            .Select((origin, index) => (origin, index))
            .Where(entry => !IsOrigin(entry.origin))
            .Select(entry => $"{CorsOptions.SectionName}:Origins:{entry.index} must be an origin such as https://app.example.com (no '*', no path); it is '{entry.origin}'.")
            .ToArray();
        return faults.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }

    // RFC 6454 section 6.2: scheme, host and, unless it is the scheme's own, port. With anything else the value would never equal a
    // browser's.
    private static bool IsOrigin(string? text) =>
        text is not null && !text.Contains('*', StringComparison.Ordinal)
        && Uri.TryCreate(text, UriKind.Absolute, out var uri)
        && uri.Scheme is not ("file" or "data" or "blob" or "about" or "javascript") && uri.Host.Length > 0
        && string.Equals(uri.GetLeftPart(UriPartial.Authority), text, StringComparison.OrdinalIgnoreCase);
}
