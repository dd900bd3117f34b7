namespace Pulse.Web.Sessions;

/// <summary>The cookie that keeps a browser signed in: where it is found, set and cleared.</summary>
/// <remarks>
/// The <c>__Host-</c> prefix (RFC 6265bis section 4.1.3.2) has the browser see to it that the cookie is Secure, for this host alone and for every
/// path, so that no sibling domain can plant one. That cannot work over plain http; there, and in Development only, it goes by another name.
/// </remarks>
internal sealed class SessionCookie(IHostEnvironment environment, TimeProvider time)
{
    public const string SecureName = "__Host-pulse";
    public const string PlainName = "pulse";

    /// <summary>The cookie's value as sent, or <see langword="null"/> when none was.</summary>
    public string? Read(HttpContext context) => context.Request.Cookies.TryGetValue(NameFor(context), out var value) ? value : null;

    /// <summary>Sets the cookie until then; whatever this answer has said of it before no longer holds.</summary>
    public void Set(HttpContext context, SessionSecret secret, DateTimeOffset expiresAt)
    {
        var options = OptionsFor(context);
        options.MaxAge = expiresAt - time.GetUtcNow();
        Prepare(context);
        context.Response.Cookies.Append(NameFor(context), secret.Text, options);
        if (WasSignedOut(context)) context.Response.Cookies.Delete(SignedOutName(context), OptionsFor(context));
    }

    /// <summary>Has the browser forget the cookie.</summary>
    public void Clear(HttpContext context)
    {
        Prepare(context);
        context.Response.Cookies.Delete(NameFor(context), OptionsFor(context));
    }

    /// <summary>Notes in the browser that a person has signed out.</summary>
    public void MarkSignedOut(HttpContext context)
    {
        var options = OptionsFor(context);
        options.MaxAge = TimeSpan.FromDays(1);
        context.Response.Cookies.Append(SignedOutName(context), "1", options);
    }

    /// <summary>Whether a person has signed out of this browser and not in again.</summary>
    public bool WasSignedOut(HttpContext context) => context.Request.Cookies.ContainsKey(SignedOutName(context));

    private string SignedOutName(HttpContext context) => $"{NameFor(context)}-signed-out";

    /// <summary>Whether the request is plain http, in Development: browsers keep no <c>__Host-</c> cookie there.</summary>
    public bool IsPlain(HttpContext context) => environment.IsDevelopment() && !context.Request.IsHttps;

    private string NameFor(HttpContext context) => IsPlain(context) ? PlainName : SecureName;

    // Lax and not Strict: whoever follows a link from a mail or another site is to arrive signed in. What Lax lets through is GET, which changes nothing.
    private CookieOptions OptionsFor(HttpContext context) => new()
    {
        HttpOnly = true,
        Secure = !IsPlain(context),
        SameSite = SameSiteMode.Lax,
        Path = "/",
        IsEssential = true,
    };

    private void Prepare(HttpContext context)
    {
        var headers = context.Response.Headers;
        var prefix = $"{NameFor(context)}=";
        headers.SetCookie = headers.SetCookie.Where(cookie => cookie?.StartsWith(prefix, StringComparison.Ordinal) == false).ToArray();

        // RFC 6265 section 8.3 and RFC 9111 section 7.3: a shared cache would hand the cookie on.
        headers.CacheControl = "no-store";
    }
}
