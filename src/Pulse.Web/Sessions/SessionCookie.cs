namespace Pulse.Web.Sessions;

/// <summary>Reads, sets and clears the cookie that keeps a browser signed in.</summary>
/// <remarks>
/// With the <c>__Host-</c> prefix (RFC 6265bis section 4.1.3.2) the browser guarantees that the cookie is Secure, for this host alone and
/// for every path, so that no sibling domain can plant one. This is impossible over plain http. There, and in Development only, the cookie
/// has another name.
/// </remarks>
internal sealed class SessionCookie(IHostEnvironment environment, TimeProvider time)
{
    public const string SecureName = "__Host-pulse";
    public const string PlainName = "pulse";

    /// <summary>The cookie's value, or <see langword="null"/> if it is missing.</summary>
    public string? Read(HttpContext context) => context.Request.Cookies.TryGetValue(NameFor(context), out var value) ? value : null;

    /// <summary>Sets the cookie until the given time. Replaces earlier headers for it in this answer.</summary>
    public void Set(HttpContext context, SessionSecret secret, DateTimeOffset expiresAt)
    {
        var options = OptionsFor(context);
        options.MaxAge = expiresAt - time.GetUtcNow();
        Prepare(context);
        context.Response.Cookies.Append(NameFor(context), secret.Text, options);
        if (WasSignedOut(context)) context.Response.Cookies.Delete(SignedOutName(context), OptionsFor(context));
    }

    /// <summary>Deletes the cookie in the browser.</summary>
    public void Clear(HttpContext context)
    {
        Prepare(context);
        context.Response.Cookies.Delete(NameFor(context), OptionsFor(context));
    }

    /// <summary>Records in the browser that a person has signed out.</summary>
    public void MarkSignedOut(HttpContext context)
    {
        var options = OptionsFor(context);
        options.MaxAge = TimeSpan.FromDays(1);
        context.Response.Cookies.Append(SignedOutName(context), "1", options);
    }

    /// <summary>Whether a person has signed out of this browser without signing in again.</summary>
    public bool WasSignedOut(HttpContext context) => context.Request.Cookies.ContainsKey(SignedOutName(context));

    private string SignedOutName(HttpContext context) => $"{NameFor(context)}-signed-out";

    /// <summary>Whether the request is plain http in Development, where browsers reject <c>__Host-</c> cookies.</summary>
    public bool IsPlain(HttpContext context) => environment.IsDevelopment() && !context.Request.IsHttps;

    private string NameFor(HttpContext context) => IsPlain(context) ? PlainName : SecureName;

    // Lax instead of Strict, because a person who follows a link from a mail or another site should arrive signed in. Lax allows only GET,
    // which changes nothing.
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

        // RFC 6265 section 8.3 and RFC 9111 section 7.3: a shared cache would give the cookie to other clients.
        headers.CacheControl = "no-store";
    }
}
