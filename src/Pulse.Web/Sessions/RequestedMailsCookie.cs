namespace Pulse.Web.Sessions;

/// <summary>The cookie with the sign-in mails that a browser has requested. Sign-in writes and reads its value.</summary>
internal sealed class RequestedMailsCookie(SessionCookie session)
{
    /// <summary>The protected value, if the browser has sent one.</summary>
    public string? Read(HttpContext context) => context.Request.Cookies.TryGetValue(Name(context), out var value) && value.Length > 0 ? value : null;

    /// <summary>Sets the value for that time.</summary>
    public void Set(HttpContext context, string value, TimeSpan maxAge)
    {
        var options = Options(context);
        options.MaxAge = maxAge;
        context.Response.Cookies.Append(Name(context), value, options);
    }

    /// <summary>Deletes the cookie of a browser that has sent one.</summary>
    public void Clear(HttpContext context)
    {
        if (Read(context) is not null) context.Response.Cookies.Delete(Name(context), Options(context));
    }

    private string Name(HttpContext context) => session.IsPlain(context) ? "pulse-mail" : "__Host-pulse-mail";

    // Lax, because links in a web mail client come from another site.
    private CookieOptions Options(HttpContext context) => new()
    {
        HttpOnly = true,
        Secure = !session.IsPlain(context),
        SameSite = SameSiteMode.Lax,
        Path = "/",
        IsEssential = true,
    };
}
