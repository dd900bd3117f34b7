using Pulse.Accounts;
using Pulse.Identity;
using Pulse.Web.Audit;
using Pulse.Web.Mail;

namespace Pulse.Web.SignIn;

/// <summary>Makes sign-in links and mails them.</summary>
internal sealed partial class EmailLinks(
    IGrainFactory grains, IMailSender sender, AuditLog audit, IConfiguration configuration, TimeProvider time, ILogger<EmailLinks> logger)
{
    /// <summary>Where links lead.</summary>
    public const string CallbackPath = "/auth/callback/email";

    /// <summary>How long links are good, as the silo's settings say; for the mail's and the page's words.</summary>
    public TimeSpan Lifetime { get; } = configuration.GetValue("Pulse:SignInLinks:Lifetime", TimeSpan.FromMinutes(10));

    /// <summary>Mails a new link, or nothing if that mailbox has enough good ones: nobody may be buried in mail.</summary>
    /// <param name="request">The request, which has the site's address.</param>
    /// <param name="email">Normalised address. Whether it is a user's makes no difference.</param>
    /// <param name="returnUrl">A path of this site.</param>
    /// <returns>What the browser that asked must keep; the same whether a mail was sent or not.</returns>
    /// <exception cref="MailUnavailableException">The mail was not sent.</exception>
    /// <exception cref="MailAddressUnsupportedException">The mail server cannot take the address.</exception>
    /// <exception cref="StoreUnavailableException">The database is away.</exception>
    public async Task<AskedMail> SendAsync(HttpRequest request, string email, string returnUrl)
    {
        var (asked, hash) = Create(email);
        if (await SendAsync(asked, hash, SiteOf(request), returnUrl, request.HttpContext.RequestAborted)) request.HttpContext.Audit(AuditEvents.MailSent, email: email);
        return asked;
    }

    /// <summary>As <see cref="SendAsync"/>, but mails a link only if the mailbox signs in an existing user.</summary>
    /// <remarks>The request does not wait for the lookup and the mail server: the time and the kind of its answer would otherwise show who is a user.</remarks>
    public AskedMail SendToUser(HttpRequest request, string email, string returnUrl)
    {
        var (asked, hash) = Create(email);
        var site = SiteOf(request);
        _ = SendAsync();
        return asked;

        async Task SendAsync()
        {
            try
            {
                if (await grains.GetGrain<IAccountGrain>(new AccountKey(SignInProviders.Email, email).ToString()).HasUserAsync()
                    && await this.SendAsync(asked, hash, site, returnUrl, CancellationToken.None))
                {
                    // The request has ended, and with it what is known of the client.
                    audit.Write(context: null, AuditEvents.MailSent, email: email);
                }
            }
            catch (Exception exception)
            {
                LogNotSent(exception.GetType().Name);
            }
        }
    }

    /// <summary>Uses a link up, and with it every other link to that mailbox.</summary>
    /// <returns>The mailbox; <see langword="null"/> when the link is not good.</returns>
    public async Task<(string? Email, SignInLinkState State)> RedeemAsync(byte[] tokenHash)
    {
        var link = await Link(tokenHash).RedeemAsync();
        if (link is not { State: SignInLinkState.Good, Email: { } email }) return (null, link.State);
        await Links(email).RemoveAllAsync(email);
        return (email, link.State);
    }

    /// <summary>Saves a link, unless that mailbox has as many good ones as it may have.</summary>
    public Task<bool> AddAsync(string email, byte[] tokenHash) => Links(email).AddForAsync(email, tokenHash);

    /// <summary>Where browsers reach this site, as links in mails have it; ends in a slash.</summary>
    public static Uri SiteOf(HttpRequest request) => new($"{request.Scheme}://{request.Host.Value}{request.PathBase}/");

    /// <summary>The absolute address of a path of this program.</summary>
    public static string UrlOf(Uri site, string path) => new Uri(site, path[1..]).AbsoluteUri;

    private (AskedMail Asked, byte[] Hash) Create(string email)
    {
        var (token, hash) = EmailToken.Create();
        return (new(email, token, EmailCode.Create(), (time.GetUtcNow() + Lifetime).ToUnixTimeSeconds()), hash);
    }

    /// <returns>Whether a mail was sent: not if the mailbox has as many good links as it may have.</returns>
    private async Task<bool> SendAsync(AskedMail asked, byte[] hash, Uri site, string returnUrl, CancellationToken cancellationToken)
    {
        if (!await AddAsync(asked.Email, hash)) return false;

        var link = UrlOf(site, $"{CallbackPath}?token={asked.Token}&returnUrl={Uri.EscapeDataString(returnUrl)}");
        try
        {
            await sender.SendAsync(EmailLinkMail.Compose(asked.Email, link, asked.Code, site.Authority, Lifetime), cancellationToken);
            return true;
        }
        catch (Exception exception) when (exception is MailUnavailableException or MailAddressUnsupportedException)
        {
            // A link that nobody got must not count against the next try.
            await Links(asked.Email).RemoveAsync(hash);
            throw;
        }
    }

    /// <summary>The links to a mailbox, whichever of its spellings was used.</summary>
    private ISignInLinksGrain Links(string email) => grains.GetGrain<ISignInLinksGrain>(Mailbox.Of(email));

    /// <summary>The link of a token.</summary>
    public ISignInLinkGrain Link(byte[] tokenHash) => grains.GetGrain<ISignInLinkGrain>(SignInLinkKey.From(tokenHash));

    [LoggerMessage(1132, LogLevel.Warning, "A sign-in mail to a user could not be sent: {Exception}")]
    private partial void LogNotSent(string exception);
}
