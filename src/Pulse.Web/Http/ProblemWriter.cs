using System.Diagnostics;
using System.Globalization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Net.Http.Headers;
using Pulse.Web.Pages;

namespace Pulse.Web.Http;

/// <summary>Writes every error answer: a page for browsers that want one, otherwise problem details with a trace id for the logs.</summary>
/// <remarks>The framework's own writer leaves the body empty for a caller that accepts neither JSON nor HTML.</remarks>
internal sealed class ProblemWriter : IProblemDetailsWriter
{
    private const int RetryAfterSeconds = 2;

    public bool CanWrite(ProblemDetailsContext context) => true;

    public async ValueTask WriteAsync(ProblemDetailsContext context)
    {
        var problem = context.ProblemDetails;
        // The framework's own problems (a bare 404, for example) have a type that names the RFC, or none.
        if (problem.Type?.StartsWith("urn:", StringComparison.Ordinal) != true)
            problem = ProblemTypes.ForStatus(problem.Status ?? context.HttpContext.Response.StatusCode).ToDetails();
        await WriteAsync(context.HttpContext, problem);
    }

    /// <summary>Sets the status and writes the body.</summary>
    public static Task WriteAsync(HttpContext context, ProblemDetails problem)
    {
        var response = context.Response;
        response.StatusCode = problem.Status ?? response.StatusCode;
        response.Headers.CacheControl = "no-store";
        response.Headers.Append(HeaderNames.Vary, HeaderNames.Accept);
        if (response.StatusCode == StatusCodes.Status503ServiceUnavailable)
            response.Headers.RetryAfter = RetryAfterSeconds.ToString(CultureInfo.InvariantCulture);
        if (ErrorPages.Suit(context.Request)) return ErrorPages.WriteAsync(context, problem);

        problem.Extensions["traceId"] = Activity.Current?.Id ?? context.TraceIdentifier;
        return response.WriteAsJsonAsync(problem, PulseJson.Default.GetTypeInfo(problem.GetType())!, "application/problem+json", context.RequestAborted);
    }
}
