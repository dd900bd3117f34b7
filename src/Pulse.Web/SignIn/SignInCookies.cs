using Microsoft.AspNetCore.Authentication.OpenIdConnect;

namespace Pulse.Web.SignIn;

/// <summary>The cookies of running sign-ins: their names, and their maximum number per browser.</summary>
/// <remarks>
/// RFC 6265bis section 4.1.3.2: the <c>__Host-</c> prefix prevents other hosts of the domain, and attackers on the network path, from
/// planting one. It requires https, which Development does not use.
/// </remarks>
internal static class SignInCookies
{
    /// <summary>
    /// Maximum number per kind. Abandoned sign-ins keep their cookies for <see cref="OpenIdOptions.SignInTimeout"/>, and every request carries
    /// them.
    /// </summary>
    public const int AtMost = 10;

    /// <summary>Binds the state to the browser.</summary>
    public const string State = "pulse.signin.";

    /// <summary>Binds the ID token to the browser.</summary>
    public const string Nonce = "pulse.nonce.";

    private const string Prefix = "__Host-";

    /// <summary>Configures a cookie that the browser sends when the provider redirects it back.</summary>
    public static void Bind(CookieBuilder cookie, string name, IHostEnvironment environment)
    {
        cookie.Name = environment.IsDevelopment() ? name : Prefix + name;
        cookie.Path = "/";
        cookie.SameSite = SameSiteMode.Lax;
        cookie.SecurePolicy = environment.IsDevelopment() ? CookieSecurePolicy.SameAsRequest : CookieSecurePolicy.Always;
        cookie.HttpOnly = true;
        cookie.IsEssential = true;
    }

    /// <summary>Deletes the cookies of the oldest sign-ins, to make room for another one.</summary>
    public static void MakeRoom(HttpContext context, OpenIdConnectOptions options)
    {
        foreach (var (builder, kind) in new[] { (options.CorrelationCookie, State), (options.NonceCookie, Nonce) })
        {
            // Browsers send cookies with the same path in the order of their age, oldest first (RFC 6265 section 5.4). All providers are
            // counted together.
            var ofKind = builder.Name![..(builder.Name!.IndexOf(kind, StringComparison.Ordinal) + kind.Length)];
            var names = context.Request.Cookies.Keys.Where(name => name.StartsWith(ofKind, StringComparison.Ordinal)).ToArray();
            foreach (var name in names.SkipLast(AtMost - 1)) context.Response.Cookies.Delete(name, builder.Build(context));
        }
    }
}
