using System.Text;
using Microsoft.Extensions.Options;
using Pulse.Web.Auth;

namespace Pulse.Web.Admin;

/// <summary>Access to <c>/admin</c>. Section <c>Pulse:Admin</c>.</summary>
internal sealed class AdminOptions
{
    /// <summary>The configuration section.</summary>
    public const string SectionName = "Pulse:Admin";

    /// <summary>Minimum length of the key in bytes of UTF-8.</summary>
    public const int MinKeyBytes = 32;

    /// <summary>The bearer token for requests to <c>/admin</c>. <c>/admin</c> is off by default.</summary>
    public string? Key { get; set; }
}

/// <summary>Refuses a key that is easy to guess or invalid in a header.</summary>
internal sealed class AdminOptionsValidator(IConfiguration configuration) : IValidateOptions<AdminOptions>
{
    // RFC 6750 section 2.1: b64token.
    private const string Characters = "-._~+/=";

    public ValidateOptionsResult Validate(string? name, AdminOptions options)
    {
        const string Setting = $"{AdminOptions.SectionName}:Key";
        if (string.IsNullOrEmpty(options.Key)) return ValidateOptionsResult.Success;
        if (Encoding.UTF8.GetByteCount(options.Key) < AdminOptions.MinKeyBytes)
            return ValidateOptionsResult.Fail($"{Setting} must be at least {AdminOptions.MinKeyBytes} bytes; openssl rand -hex 32 makes one.");
        if (options.Key.Any(character => !char.IsAsciiLetterOrDigit(character) && !Characters.Contains(character)))
            return ValidateOptionsResult.Fail($"{Setting} must consist of letters, digits and {Characters}, which a header can carry; openssl rand -hex 32 makes one.");
        if (options.Key == configuration[$"{AuthOptions.SectionName}:{nameof(AuthOptions.SigningKey)}"]?.Trim())
            return ValidateOptionsResult.Fail($"{Setting} and {AuthOptions.SectionName}:SigningKey are the same, so that whoever has one has both. Give each its own.");
        return options.Key.Distinct().Count() < 8
            ? ValidateOptionsResult.Fail($"{Setting} has fewer than 8 different characters; openssl rand -hex 32 makes a good one.")
            : ValidateOptionsResult.Success;
    }
}
