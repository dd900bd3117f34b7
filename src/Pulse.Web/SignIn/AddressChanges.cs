using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.DataProtection;
using Pulse.Accounts;
using Pulse.Identity;
using Pulse.Users;
using Pulse.Web.Audit;
using Pulse.Web.Mail;
using Pulse.Web.Tokens;

namespace Pulse.Web.SignIn;

/// <summary>Changes a user's address by a link that is sent to the new one, or proves the present one so.</summary>
/// <remarks>The link counts only in a session of the user who asked for it: opened elsewhere it does nothing, so it can be sent to any address.</remarks>
internal sealed class AddressChanges(
    IGrainFactory grains, IMailSender sender, EmailLinks links, AccountNotices notices, IDataProtectionProvider protection)
{
    /// <summary>Where links lead.</summary>
    public const string ConfirmPath = "/auth/confirm/email";

    private readonly IDataProtector _protector = protection.CreateProtector("Pulse.Web.SignIn.AddressChanges");

    /// <summary>Mails a link, or nothing if that mailbox has enough good ones. Whether the address is another user's makes no difference.</summary>
    /// <exception cref="MailUnavailableException">The mail was not sent.</exception>
    public async Task AskAsync(HttpRequest request, Guid userId, string email)
    {
        var token = _protector.Protect($"{userId:N}\n{email}");
        if (!await links.AddAsync(email, Hash(token))) return;

        var site = EmailLinks.SiteOf(request);
        var link = EmailLinks.UrlOf(site, $"{ConfirmPath}?token={token}");
        await sender.SendAsync(AddressMail.Compose(email, link, site.Authority, links.Lifetime), request.HttpContext.RequestAborted);
    }

    /// <summary>The address that a link is about; <see langword="null"/> if it is not good, or another user's.</summary>
    public async Task<string?> PeekAsync(SignedInUser caller, string? token)
    {
        if (Read(caller, token) is not { } email) return null;
        return (await links.Link(Hash(token!)).PeekAsync()).State == SignInLinkState.Good ? email : null;
    }

    /// <summary>Uses a link up.</summary>
    /// <returns>The outcome; <see langword="null"/> if the link was not good, or another user's.</returns>
    public async Task<ProfileSyncOutcome?> ConfirmAsync(HttpRequest request, SignedInUser caller, string? token)
    {
        if (Read(caller, token) is not { } email || (await links.Link(Hash(token!)).ConsumeAsync()).State != SignInLinkState.Good) return null;

        var user = grains.GetGrain<IUserGrain>(caller.Id);
        if (await user.GetProfileAsync() is not { } before) return null;
        var result = await user.SyncProfileAsync(new() { Email = email, EmailVerified = true });
        if (result.Outcome == ProfileSyncOutcome.Updated) request.HttpContext.Audit(AuditEvents.AddressChanged, email: email);
        if (result.Outcome != ProfileSyncOutcome.Updated || before.Email == email) return result.Outcome;

        // The mailbox that signs in is the one of the address: the former one may be another person's some day.
        await Mailbox(email).LinkAsync(before.Id, SignInProviders.Email);
        await Mailbox(before.Email).UnlinkAsync(before.Id);
        await notices.NotifyAsync(request, before, AccountNoticeKind.AddressChanged, $"{before.Email} to {email}");
        return result.Outcome;
    }

    private IAccountGrain Mailbox(string email) => grains.GetGrain<IAccountGrain>(new AccountKey(SignInProviders.Email, email).ToString());

    private string? Read(SignedInUser caller, string? token)
    {
        if (string.IsNullOrEmpty(token) || caller.IsFromTrustedIssuer) return null;
        try
        {
            return _protector.Unprotect(token).Split('\n', 2) is [var id, var email] && id == caller.Id.ToString("N") ? email : null;
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    // Kept beside the sign-in links, which it cannot be taken for: their tokens are 43 characters (EmailToken).
    private static byte[] Hash(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));
}
