using Microsoft.Extensions.Options;

namespace Pulse.Web.SignIn;

/// <summary>Reports all faults of <see cref="OpenIdOptions"/> at once. Each message names its setting and omits secret values.</summary>
internal sealed class OpenIdOptionsValidator(IHostEnvironment environment) : IValidateOptions<OpenIdOptions>
{
    /// <summary>Names that are reserved: other ways to sign in, and Google, which has its own settings.</summary>
    public static readonly string[] ReservedNames = [OpenIdOptions.GoogleName, SignInProviders.Email, SignInProviders.Dev];

    public ValidateOptionsResult Validate(string? name, OpenIdOptions options)
    {
        var faults = options.Providers
            .SelectMany(provider => NameFaults(provider.Key).Concat(Faults($"{OpenIdOptions.SectionName}:Providers:{provider.Key}", provider.Value)))
            .Concat(options.Google.IsSet ? Faults($"{OpenIdOptions.SectionName}:Google", options.Google) : [])
            .ToArray();
        return faults.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }

    private static IEnumerable<string> NameFaults(string name)
    {
        if (name.Length is 0 or > 40 || name.Any(character => !char.IsAsciiLetterOrDigit(character) && character != '-'))
            yield return $"{OpenIdOptions.SectionName}:Providers:{name}: the name must be 1 to 40 letters, digits and hyphens; it becomes part of addresses and accounts.";
        if (ReservedNames.Contains(name, StringComparer.OrdinalIgnoreCase))
            yield return $"{OpenIdOptions.SectionName}:Providers:{name}: that name is taken; choose another.";
    }

    private IEnumerable<string> Faults(string at, OpenIdProviderOptions provider)
    {
        if (string.IsNullOrWhiteSpace(provider.ClientId))
            yield return $"{at}:ClientId is not set, but other settings of {at} are. Set both ClientId and ClientSecret, or neither.";
        if (string.IsNullOrWhiteSpace(provider.ClientSecret))
            yield return $"{at}:ClientSecret is not set, but other settings of {at} are. Set both ClientId and ClientSecret, or neither.";

        if (!Uri.TryCreate(provider.Authority, UriKind.Absolute, out var authority) || authority.Scheme is not ("http" or "https")
            || authority.Query.Length > 0 || authority.Fragment.Length > 0)
        {
            yield return $"{at}:Authority must be an absolute https URL without query; it is '{provider.Authority}'.";
        }
        else if (authority.Scheme == "http" && !environment.IsDevelopment())
        {
            // OpenID Connect Discovery 1.0 section 7.2: without TLS an attacker on the network path can impersonate the provider.
            yield return $"{at}:Authority must be https outside Development; it is '{provider.Authority}'.";
        }
    }
}
