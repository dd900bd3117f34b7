using Pulse.Identity;
using Pulse.Web.Mail;

namespace Pulse.Web.SignIn;

/// <summary>Makes sign-in links and mails them.</summary>
internal sealed class EmailLinks(IGrainFactory grains, IMailSender sender, IConfiguration configuration)
{
    /// <summary>Where links lead.</summary>
    public const string CallbackPath = "/auth/callback/email";

    /// <summary>How long links are good, as the silo's settings say; for the mail's and the page's words.</summary>
    public TimeSpan Lifetime { get; } = configuration.GetValue("Pulse:SignInLinks:Lifetime", TimeSpan.FromMinutes(10));

    /// <summary>Mails a new link, or nothing if that mailbox has enough good ones: nobody may be buried in mail.</summary>
    /// <param name="request">The request, which has the site's address.</param>
    /// <param name="email">Normalised address. Whether it is a user's makes no difference.</param>
    /// <param name="returnUrl">A path of this site.</param>
    /// <exception cref="MailUnavailableException">The mail was not sent.</exception>
    /// <exception cref="StoreUnavailableException">The database is away.</exception>
    public async Task SendAsync(HttpRequest request, string email, string returnUrl)
    {
        var (token, hash) = EmailToken.Create();
        if (!await grains.GetGrain<ISignInLinksGrain>(email).AddAsync(hash)) return;

        var site = new Uri($"{request.Scheme}://{request.Host.Value}");
        var link = new Uri(site, $"{CallbackPath}?token={token}&returnUrl={Uri.EscapeDataString(returnUrl)}").AbsoluteUri;
        try
        {
            await sender.SendAsync(EmailLinkMail.Compose(email, link, site.Authority, Lifetime), request.HttpContext.RequestAborted);
        }
        catch (MailUnavailableException)
        {
            // A link that nobody got must not count against the next try.
            await Link(hash).ConsumeAsync();
            throw;
        }
    }

    /// <summary>The link of a token.</summary>
    public ISignInLinkGrain Link(byte[] tokenHash) => grains.GetGrain<ISignInLinkGrain>(SignInLinkKey.From(tokenHash));
}
