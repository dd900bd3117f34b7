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

    // The maximum lifetime of a cookie in browsers (RFC 6265bis section 5.5).
    private static readonly TimeSpan s_longest = TimeSpan.FromDays(400);

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
        Remember(context, secret.UserId);
    }

    /// <summary>Deletes the cookie in the browser, and the data that Pulse's scripts have stored there about the cookie's user.</summary>
    /// <param name="context">The request.</param>
    /// <param name="userId">The cookie's user. <see langword="null"/> if the cookie is forged.</param>
    public void Clear(HttpContext context, Guid? userId)
    {
        Prepare(context);
        context.Response.Cookies.Delete(NameFor(context), OptionsFor(context));
        if (userId is { } user) Forget(context, user);
    }

    /// <summary>Has the next page delete the data that Pulse's scripts have stored in the browser about a user.</summary>
    /// <remarks>
    /// <c>Clear-Site-Data</c> is insufficient, because browsers obey it over https only, and at a shared origin it would also clear the
    /// data of other applications.
    /// </remarks>
    public void Forget(HttpContext context, Guid userId)
    {
        var options = OptionsFor(context);
        // The script reads the cookie, and removes it when the data is deleted (forget.ts). The user id is no secret.
        options.HttpOnly = false;
        options.MaxAge = s_longest;
        context.Response.Cookies.Append(ForgetName(context), userId.ToString("D"), options);
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

    // The user has returned before a page ran that script, so the data is the present user's.
    private void Remember(HttpContext context, Guid userId)
    {
        Withdraw(context, $"{ForgetName(context)}={userId:D}");
        if (context.Request.Cookies[ForgetName(context)] == userId.ToString("D")) context.Response.Cookies.Delete(ForgetName(context), OptionsFor(context));
    }

    private string ForgetName(HttpContext context) => $"{NameFor(context)}-forget";

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
        Withdraw(context, $"{NameFor(context)}=");

        // RFC 6265 section 8.3 and RFC 9111 section 7.3: a shared cache would give the cookie to other clients.
        context.Response.Headers.CacheControl = "no-store";
    }

    private static void Withdraw(HttpContext context, string prefix)
    {
        var headers = context.Response.Headers;
        headers.SetCookie = headers.SetCookie.Where(cookie => cookie?.StartsWith(prefix, StringComparison.Ordinal) == false).ToArray();
    }
}
