using System.Security.Claims;
using System.Security.Cryptography;
using Microsoft.AspNetCore.DataProtection;
using Pulse.Web.Auth;

namespace Pulse.Web.SignIn;

/// <summary>Sees to it that only somebody's own dashboard begins to link an account to them.</summary>
/// <remarks>
/// Another site could otherwise sign its victim in at the provider with the attacker's account, lead the browser here, and have that account
/// linked to the victim's user (RFC 9700 section 4.7 has the like). The address therefore holds a proof that only Pulse can make, for one
/// person, session and provider. A link and no form, since form-action holds for the redirects after a post.
/// </remarks>
internal sealed class AccountLinking(IDataProtectionProvider protection, Callers callers, TimeProvider time)
{
    // A dashboard that stays open longer is to be reloaded.
    private static readonly TimeSpan s_lifetime = TimeSpan.FromHours(12);

    private readonly IDataProtector _protector = protection.CreateProtector("Pulse.Web.SignIn.AccountLinking");

    /// <summary>The address that links an account at that provider to who is signed in, for their dashboard.</summary>
    public string Href(ClaimsPrincipal user, string provider)
    {
        var caller = callers.Read(user);
        var expires = (time.GetUtcNow() + s_lifetime).ToUnixTimeSeconds();
        return $"/auth/signin/{Uri.EscapeDataString(provider)}?link=true&proof={_protector.Protect($"{expires}\n{Subject(caller, provider)}")}";
    }

    /// <summary>Whether that is a proof from the caller's own dashboard.</summary>
    public bool IsProven(Caller caller, string provider, string? proof)
    {
        if (string.IsNullOrEmpty(proof)) return false;
        try
        {
            var text = _protector.Unprotect(proof);
            var cut = text.IndexOf('\n', StringComparison.Ordinal);
            return long.Parse(text.AsSpan(0, cut), System.Globalization.CultureInfo.InvariantCulture) > time.GetUtcNow().ToUnixTimeSeconds()
                && text[(cut + 1)..] == Subject(caller, provider);
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    private static string Subject(Caller caller, string provider) => $"{caller.OwnUserId:D}\n{caller.SessionId}\n{provider}";
}
