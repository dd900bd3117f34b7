using Microsoft.Extensions.Options;
using Pulse.Web.Auth;

namespace Pulse.Web.SignIn;

/// <summary>Refuses trusted issuers with the name of a sign-in provider.</summary>
/// <remarks>
/// Issuers and providers share the accounts' <c>provider</c>. An issuer with the name <c>email</c> could sign in any user by a sub with the
/// user's address. The names are read from the configuration, because <see cref="OpenIdOptions"/> throws if it is faulty, which its own
/// validator reports.
/// </remarks>
internal sealed class IssuerNameValidator(IConfiguration configuration) : IValidateOptions<AuthOptions>
{
    public ValidateOptionsResult Validate(string? name, AuthOptions options)
    {
        var names = configuration.GetSection($"{OpenIdOptions.SectionName}:{nameof(OpenIdOptions.Providers)}").GetChildren()
            .Select(provider => provider.Key).Concat(OpenIdOptionsValidator.ReservedNames).ToHashSet(StringComparer.OrdinalIgnoreCase);
        string[] faults =
        [
            .. options.TrustedIssuers.Index().Where(issuer => names.Contains(issuer.Item.Issuer)).Select(issuer =>
                $"{AuthOptions.SectionName}:TrustedIssuers:{issuer.Index}:Issuer is '{issuer.Item.Issuer}', which is a way to sign in here; its users "
                + "would be that one's. Trust it under another name, or give the provider another."),
        ];
        return faults.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }
}
