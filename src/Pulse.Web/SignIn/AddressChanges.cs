using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.DataProtection;
using Pulse.Identity;
using Pulse.Users;
using Pulse.Web.Audit;
using Pulse.Web.Mail;
using Pulse.Web.Tokens;

namespace Pulse.Web.SignIn;

/// <summary>Changes a user's address through a link that is mailed to the new one. Proves the present address in the same way.</summary>
/// <remarks>
/// The link is valid only in a session of the user who requested it. It is useless elsewhere, so it may be sent to any address.
/// </remarks>
internal sealed class AddressChanges(
    IGrainFactory grains, EmailLinks links, SignInMails mails, AccountNotices notices, IDataProtectionProvider protection)
{
    /// <summary>The path of the links.</summary>
    public const string ConfirmPath = "/auth/confirm/email";

    private readonly IDataProtector _protector = protection.CreateProtector("Pulse.Web.SignIn.AddressChanges");

    /// <summary>
    /// Mails a link, unless that mailbox has the maximum of valid ones. The behaviour is the same if the address belongs to another user.
    /// </summary>
    /// <exception cref="MailUnavailableException">The mail was not sent.</exception>
    public async Task AskAsync(HttpRequest request, Guid userId, string email)
    {
        var token = _protector.Protect($"{userId:N}\n{email}");
        var hash = Hash(token);
        if (!await links.AddAsync(email, hash)) return;

        var site = EmailLinks.SiteOf(request);
        var link = EmailLinks.UrlOf(site, $"{ConfirmPath}?token={token}");
        await links.SendOrRemoveAsync(email, hash, mails.ConfirmAddress(email, link, site.Authority, links.Lifetime));
    }

    /// <summary>The address of a link. <see langword="null"/> if the link is invalid or another user's.</summary>
    public async Task<string?> PeekAsync(SignedInUser caller, string? token)
    {
        if (Read(caller, token) is not { } email) return null;
        return (await links.Link(Hash(token!)).PeekAsync()).State == SignInLinkState.Good ? email : null;
    }

    /// <summary>Uses a link up.</summary>
    /// <returns>The outcome. <see langword="null"/> if the link was invalid or another user's.</returns>
    public async Task<ProfileSyncOutcome?> ConfirmAsync(HttpRequest request, SignedInUser caller, string? token)
    {
        if (Read(caller, token) is not { } email || (await links.Link(Hash(token!)).ConsumeAsync()).State != SignInLinkState.Good) return null;

        var user = grains.GetGrain<IUserGrain>(caller.Id);
        if (await user.GetProfileAsync() is not { } before) return null;
        // One transaction also moves the mailbox account, because the former address may belong to another person later.
        var result = await user.SyncProfileAsync(new() { Email = email, EmailVerified = true, ConfirmedInSession = caller.SessionId });
        if (result.Outcome != ProfileSyncOutcome.Updated) return result.Outcome;

        request.HttpContext.Audit(AuditEvents.AddressChanged, email: email);
        if (before.Email != email) await notices.NotifyAsync(request, before, AccountNoticeKind.AddressChanged, NoticeWords.Change(before.Email, email));

        // An unchanged address is confirmed by a user who has unlinked its mailbox and wants it back. Silos of earlier versions also leave the
        // accounts to the front end. Otherwise these calls change nothing.
        await links.Account(email).LinkAsync(before.Id, SignInProviders.Email);
        if (before.Email != email) await links.Account(before.Email).UnlinkAsync(before.Id);
        return result.Outcome;
    }

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

    // Stored beside the sign-in links. Confusion is impossible, because their tokens have 43 characters (EmailToken).
    private static byte[] Hash(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));
}
