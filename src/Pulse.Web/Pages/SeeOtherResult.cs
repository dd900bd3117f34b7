namespace Pulse.Web.Pages;

/// <summary>303 See Other: "go on with a GET there". The framework's redirects are 302 and 307, of which the first leaves the method to the browser.</summary>
/// <param name="path">A path of this site.</param>
internal sealed class SeeOtherResult(string path) : IResult
{
    public Task ExecuteAsync(HttpContext httpContext)
    {
        httpContext.Response.StatusCode = StatusCodes.Status303SeeOther;
        httpContext.Response.Headers.Location = path;
        return Task.CompletedTask;
    }
}
