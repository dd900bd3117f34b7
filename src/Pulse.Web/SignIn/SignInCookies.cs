using Microsoft.AspNetCore.Authentication.OpenIdConnect;

namespace Pulse.Web.SignIn;

/// <summary>The cookies of sign-ins that are under way: how they are named, and how many a browser keeps.</summary>
/// <remarks>
/// RFC 6265bis section 4.1.3.2: with the <c>__Host-</c> prefix no other host of the domain, and nobody on the path, can plant one. It demands
/// https, which Development does without.
/// </remarks>
internal static class SignInCookies
{
    /// <summary>Given-up sign-ins leave their cookies behind for <see cref="SignInOptions.Patience"/>, and every request carries them.</summary>
    public const int AtMost = 10;

    /// <summary>Ties the state to the browser.</summary>
    public const string State = "pulse.signin.";

    /// <summary>Ties the ID token to the browser.</summary>
    public const string Nonce = "pulse.nonce.";

    private const string Prefix = "__Host-";

    /// <summary>Sets up a cookie that comes along when the provider sends the browser back.</summary>
    public static void Bind(CookieBuilder cookie, string name, IHostEnvironment environment)
    {
        cookie.Name = environment.IsDevelopment() ? name : Prefix + name;
        cookie.Path = "/";
        cookie.SameSite = SameSiteMode.Lax;
        cookie.SecurePolicy = environment.IsDevelopment() ? CookieSecurePolicy.SameAsRequest : CookieSecurePolicy.Always;
        cookie.HttpOnly = true;
        cookie.IsEssential = true;
    }

    /// <summary>Has the browser forget the oldest sign-ins, so that there is room for another one.</summary>
    public static void MakeRoom(HttpContext context, OpenIdConnectOptions options)
    {
        foreach (var (builder, kind) in new[] { (options.CorrelationCookie, State), (options.NonceCookie, Nonce) })
        {
            // Of cookies with the same path, browsers send the oldest first (RFC 6265 section 5.4). Those of every provider count.
            var ofKind = builder.Name![..(builder.Name!.IndexOf(kind, StringComparison.Ordinal) + kind.Length)];
            var names = context.Request.Cookies.Keys.Where(name => name.StartsWith(ofKind, StringComparison.Ordinal)).ToArray();
            foreach (var name in names.SkipLast(AtMost - 1)) context.Response.Cookies.Delete(name, builder.Build(context));
        }
    }
}
