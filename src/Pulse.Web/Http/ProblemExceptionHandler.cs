using Microsoft.AspNetCore.Diagnostics;

namespace Pulse.Web.Http;

/// <summary>
/// Maps exceptions of endpoints to problem details: 503 for an unavailable part, the framework's own status for bad requests, otherwise
/// 500.
/// </summary>
internal sealed partial class ProblemExceptionHandler(ILogger<ProblemExceptionHandler> logger) : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext context, Exception exception, CancellationToken cancellationToken)
    {
        // The client has disconnected, so an answer is useless.
        if (exception is OperationCanceledException && context.RequestAborted.IsCancellationRequested) return true;

        var problem = Classify(exception);
        if (problem.Status == StatusCodes.Status401Unauthorized) problem.Challenge(context.Response);
        await problem.WriteAsync(context);
        return true;
    }

    private ProblemType Classify(Exception exception)
    {
        switch (exception)
        {
            case ProblemException expected:
                return expected.Problem;

            case BadHttpRequestException bad:
                LogBadRequest(bad.StatusCode, bad.Message);
                return ProblemTypes.ForStatus(bad.StatusCode);

            case var away when TransientErrors.IsTransient(away):
                LogUnavailable(exception.GetType().Name, exception.Message);
                return ProblemTypes.Unavailable;

            default:
                LogUnhandled(exception);
                return ProblemTypes.Internal;
        }
    }

    [LoggerMessage(1001, LogLevel.Debug, "Bad request, {Status}: {Reason}")]
    private partial void LogBadRequest(int status, string reason);

    [LoggerMessage(1002, LogLevel.Warning, "Answered 503: {Exception}: {Reason}")]
    private partial void LogUnavailable(string exception, string reason);

    [LoggerMessage(1003, LogLevel.Error, "Answered 500")]
    private partial void LogUnhandled(Exception exception);
}
