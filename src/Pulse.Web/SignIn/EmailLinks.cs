using Pulse.Accounts;
using Pulse.Identity;
using Pulse.Silo.Clock;
using Pulse.Web.Audit;
using Pulse.Web.Mail;
using Pulse.Web.Sessions;

namespace Pulse.Web.SignIn;

/// <summary>Creates sign-in links and mails them.</summary>
internal sealed partial class EmailLinks(
    IGrainFactory grains, IMailSender sender, SignInMails mails, DeviceCookie devices, AuditLog audit, IConfiguration configuration,
    [FromKeyedServices(ClockSetup.WallClock)] TimeProvider time, ILogger<EmailLinks> logger)
{
    /// <summary>The path of the links.</summary>
    public const string CallbackPath = "/auth/callback/email";

    /// <summary>Lifetime of links according to the silo's settings, for the text of the mail and the page.</summary>
    public TimeSpan Lifetime { get; } = configuration.GetValue("Pulse:SignInLinks:Lifetime", TimeSpan.FromMinutes(10));

    /// <summary>Mails a new link, unless that mailbox has the maximum of valid ones, which protects people from floods of mail.</summary>
    /// <param name="request">The request, which has the site's address.</param>
    /// <param name="email">Normalized address. The behaviour is the same for users and strangers.</param>
    /// <param name="returnUrl">A path of this site.</param>
    /// <returns>The data that the requesting browser must keep. The same also if the maximum prevented the mail.</returns>
    /// <exception cref="MailUnavailableException">The mail was not sent.</exception>
    /// <exception cref="MailAddressUnsupportedException">The mail server lacks support for the address.</exception>
    /// <exception cref="StoreUnavailableException">The database is unavailable.</exception>
    public async Task<AskedMail> SendAsync(HttpRequest request, string email, string returnUrl)
    {
        var (asked, hash) = Create(email);
        if (await SendAsync(asked, hash, SiteOf(request), returnUrl, devices.UsersOf(request.HttpContext))) request.HttpContext.Audit(AuditEvents.MailSent, email: email);
        return asked;
    }

    /// <summary>As <see cref="SendAsync"/>, but mails a link only if the mailbox signs in an existing user.</summary>
    /// <remarks>
    /// The request does not wait for the lookup and the mail server, because the time and kind of its answer would otherwise reveal whether
    /// the address has a user.
    /// </remarks>
    public AskedMail SendToUser(HttpRequest request, string email, string returnUrl)
    {
        var (asked, hash) = Create(email);
        var (site, users) = (SiteOf(request), devices.UsersOf(request.HttpContext));
        _ = SendAsync();
        return asked;

        async Task SendAsync()
        {
            try
            {
                if (await Account(email).HasUserAsync() && await this.SendAsync(asked, hash, site, returnUrl, users))
                {
                    // The request has ended, so the client's data is unavailable.
                    audit.Write(context: null, AuditEvents.MailSent, email: email);
                }
            }
            catch (Exception exception)
            {
                LogNotSent(exception.GetType().Name);
            }
        }
    }

    /// <summary>Uses a link up, together with every other link to that mailbox.</summary>
    /// <returns>The mailbox. <see langword="null"/> if the link is invalid.</returns>
    public async Task<(string? Email, SignInLinkState State)> RedeemAsync(byte[] tokenHash)
    {
        var link = await Link(tokenHash).RedeemAsync();
        if (link is not { State: SignInLinkState.Good, Email: { } email }) return (null, link.State);
        await Links(email).RemoveAllAsync(email);
        return (email, link.State);
    }

    /// <summary>Saves a link, unless that mailbox has the maximum of valid ones.</summary>
    public Task<bool> AddAsync(string email, byte[] tokenHash) => Links(email).AddForAsync(email, tokenHash);

    /// <summary>Sends the mail of a saved link. Removes the link if that fails, because an unsent link must not count.</summary>
    /// <remarks>
    /// The work continues if the client disconnects. Otherwise a client could have mails sent that count nowhere, by disconnecting once the
    /// mail server has accepted each.
    /// </remarks>
    public async Task SendOrRemoveAsync(string email, byte[] tokenHash, OutgoingMail mail)
    {
        try
        {
            await sender.SendAsync(mail, CancellationToken.None);
        }
        catch
        {
            await Links(email).RemoveAsync(tokenHash);
            throw;
        }
    }

    /// <summary>The public URL of this site for links in mails. Ends in a slash.</summary>
    public static Uri SiteOf(HttpRequest request) => new($"{request.Scheme}://{request.Host.Value}{request.PathBase}/");

    /// <summary>The absolute URL of a path of this program.</summary>
    public static string UrlOf(Uri site, string path) => new Uri(site, path[1..]).AbsoluteUri;

    private (AskedMail Asked, byte[] Hash) Create(string email)
    {
        var (token, hash) = EmailToken.Create();
        return (new(email, token, EmailCode.Create(), (time.GetUtcNow() + Lifetime).ToUnixTimeSeconds()), hash);
    }

    /// <returns>Whether a mail was sent. False if the mailbox has the maximum of valid links.</returns>
    /// <param name="users">The users who have signed in with the browser before.</param>
    private async Task<bool> SendAsync(AskedMail asked, byte[] hash, Uri site, string returnUrl, IReadOnlyList<Guid> users)
    {
        // Whether or not the address has a user, a browser has the same calls to wait for.
        var isKnown = users.Count > 0 && await Account(asked.Email).FindUserAsync() is { } user && users.Contains(user);
        if (!await (isKnown ? Links(asked.Email).AddForKnownBrowserAsync(asked.Email, hash) : AddAsync(asked.Email, hash))) return false;

        var link = UrlOf(site, $"{CallbackPath}?token={asked.Token}&returnUrl={Uri.EscapeDataString(returnUrl)}");
        await SendOrRemoveAsync(asked.Email, hash, mails.SignIn(asked.Email, link, asked.Code, site.Authority, Lifetime));
        return true;
    }

    /// <summary>The account of a mailbox.</summary>
    public IAccountGrain Account(string email) => grains.GetGrain<IAccountGrain>(new AccountKey(SignInProviders.Email, email).ToString());

    /// <summary>The links of a mailbox, the same grain for all its spellings.</summary>
    private ISignInLinksGrain Links(string email) => grains.GetGrain<ISignInLinksGrain>(Mailbox.Of(email));

    /// <summary>The link of a token.</summary>
    public ISignInLinkGrain Link(byte[] tokenHash) => grains.GetGrain<ISignInLinkGrain>(SignInLinkKey.From(tokenHash));

    [LoggerMessage(1132, LogLevel.Warning, "A sign-in mail to a user could not be sent: {Exception}")]
    private partial void LogNotSent(string exception);
}
