using Microsoft.AspNetCore.Http.HttpResults;
using Pulse.Web.Audit;
using Pulse.Web.Http;

namespace Pulse.Web.Admin;

/// <summary>
/// Writes the audit line of each request that has the right key and is refused. Endpoints write the lines of reads and of changes, those of
/// changes with an unknown outcome included.
/// </summary>
internal sealed class AdminAudit : IEndpointFilter
{
    /// <summary>The filter.</summary>
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext invocation, EndpointFilterDelegate next)
    {
        var context = invocation.HttpContext;
        try
        {
            var result = await next(invocation);
            if (ProblemOf(context, result) is { } problem) WriteRefusal(context, problem);
            return result;
        }
        catch (Exception e) when (HttpMethods.IsGet(context.Request.Method) || !TransientErrors.IsTransient(e))
        {
            WriteRefusal(context, (TransientErrors.IsTransient(e) ? ProblemTypes.Unavailable : ProblemTypes.Internal).Name);
            throw;
        }
    }

    private static string? ProblemOf(HttpContext context, object? result) => result switch
    {
        INestedHttpResult nested => ProblemOf(context, nested.Result),
        ProblemHttpResult { ProblemDetails.Type: { } type } => type[(type.LastIndexOf(':') + 1)..],
        // The framework could not read a parameter.
        _ => context.Response.StatusCode >= StatusCodes.Status400BadRequest ? ProblemTypes.ForStatus(context.Response.StatusCode).Name : null,
    };

    private static void WriteRefusal(HttpContext context, string problem) =>
        context.Audit(AuditEvents.AdminRefused, Guid.TryParse(context.GetRouteValue("id") as string, out var userId) ? userId : null, reason: problem);
}
