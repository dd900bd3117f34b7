namespace Pulse.Web.Http;

/// <summary>303 See Other: "go on with a GET there". The framework's redirects are 302 and 307, of which the first leaves the method to the browser.</summary>
/// <param name="path">A path of this program; or, if <paramref name="hasBase"/>, one of the browser's, such as a return URL.</param>
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
