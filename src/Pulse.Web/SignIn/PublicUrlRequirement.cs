using Microsoft.Extensions.Options;
using Pulse.Web.Http;
using Pulse.Web.Mail;

namespace Pulse.Web.SignIn;

/// <summary>Requires <c>Pulse:PublicUrl</c> if people can sign in.</summary>
/// <remarks>
/// A client chooses its <c>Host</c> header and the mailbox of a sign-in mail. If links began with that host, a client could send other
/// people links to its own site.
/// </remarks>
internal sealed class PublicUrlRequirement(IHostEnvironment environment, IOptions<OpenIdOptions> signIn, IOptions<MailOptions> mail)
    : IValidateOptions<SiteOptions>
{
    public ValidateOptionsResult Validate(string? name, SiteOptions options)
    {
        if (environment.IsDevelopment() || options.PublicUrl is not null) return ValidateOptionsResult.Success;
        return signIn.Value.All.Any() || !string.IsNullOrWhiteSpace(mail.Value.Host)
            ? ValidateOptionsResult.Fail(
                $"{SiteOptions.Setting} is not set. Links in mails and the redirect URIs of providers begin with it. Set it to the address at "
                + "which browsers reach this site, such as https://pulse.example.com.")
            : ValidateOptionsResult.Success;
    }
}
