namespace Pulse.Web.Presence;

/// <summary>Holds open sockets to their tokens: warns a minute before one runs out, and closes the socket when it has.</summary>
internal sealed partial class TokenExpiry(FrontEnd frontEnd, TimeProvider time, ILogger<TokenExpiry> logger) : BackgroundService
{
    private static readonly TimeSpan Warning = TimeSpan.FromMinutes(1);

    // One pass over ten thousand sockets takes some microseconds each; a timer for each would take more memory than its socket's state.
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                var now = time.GetUtcNow();
                foreach (var connection in frontEnd.Connections)
                {
                    // Not waited for: a socket that does not read must not keep others past their time.
                    if (connection.TokenExpiresAt <= now) _ = TellAsync(frontEnd.CloseAsync(connection, SessionEndedMessage.TokenExpired));
                    else if (connection.TokenExpiresAt - now <= Warning && !connection.IsToldOfExpiry) _ = TellAsync(frontEnd.WarnAsync(connection, now));
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopping: the sockets are closed by the host.
        }
    }

    private async Task TellAsync(Task told)
    {
        try
        {
            await told;
        }
        catch (Exception e)
        {
            LogUntold(e.GetType().Name);
        }
    }

    [LoggerMessage(2130, LogLevel.Debug, "A socket could not be told about its token ({Reason}).")]
    private partial void LogUntold(string reason);
}
