using System.Diagnostics;
using System.Globalization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Net.Http.Headers;

namespace Pulse.Web.Http;

/// <summary>Writes each error answer that earlier writers leave: problem details with a trace id for the logs.</summary>
/// <remarks>The framework's own writer writes a body only for callers that accept JSON or HTML.</remarks>
internal sealed class ProblemWriter : IProblemDetailsWriter
{
    private const int RetryAfterSeconds = 2;

    public bool CanWrite(ProblemDetailsContext context) => true;

    public async ValueTask WriteAsync(ProblemDetailsContext context)
    {
        var problem = Begin(context);
        var http = context.HttpContext;
        problem.Extensions["traceId"] = Activity.Current?.Id ?? http.TraceIdentifier;
        await http.Response.WriteAsJsonAsync(
            problem, ProblemJson.Default.GetTypeInfo(problem.GetType())!, "application/problem+json", http.RequestAborted);
    }

    /// <summary>Sets the status and the headers of an error answer. They are the same for every kind of body.</summary>
    /// <returns>The problem, which always has one of Pulse's own types.</returns>
    public static ProblemDetails Begin(ProblemDetailsContext context)
    {
        var response = context.HttpContext.Response;
        var problem = context.ProblemDetails;
        // The framework's own problems (a bare 404, for example) have a type that names the RFC, or none.
        if (problem.Type?.StartsWith("urn:", StringComparison.Ordinal) != true)
            problem = ProblemTypes.ForStatus(problem.Status ?? response.StatusCode).ToDetails();
        response.StatusCode = problem.Status ?? response.StatusCode;
        response.Headers.CacheControl = "no-store";
        response.Headers.Append(HeaderNames.Vary, HeaderNames.Accept);
        if (response.StatusCode == StatusCodes.Status503ServiceUnavailable)
            response.Headers.RetryAfter = RetryAfterSeconds.ToString(CultureInfo.InvariantCulture);
        return problem;
    }
}
