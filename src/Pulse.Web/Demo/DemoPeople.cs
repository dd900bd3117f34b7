using Microsoft.Extensions.Options;
using Pulse.Presence;
using Pulse.Users;
using Pulse.Web.Connections;

namespace Pulse.Web.Demo;

/// <summary>Simulates people who connect, disconnect, and change status and message, about one of them a second.</summary>
/// <remarks>They have real leases but lack sockets. This service calls their grains as a front end does, under an id of its own.</remarks>
internal sealed partial class DemoPeople(
    IGrainFactory grains, FrontEndReference reference, IOptions<HubConnectionOptions> options, TimeProvider time, ILogger<DemoPeople> logger)
    : BackgroundService
{
    private const double HereAtFirst = 0.6;
    private static readonly TimeSpan s_longestAbsence = TimeSpan.FromHours(30);
    private static readonly TimeSpan s_shortestPause = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan s_longestPause = TimeSpan.FromMilliseconds(1500);

    private static readonly TimeSpan s_meeting = TimeSpan.FromMinutes(1);

    private static readonly string?[] s_busy = ["In a meeting", "Deep in a review", "On a call", "Presenting", "Pairing, back at noon", null];
    private static readonly string?[] s_away = ["Lunch", "Coffee", "Back in ten minutes", "Picking up the kids", null, null];
    private static readonly string?[] s_online = ["Working from the train", "Ask me about the release", "Tea in hand", "Writing docs", null, null, null];

    private readonly string _frontEndId = $"demo-{Guid.CreateVersion7():N}";
    private readonly Dictionary<DemoPerson, ConnectionLease> _here = [];
    private readonly Dictionary<DemoPerson, DateTimeOffset> _stays = [];
    private readonly TaskCompletionSource _arrived = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // Actions run one at a time, because two would give a person two leases, and one of them would stay for ever.
    private readonly SemaphoreSlim _turn = new(1, 1);
    private volatile HashSet<DemoPerson> _hereNow = [];

    /// <summary>Completes when all of them are users.</summary>
    public Task Arrived => _arrived.Task;

    /// <summary>Those who are connected now.</summary>
    public IReadOnlySet<DemoPerson> Here => _hereNow;

    /// <summary>Connects the person if necessary. The person stays connected for a minute.</summary>
    public Task MeetAsync(DemoPerson person) => InTurnAsync(() =>
    {
        _stays[person] = time.GetUtcNow() + s_meeting;
        return _here.ContainsKey(person) ? Task.CompletedTask : ComeAsync(person);
    });

    public override void Dispose()
    {
        _turn.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            // The silos may not have started yet.
            while (!await TryAsync(ArriveAsync)) await PauseAsync(stoppingToken);
            _arrived.TrySetResult();
            LogArrived(DemoPerson.Everybody.Count);

            var renewAt = time.GetUtcNow() + options.Value.LeaseRenewalInterval;
            while (true)
            {
                await PauseAsync(stoppingToken);
                await TryAsync(() => ActAsync(DemoPerson.Everybody[Random.Shared.Next(DemoPerson.Everybody.Count)]));
                if (time.GetUtcNow() < renewAt) continue;

                await TryAsync(() => Task.WhenAll(_here.Keys.ToArray().Select(person => ShowAsync(person, _here[person].Status, _here[person].Message))));
                renewAt = time.GetUtcNow() + options.Value.LeaseRenewalInterval;
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            await TryAsync(() => Task.WhenAll(_here.Keys.ToArray().Select(LeaveAsync)));
        }
    }

    /// <summary>Creates the users, and connects most of them. The others get a lastSeen in the past.</summary>
    private async Task ArriveAsync()
    {
        await Task.WhenAll(DemoPerson.Everybody.Select(person => User(person).SyncProfileAsync(person.Profile)));
        foreach (var person in DemoPerson.Everybody.Except(_here.Keys))
        {
            if (Random.Shared.NextDouble() < HereAtFirst)
            {
                await ComeAsync(person);
                if (Random.Shared.NextDouble() < 0.5) await ChangeAsync(person);
            }
            else
            {
                // Squared, so that most of the times are recent.
                var lease = NewLease() with { SeenAt = time.GetUtcNow() - s_longestAbsence * Math.Pow(Random.Shared.NextDouble(), 2) };
                await User(person).DisconnectAsync(lease, ConnectionEnd.Closed);
            }
        }
    }

    private Task ActAsync(DemoPerson person) =>
        !_here.ContainsKey(person) ? ComeAsync(person)
        : Random.Shared.NextDouble() < 0.4 && _stays.GetValueOrDefault(person) < time.GetUtcNow() ? LeaveAsync(person)
        : ChangeAsync(person);

    private Task ComeAsync(DemoPerson person)
    {
        var lease = _here[person] = NewLease();
        return User(person).ConnectAsync(lease, reference.Value);
    }

    private Task LeaveAsync(DemoPerson person)
    {
        _here.Remove(person, out var lease);
        return User(person).DisconnectAsync(lease! with { SeenAt = time.GetUtcNow() }, ConnectionEnd.Closed);
    }

    private Task ChangeAsync(DemoPerson person) => Random.Shared.Next(3) switch
    {
        0 => ShowAsync(person, PresenceStatus.Busy, OneOf(s_busy)),
        1 => ShowAsync(person, PresenceStatus.Away, OneOf(s_away)),
        _ => ShowAsync(person, PresenceStatus.Online, OneOf(s_online)),
    };

    /// <summary>Renews the lease with that status.</summary>
    private Task ShowAsync(DemoPerson person, PresenceStatus status, string? message)
    {
        var now = time.GetUtcNow();
        var lease = _here[person] = _here[person] with { Status = status, Message = message, StatusSetAt = now, SeenAt = now, ActiveAt = now };
        return User(person).RenewAsync([lease], reference.Value);
    }

    private ConnectionLease NewLease()
    {
        var now = time.GetUtcNow();
        return new() { ConnectionId = Guid.CreateVersion7().ToString("N"), FrontEndId = _frontEndId, SeenAt = now, StatusSetAt = now, ConnectedAt = now, ActiveAt = now };
    }

    private Task PauseAsync(CancellationToken stoppingToken) =>
        Task.Delay(s_shortestPause + (s_longestPause - s_shortestPause) * Random.Shared.NextDouble(), time, stoppingToken);

    private async Task InTurnAsync(Func<Task> act)
    {
        await _turn.WaitAsync();
        try
        {
            await act();
        }
        finally
        {
            _hereNow = [.. _here.Keys];
            _turn.Release();
        }
    }

    private async Task<bool> TryAsync(Func<Task> act)
    {
        try
        {
            await InTurnAsync(act);
            return true;
        }
        catch (Exception e)
        {
            // For example, the database is unavailable.
            LogFailed(e.GetType().Name);
            return false;
        }
    }

    private IUserGrain User(DemoPerson person) => grains.GetGrain<IUserGrain>(person.Id);

    private static string? OneOf(string?[] messages) => messages[Random.Shared.Next(messages.Length)];

    [LoggerMessage(2400, LogLevel.Information, "--demo: {Count} simulated people connect, disconnect and talk. Open /dashboard to watch them, and /chat to talk with them.")]
    private partial void LogArrived(int count);

    [LoggerMessage(2401, LogLevel.Debug, "An action of a simulated person failed ({Reason}). The next renewal or action repairs the state.")]
    private partial void LogFailed(string reason);
}
