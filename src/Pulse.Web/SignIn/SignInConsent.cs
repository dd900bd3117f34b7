using System.Globalization;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.DataProtection;
using Pulse.Silo.Clock;
using Pulse.Web.Auth;

namespace Pulse.Web.SignIn;

/// <summary>Decides whether a person must press a button before a sign-in begins.</summary>
/// <remarks>
/// A provider often answers without asking the person. One navigation by another site's page would then end the browser's session and sign
/// the browser in with another account (login CSRF).
/// </remarks>
internal sealed class SignInConsent(IDataProtectionProvider protection, [FromKeyedServices(ClockSetup.WallClock)] TimeProvider time)
{
    private const string ReplacesKey = "pulse.replaces";

    private static readonly TimeSpan s_lifetime = TimeSpan.FromMinutes(15);

    private readonly IDataProtector _protector = protection.CreateProtector("Pulse.Web.SignIn.SignInConsent");

    /// <summary>Whether the person must press a button before this sign-in begins.</summary>
    /// <param name="request">The request that begins it.</param>
    /// <param name="current">The caller of the browser's session, if it has one.</param>
    /// <param name="consent">The value in the button's URL.</param>
    public bool IsNeeded(HttpRequest request, Caller? current, string? consent) =>
        IsFromAnotherSite(request) || (current is not null && !IsFor(current, consent));

    /// <summary>The value for the button's URL. Only Pulse can create it, and it is valid for one session.</summary>
    public string For(Caller current) => _protector.Protect(string.Create(
        CultureInfo.InvariantCulture, $"{(time.GetUtcNow() + s_lifetime).ToUnixTimeSeconds()} {current.SessionId}"));

    /// <summary>Writes to the state of a sign-in which session it may replace.</summary>
    public static void Write(AuthenticationProperties state, Caller? current) => state.SetString(ReplacesKey, current?.SessionId);

    /// <summary>Whether a sign-in with that state may replace the caller's session.</summary>
    public static bool Covers(AuthenticationProperties? state, Caller current) =>
        current.SessionId is { } session && state?.GetString(ReplacesKey) == session;

    // W3C Fetch Metadata: "none" means that the person entered the address or chose a bookmark. Over plain http browsers omit the header.
    private static bool IsFromAnotherSite(HttpRequest request) => request.Headers["Sec-Fetch-Site"].ToString() is "cross-site" or "same-site";

    private bool IsFor(Caller current, string? consent)
    {
        if (string.IsNullOrEmpty(consent)) return false;
        try
        {
            var parts = _protector.Unprotect(consent).Split(' ', 2);
            return long.Parse(parts[0], CultureInfo.InvariantCulture) > time.GetUtcNow().ToUnixTimeSeconds() && parts[1] == current.SessionId;
        }
        catch (CryptographicException)
        {
            return false;
        }
    }
}
