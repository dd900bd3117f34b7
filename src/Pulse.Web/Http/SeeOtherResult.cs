namespace Pulse.Web.Http;

/// <summary>
/// 303 See Other, which makes the browser continue with a GET. The framework's redirects are 302 and 307, and 302 leaves the method to the
/// browser.
/// </summary>
/// <param name="path">A path of this program. With <paramref name="hasBase"/>, a path in the browser, such as a return URL.</param>
/// <param name="hasBase">See <see cref="Http.SitePaths"/>.</param>
internal sealed class SeeOtherResult(string path, bool hasBase = false) : IResult
{
    public Task ExecuteAsync(HttpContext httpContext)
    {
        httpContext.Response.StatusCode = StatusCodes.Status303SeeOther;
        httpContext.Response.Headers.Location = hasBase ? path : httpContext.Request.PathBase.Value + path;
        return Task.CompletedTask;
    }
}
