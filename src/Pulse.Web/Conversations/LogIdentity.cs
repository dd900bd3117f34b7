using Pulse.Conversations;

namespace Pulse.Web.Conversations;

/// <summary>The id of the database's logs, which <c>Connected</c> carries. Read when the front end starts.</summary>
/// <remarks>Clients can connect while the database is unavailable. The id is then unknown, and <c>Connected</c> lacks it.</remarks>
internal sealed partial class LogIdentity(IGrainFactory grains, TimeProvider time, ILogger<LogIdentity> logger) : BackgroundService
{
    private static readonly TimeSpan s_firstAttempt = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_retryDelay = TimeSpan.FromSeconds(1);

    private readonly TaskCompletionSource _firstAttempt = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private object? _id;

    /// <summary>The id; <see langword="null"/> while it is unknown. Waits for the first attempt to read it, for at most a second.</summary>
    public async ValueTask<Guid?> GetAsync()
    {
        if (!_firstAttempt.Task.IsCompleted) await _firstAttempt.Task.WaitAsync(s_firstAttempt, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return (Guid?)Volatile.Read(ref _id);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested && _id is null)
        {
            try
            {
                Volatile.Write(ref _id, await grains.GetGrain<IConversationReaderGrain>(0).GetLogIdAsync().WaitAsync(stoppingToken));
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                LogLater(e.GetType().Name);
                _firstAttempt.TrySetResult();
                await Task.Delay(s_retryDelay, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (OperationCanceledException)
            {
                break;
            }
        }

        _firstAttempt.TrySetResult();
    }

    [LoggerMessage(2183, LogLevel.Debug, "The id of the logs could not be read ({Reason}). It is read again in a second.")]
    private partial void LogLater(string reason);
}
