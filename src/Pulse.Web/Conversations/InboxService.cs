using Pulse.Conversations;
using Pulse.Presence;

namespace Pulse.Web.Conversations;

/// <summary>Sends <c>InboxChanged</c> to the sockets of users whose conversations have changed.</summary>
/// <remarks>
/// Silos say for which users a conversation has changed. The item itself is read from the database, in one statement for all users of an interval: it
/// holds numbers that are true at that moment, and former members get none.
/// </remarks>
internal sealed partial class InboxService(
    IGrainFactory grains, ChatSockets sockets, OpenConversations conversations, TimeProvider time, ILogger<InboxService> logger) : BackgroundService, IInboxObserver
{
    private const int MaxParts = 500;

    private static readonly TimeSpan s_registration = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_firstRegistration = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_gathering = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan s_retryDelay = TimeSpan.FromSeconds(1);

    // The statement itself ends within 1.6 s. A silo that has died answers nothing, and the next call may reach another one.
    private static readonly TimeSpan s_callTimeout = TimeSpan.FromSeconds(2);

    private readonly Lock _lock = new();
    private readonly Dictionary<MemberOf, Due> _due = [];
    private readonly SemaphoreSlim _work = new(0, 1);
    private volatile TaskCompletionSource _registered = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private IConversationReaderGrain Reader => grains.GetGrain<IConversationReaderGrain>(0);

    public Task TakeAsync(InboxHint[] hints)
    {
        foreach (var hint in hints)
        {
            conversations.Heal(hint.ConversationId, hint.Head);
            foreach (var userId in hint.Recipients) Add(userId, hint.ConversationId, new(IsOwn: false, hint.IsLarge));
            foreach (var userId in hint.Own) Add(userId, hint.ConversationId, new(IsOwn: true, hint.IsLarge));
        }

        return Task.CompletedTask;
    }

    /// <summary>Waits until the silos know this front end, for at most a second. Changes from then on reach its sockets.</summary>
    public async ValueTask RegisteredAsync()
    {
        if (_registered.Task is { IsCompleted: false } registered) await registered.WaitAsync(s_firstRegistration, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Sends a conversation's newest state to a user that could not take it when it changed.</summary>
    public void SendAgain(Guid userId, Guid conversationId, Due due) => Add(userId, conversationId, due);

    public override void Dispose()
    {
        _work.Dispose();
        base.Dispose();
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(RegisterAsync(stoppingToken), SendAllAsync(stoppingToken));

    private void Add(Guid userId, Guid conversationId, Due due)
    {
        var there = sockets.Of(userId);
        if (there.Count == 0) return;
        if (!due.IsOwn && there.All(socket => socket.HasOpen(conversationId))) return;
        lock (_lock)
        {
            var part = new MemberOf(userId, conversationId);
            _due[part] = due.With(_due.GetValueOrDefault(part));
            if (_work.CurrentCount == 0) _work.Release();
        }
    }

    private async Task SendAllAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                await _work.WaitAsync(stoppingToken);
                await Task.Delay(s_gathering, time, stoppingToken);
                while (Take() is { Length: > 0 } parts) await TrySendAsync(parts, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopping.
        }
    }

    private KeyValuePair<MemberOf, Due>[] Take()
    {
        lock (_lock)
        {
            KeyValuePair<MemberOf, Due>[] parts = [.. _due.Take(MaxParts)];
            foreach (var (part, _) in parts) _due.Remove(part);
            return parts;
        }
    }

    private async Task TrySendAsync(KeyValuePair<MemberOf, Due>[] parts, CancellationToken stoppingToken)
    {
        try
        {
            var found = await Reader.FindManyAsync(Array.ConvertAll(parts, part => part.Key)).WaitAsync(s_callTimeout, time, stoppingToken);
            foreach (var ((part, due), summary) in parts.Zip(found)) Send(part, due, summary);
        }
        catch (Exception e)
        {
            LogReadFailed(e.GetType().Name);
            lock (_lock)
            {
                foreach (var (part, due) in parts) _due[part] = due.With(_due.GetValueOrDefault(part));
            }

            await Task.Delay(s_retryDelay, time, stoppingToken);
        }
    }

    private void Send(MemberOf part, Due due, ConversationSummary? summary)
    {
        var message = summary is null ? null : ChatMessages.InboxChanged([due.IsLarge ? ConversationResponse.From(summary).WithoutCounts() : ConversationResponse.From(summary)]);
        foreach (var socket in sockets.Of(part.UserId))
        {
            // A socket that has the conversation open learns of the removal in the order of the log.
            if (message is null && !socket.HasOpen(part.ConversationId)) socket.WriteGone(part.ConversationId);
            else if (message is not null && (due.IsOwn || !socket.HasOpen(part.ConversationId))) socket.WriteInbox(part.ConversationId, message, due);
        }
    }

    private async Task RegisterAsync(CancellationToken stoppingToken)
    {
        IInboxObserver? reference = null;
        try
        {
            while (true)
            {
                // At once for the first socket, and again for silos that have joined.
                await sockets.FirstAsync(s_registration, stoppingToken);
                if (sockets.Count == 0)
                {
                    // The silos forget this front end, so the next socket waits again.
                    if (_registered.Task.IsCompleted) _registered = new(TaskCreationOptions.RunContinuationsAsynchronously);
                    continue;
                }

                try
                {
                    reference ??= grains.CreateObjectReference<IInboxObserver>(this);
                    var silos = await grains.GetGrain<IPresenceReaderGrain>(0).ListSilosAsync().WaitAsync(s_callTimeout, time, stoppingToken);

                    // Sockets wait only for silos that answer. A silent silo sends its registered front ends nothing either.
                    var isRegistered = await Task.WhenAll(silos.Select(silo => TryRegisterAsync(silo, reference)));
                    if (isRegistered.Contains(true)) _registered.TrySetResult();
                }
                catch (Exception e)
                {
                    LogRegistrationFailed(e.GetType().Name);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopping.
        }
    }

    private async Task<bool> TryRegisterAsync(string silo, IInboxObserver reference)
    {
        try
        {
            await grains.GetGrain<IInboxTableGrain>(silo).RegisterAsync(reference).WaitAsync(s_callTimeout, time);
            return true;
        }
        catch (Exception e)
        {
            LogRegistrationFailed(e.GetType().Name);
            return false;
        }
    }

    /// <summary>What has changed for a member.</summary>
    /// <param name="IsOwn">The member's own part, which reaches all sockets of the user.</param>
    /// <param name="IsLarge">The item has no counts.</param>
    internal readonly record struct Due(bool IsOwn, bool IsLarge)
    {
        public Due With(Due other) => new(IsOwn || other.IsOwn, IsLarge || other.IsLarge);
    }

    [LoggerMessage(2181, LogLevel.Debug, "Changed conversations could not be read ({Reason}). They are read again in a second.")]
    private partial void LogReadFailed(string reason);

    [LoggerMessage(2182, LogLevel.Debug, "A silo did not register this front end ({Reason}). The next registration follows in seconds.")]
    private partial void LogRegistrationFailed(string reason);
}
