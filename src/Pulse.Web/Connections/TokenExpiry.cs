using Pulse.Silo.Clock;

namespace Pulse.Web.Connections;

/// <summary>
/// Enforces the tokens' expiry on open sockets: warns the client once before its token expires, and closes the socket when the token has
/// expired.
/// </summary>
internal sealed partial class TokenExpiry(
    ConnectionRegistry registry, [FromKeyedServices(ClockSetup.WallClock)] TimeProvider time, ILogger<TokenExpiry> logger)
    : BackgroundService
{
    private static readonly TimeSpan s_longestNotice = TimeSpan.FromMinutes(1);

    // One pass over ten thousand sockets takes some microseconds each. A timer per socket would take more memory than the socket's state.
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(1);

    /// <summary>
    /// When the client is warned about a token: a minute before the end, or after two thirds of the remaining time of a token with less
    /// than three minutes.
    /// </summary>
    /// <remarks>
    /// A fixed minute would be the whole life of a short token, so that the client would be warned about each new token at once.
    /// </remarks>
    public static DateTimeOffset WarnAt(DateTimeOffset expiresAt, DateTimeOffset receivedAt)
    {
        if (expiresAt <= receivedAt) return expiresAt;
        var third = (expiresAt - receivedAt) / 3;
        return expiresAt - (third < s_longestNotice ? third : s_longestNotice);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(s_interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                var now = time.GetUtcNow();
                foreach (var connection in registry.Connections)
                {
                    // Fire and forget, because a socket that has stopped reading would keep other sockets open past their time.
                    if (connection.TokenExpiresAt <= now) _ = NotifyAsync(registry.CloseAsync(connection, SessionEndedMessage.TokenExpired));
                    else if (connection.WarnOfExpiryAt <= now && !connection.IsWarnedOfExpiry)
                        _ = NotifyAsync(registry.WarnAsync(connection, now));
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopping. The host closes the sockets.
        }
    }

    private async Task NotifyAsync(Task notification)
    {
        try
        {
            await notification;
        }
        catch (Exception e)
        {
            LogNotifyFailed(e.GetType().Name);
        }
    }

    [LoggerMessage(2130, LogLevel.Debug, "A socket could not be warned about its token ({Reason}).")]
    private partial void LogNotifyFailed(string reason);
}
