using System.Security.Cryptography;
using Microsoft.AspNetCore.DataProtection;

namespace Pulse.Web.Sessions;

/// <summary>
/// Remembers in a browser its signed-in users, so that a sign-in with another browser can be reported to the user, and so that strangers
/// cannot use up the sign-in mails of the user's own browsers.
/// </summary>
/// <remarks>The cookie proves no identity, and its content may be known. It is protected so that only Pulse can write and read it.</remarks>
internal sealed class DeviceCookie(SessionCookie sessions, IDataProtectionProvider protection)
{
    public const string SecureName = "__Host-pulse-device";
    public const string PlainName = "pulse-device";

    // Maximum users per browser. The oldest is removed first, and then counts as new again.
    private const int MaxUsers = 10;

    // The maximum lifetime of a cookie in browsers (RFC 6265bis section 5.5).
    private static readonly TimeSpan s_lifetime = TimeSpan.FromDays(400);

    private readonly IDataProtector _protector = protection.CreateProtector("Pulse.Web.Sessions.DeviceCookie");

    /// <summary>Adds the user to the browser's cookie.</summary>
    /// <returns>Whether the cookie already contained the user.</returns>
    public bool Remember(HttpContext context, Guid userId)
    {
        List<Guid> users = [.. UsersOf(context)];
        var isKnown = users.Remove(userId);
        users.Add(userId);
        var value = string.Join(',', users.TakeLast(MaxUsers).Select(user => user.ToString("N")));
        context.Response.Cookies.Append(NameFor(context), _protector.Protect(value), new()
        {
            HttpOnly = true,
            Secure = !sessions.IsPlain(context),
            SameSite = SameSiteMode.Lax,
            Path = "/",
            IsEssential = true,
            MaxAge = s_lifetime,
        });
        return isKnown;
    }

    /// <summary>The users who have signed in with this browser, the latest last.</summary>
    public IReadOnlyList<Guid> UsersOf(HttpContext context)
    {
        if (!context.Request.Cookies.TryGetValue(NameFor(context), out var value)) return [];
        try
        {
            return [.. _protector.Unprotect(value).Split(',').Select(user => Guid.ParseExact(user, "N"))];
        }
        catch (Exception exception) when (exception is CryptographicException or FormatException)
        {
            return [];
        }
    }

    private string NameFor(HttpContext context) => sessions.IsPlain(context) ? PlainName : SecureName;
}
