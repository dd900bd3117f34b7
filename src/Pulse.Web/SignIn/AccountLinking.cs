using System.Globalization;
using System.Security.Cryptography;
using Microsoft.AspNetCore.DataProtection;
using Pulse.Accounts;
using Pulse.Silo.Clock;
using Pulse.Web.Auth;
using Pulse.Web.Tokens;

namespace Pulse.Web.SignIn;

/// <summary>Ensures that only a user's own dashboard can begin to link an account to the user.</summary>
/// <remarks>
/// Otherwise another site could sign its victim in at the provider with the attacker's account, send the browser here, and so link that
/// account to the victim's user (RFC 9700 section 4.7 describes a similar attack). The URL therefore contains a proof that only Pulse can
/// make, for one person, session and provider. It is a link instead of a form, because form-action also applies to the redirects after a
/// post.
/// </remarks>
internal sealed class AccountLinking(IDataProtectionProvider protection, [FromKeyedServices(ClockSetup.WallClock)] TimeProvider time)
{
    private readonly IDataProtector _protector = protection.CreateProtector("Pulse.Web.SignIn.AccountLinking.2");

    /// <summary>The URL on the dashboard that links an account at that provider to the signed-in user.</summary>
    /// <param name="user">The user, signed in recently.</param>
    /// <param name="provider">The provider.</param>
    /// <param name="accounts">The user's accounts. The next link makes the URL invalid.</param>
    public string Href(SignedInUser user, string provider, IEnumerable<ExternalAccount> accounts)
    {
        var expires = (time.GetUtcNow() + RecentSignIn.MaxAge).ToUnixTimeSeconds();
        var proof = $"{expires}\n{Guid.NewGuid():N}\n{LinkedAccounts.Mark(accounts)}\n{Subject(user.Caller, provider)}";
        return $"/auth/signin/{Uri.EscapeDataString(provider)}?link=true&proof={_protector.Protect(proof)}";
    }

    /// <summary>The content of a proof from the caller's own dashboard. <see langword="null"/> for any other text.</summary>
    public LinkIntent? Read(Caller caller, string provider, string? proof)
    {
        if (string.IsNullOrEmpty(proof)) return null;
        try
        {
            return _protector.Unprotect(proof).Split('\n', 4) is [var expires, var id, var known, var subject]
                && long.Parse(expires, CultureInfo.InvariantCulture) > time.GetUtcNow().ToUnixTimeSeconds()
                && subject == Subject(caller, provider)
                    ? new(caller.OwnUserId!.Value, caller.SessionId, known, id)
                    : null;
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    private static string Subject(Caller caller, string provider) => $"{caller.OwnUserId:D}\n{caller.SessionId}\n{provider}";
}
