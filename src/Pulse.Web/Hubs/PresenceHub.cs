using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.Http.Connections.Features;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.Options;
using Pulse.Presence;
using Pulse.Users;
using Pulse.Web.Audit;
using Pulse.Web.Auth;
using Pulse.Web.Connections;
using Pulse.Web.Conversations;
using Pulse.Web.Http;
using Pulse.Web.Presence;
using Pulse.Web.Profiles;
using Pulse.Web.Tokens;

namespace Pulse.Web.Hubs;

/// <summary>The socket: reports the begin and end of a connection to the user's grain, and handles the client's calls.</summary>
/// <remarks>
/// Errors are <see cref="HubException"/>s whose text begins with a stable code and a colon. Once the connection is being closed, the code
/// of each call's error is <see cref="SessionEndedMessage.Reason"/>.
/// </remarks>
[Authorize]
internal sealed class PresenceHub(
    ConnectionRegistry registry, PresenceWatches watches, LookupLimit lookups, IPresencePolicy policy, Callers callers, UserAccess access, TokenValidator tokens,
    GracefulCloseTracker closes, HubChat chat, IOptions<HubConnectionOptions> options, Drain drain, IHostApplicationLifetime lifetime, TimeProvider time)
    : Hub<IPulseClient>
{
    private const int MaxMessageLength = 140;

    private LiveConnection Connection => Context.Features.Get<LiveConnection>()!;

    public override async Task OnConnectedAsync()
    {
        var caller = callers.Read(Context.User!);
        if (await callers.FindUserIdAsync(caller) is not { } userId)
        {
            if (await access.ExplainMissingUserAsync(caller) == ProblemTypes.UserErased) throw await RefuseAsync(ProblemTypes.UserErased, userId: null);
            Context.GetHttpContext()?.Audit(AuditEvents.ConnectRefused, provider: caller.Issuer, reason: "not-synced");
            throw new HubException("user-not-synced: this token's user is not known here yet. Call POST /auth/sync with it, then connect again.");
        }

        var connection = new LiveConnection(Context, userId, caller, time.GetUtcNow());
        // Set before the lease is taken, so that an invisible user is never visible for a moment.
        if (PresenceResponse.ParseStatus(Context.GetHttpContext()?.Request.Query["status"]) is { } status) connection.SetStatus(status, null, time.GetUtcNow());
        Context.Features.Set(connection);
        Context.Features.Set(new WatchList());
        var logId = await chat.ConnectAsync(Context, connection);
        try
        {
            await registry.ConnectAsync(connection, PreviousConnection.Read(Context.GetHttpContext()?.Request));
        }
        catch (Exception exception)
        {
            // SignalR reports no disconnect for a connection whose start failed.
            chat.Disconnect(Context);
            if (exception is not UserRefusedException refused) throw;
            throw await RefuseAsync(refused.State == UserState.Disabled ? ProblemTypes.UserDisabled : ProblemTypes.UserErased, userId);
        }

        await Clients.Caller.Connected(new(userId, Context.ConnectionId, (int)options.Value.HeartbeatInterval.TotalSeconds, logId));
        _ = registry.GreetedAsync(connection);
        HubChat.Begin(Context);

        // A connection that was admitted before may be too late for the drain's list of sockets.
        if (drain.IsClosed) _ = registry.CloseAsync(connection, SessionEndedMessage.ServerStopping);
    }

    public override async Task OnDisconnectedAsync(Exception? exception)
    {
        if (Context.Features.Get<LiveConnection>() is not { } connection) return;

        chat.Disconnect(Context);
        if (HubFlow.Current is { IsCutOff: true }) Context.GetHttpContext()?.Audit(AuditEvents.ConnectionCutOff, connection.UserId);
        var how = HowItEnded(connection, exception, out var isSilent);
        // A connection that SignalR closed for its timeout was last active before that timeout.
        var now = time.GetUtcNow();
        var seenAt = isSilent ? now - HubEndpoint.ClientTimeout : now;
        if (seenAt < connection.ConnectedAt) seenAt = connection.ConnectedAt;
        // The lease ends first, because it must end whatever happens to the watches.
        await Task.WhenAll(registry.DisconnectAsync(connection, seenAt, how), watches.RemoveConnectionAsync(connection));
    }

    /// <summary>Marks the client as active. Answered at once, because the front end itself renews the lease.</summary>
    /// <exception cref="HubException"><c>too-many-calls</c>: slow down. A retry after a second can help.</exception>
    public void Heartbeat() => CountCall();

    /// <summary>
    /// Sends these users' presence changes from now on, by <see cref="IPresenceClient.PresenceChanged"/>. Watching a user twice counts
    /// once.
    /// </summary>
    /// <param name="userIds">Hyphenated UUIDs.</param>
    /// <returns>The present presence of each, in that order.</returns>
    /// <exception cref="HubException"><c>invalid-argument</c>, <c>too-many-watched</c>, <c>too-many-lookups</c>: all users of this call
    /// stay unwatched. <c>unavailable</c>, <c>too-many-calls</c>.</exception>
    public async Task<PresenceResponse[]> WatchPresence(string[]? userIds)
    {
        CountCall();
        var ids = ParseIds(userIds);
        CountIds(ids.Length);
        var connection = Connection;
        if (WatchList.Of(connection).CountWatched(ids) > PresenceWatches.MaxPerConnection)
        {
            throw new HubException(
                $"too-many-watched: a connection may watch {PresenceWatches.MaxPerConnection} users. Unwatch some first, or watch them on another connection.");
        }

        // Only a connection that may see a user gets changes. The policy is asked again later (PolicyRenewal).
        var answers = Array.ConvertAll(ids, PresenceResponse.Hidden);
        var visible = new List<int>(ids.Length);
        for (var i = 0; i < ids.Length; i++)
        {
            if (ids[i] == connection.UserId || await policy.MaySeeAsync(connection.UserId, ids[i], Context.ConnectionAborted)) visible.Add(i);
            else watches.Hide(connection, ids[i]);
        }

        var presences = await watches.WatchAsync(connection, [.. visible.Select(i => ids[i])]);
        foreach (var (i, presence) in visible.Zip(presences)) answers[i] = PresenceResponse.For(connection.UserId, presence);

        return answers;
    }

    /// <summary>Ends watches. Ids of unwatched users are ignored.</summary>
    /// <exception cref="HubException"><c>invalid-argument</c>, <c>too-many-lookups</c>, <c>too-many-calls</c>.</exception>
    public void UnwatchPresence(string[]? userIds)
    {
        CountCall();
        var ids = ParseIds(userIds);
        CountIds(ids.Length);
        foreach (var id in ids) watches.Unwatch(Connection, id);
    }

    /// <summary>Sets the status of this connection. The user's other connections count too.</summary>
    /// <param name="status"><c>online</c>, <c>away</c>, <c>busy</c> or <c>invisible</c>.</param>
    /// <param name="message">At most 140 characters. <see langword="null"/> or empty removes it.</param>
    /// <exception cref="HubException"><c>invalid-argument</c>, <c>unavailable</c>, <c>too-many-calls</c>.</exception>
    public Task SetStatus(string? status, string? message)
    {
        CountCall();
        var parsed = PresenceResponse.ParseStatus(status)
            ?? throw new HubException("invalid-argument: status is one of online, away, busy, invisible.");
        // As in names: marks are harmless, and control characters rewrite the text around the message.
        if (message is not null) message = ProfileRules.WithoutMarks(message);
        if (message is { Length: > MaxMessageLength } || ProfileRules.HasControls(message))
        {
            throw new HubException(
                $"invalid-argument: message has at most {MaxMessageLength} characters, and no control characters, line breaks or text direction controls.");
        }

        if (!Connection.TrySpendStatus(time.GetUtcNow()))
        {
            throw new HubException($"too-many-calls: SetStatus is allowed {LiveConnection.StatusesPerSecond} times a second. Set the last one again in a second.");
        }

        Connection.SetStatus(parsed, string.IsNullOrWhiteSpace(message) ? null : message, time.GetUtcNow());
        return registry.UpdateAsync(Connection);
    }

    /// <summary>Replaces the expiring token by a new one of the same user.</summary>
    /// <exception cref="HubException"><c>invalid-token</c>: the connection keeps its present token. <c>unavailable</c>,
    /// <c>too-many-calls</c>.</exception>
    public async Task Reauthenticate(string? accessToken)
    {
        CountCall();
        var validation = await tokens.ValidateAsync(accessToken);
        if (validation.Failure is { } failure) Context.GetHttpContext()?.Audit(AuditEvents.TokenRefused, reason: TokenFailure.Reason(failure));
        if (validation.Principal is null) throw new HubException($"invalid-token: {TokenFailure.Describe(validation.Failure!)} Get a new one and retry.");

        var caller = callers.Read(validation.Principal);
        if (await access.FindRefusalAsync(caller) is { } refusal) throw new HubException($"invalid-token: {refusal.Title}");
        if (await callers.FindUserIdAsync(caller) != Connection.UserId)
        {
            Context.GetHttpContext()?.Audit(AuditEvents.TokenRefused, reason: "another-users");
            throw new HubException("invalid-token: the token is another user's. Close this connection and open one for them.");
        }

        Connection.Reauthorize(caller, time.GetUtcNow());
        await registry.UpdateAsync(Connection);
    }

    /// <summary>What the client missed in many conversations.</summary>
    /// <exception cref="HubException"><c>invalid-argument</c>, <c>unavailable</c>, <c>too-many-calls</c>.</exception>
    public Task<SyncResponse[]> SyncConversations(SyncRequest[]? items)
    {
        CountCall();
        return chat.SyncAsync(Connection.UserId, items);
    }

    /// <summary>Opens a conversation: the answer holds what follows <paramref name="afterSeq"/>, and <c>EntriesAdded</c> what comes after its head.</summary>
    /// <exception cref="HubException"><c>not-found</c>, <c>not-a-member</c>, <c>too-many-open</c>, <c>invalid-argument</c>, <c>unavailable</c>, <c>too-many-calls</c>.</exception>
    public Task<OpenResponse> OpenConversation(string? id, long afterSeq)
    {
        CountCall();
        return chat.OpenAsync(Context, id, afterSeq);
    }

    /// <summary>Closes a conversation. A call for a closed conversation is ignored.</summary>
    public void CloseConversation(string? id)
    {
        CountCall();
        chat.Close(Context, id);
    }

    /// <summary>Sends a message. Returns after the commit.</summary>
    /// <exception cref="HubException">The codes of <c>POST /conversations/{id}/messages</c>.</exception>
    public Task<SentResponse> SendMessage(string? id, SendMessageRequest? message)
    {
        CountCall();
        return chat.SendAsync(Connection.UserId, id, message);
    }

    /// <summary>Replaces the text of the caller's message.</summary>
    /// <exception cref="HubException">The codes of <c>PATCH /conversations/{id}/messages/{seq}</c>.</exception>
    public Task<SeqResponse> EditMessage(string? id, long seq, EditMessageRequest? edit)
    {
        CountCall();
        return chat.EditAsync(Connection.UserId, id, seq, edit);
    }

    /// <summary>Deletes a message.</summary>
    /// <exception cref="HubException">The codes of <c>DELETE /conversations/{id}/messages/{seq}</c>.</exception>
    public Task<SeqResponse> DeleteMessage(string? id, long seq)
    {
        CountCall();
        return chat.DeleteAsync(Connection.UserId, id, seq);
    }

    /// <summary>Adds a reaction to a message, or removes it.</summary>
    /// <exception cref="HubException">The codes of <c>PUT /conversations/{id}/messages/{seq}/reactions/{emoji}</c>.</exception>
    public Task<SeqResponse> React(string? id, long seq, string? emoji, bool on)
    {
        CountCall();
        return chat.ReactAsync(Connection.UserId, id, seq, emoji, on);
    }

    /// <summary>Moves the caller's read marker forward. Returns after the commit.</summary>
    /// <exception cref="HubException">The codes of <c>PUT /conversations/{id}/read</c>.</exception>
    public Task<ReadResponse> MarkRead(string? id, long seq)
    {
        CountCall();
        return chat.MarkReadAsync(Connection.UserId, id, seq);
    }

    /// <summary>Shows the caller as typing for 6 seconds, to those who have the conversation open.</summary>
    /// <exception cref="HubException"><c>not-found</c>, <c>not-a-member</c>, <c>read-only</c>, <c>unavailable</c>, <c>too-many-calls</c>.</exception>
    public Task Typing(string? id)
    {
        CountCall();
        return chat.TypeAsync(Connection.UserId, id);
    }

    // A client of the package ends with this message. The error's text is for other clients.
    private async Task<HubException> RefuseAsync(ProblemType refusal, Guid? userId)
    {
        Context.GetHttpContext()?.Audit(AuditEvents.UserRefused, userId, reason: refusal.Name);
        await Clients.Caller.SessionEnded(SessionEndedMessage.UserRemoved);
        return new($"{refusal.Name}: {refusal.Title} {refusal.Advice}");
    }

    private void CountCall()
    {
        if (Connection.EndedBecause is { } because) throw new HubException($"{because.Reason}: the server is closing this connection.");
        Connection.NoteCall(time.GetUtcNow());
        if (HubFlow.Current is { IsOverLimit: true })
            throw new HubException("too-many-calls: one Heartbeat() per heartbeatSeconds is enough. Slow down and continue.");
    }

    private void CountIds(int count)
    {
        if (lookups.Spend(Connection.UserId, count) is > 0 and var retryAfter) throw new HubException($"too-many-lookups: {LookupLimit.Explain(retryAfter)}");
    }

    /// <summary>
    /// A goodbye means that the user disconnected on purpose. A client may return soon if its page is reloaded or closed, its network
    /// broke, or its server stops.
    /// </summary>
    private ConnectionEnd HowItEnded(LiveConnection connection, Exception? exception, out bool isSilent)
    {
        isSilent = exception is OperationCanceledException;
        if (connection.EndedBecause is { } because) return because.MayReconnect ? ConnectionEnd.Dropped : ConnectionEnd.Closed;
        if (exception is not null || lifetime.ApplicationStopping.IsCancellationRequested) return ConnectionEnd.Dropped;
        var http = Context.GetHttpContext();
        switch (Context.Features.Get<IHttpTransportFeature>()?.TransportType)
        {
            case HttpTransportType.LongPolling:
                // A missing goodbye means that the client has stopped polling, and SignalR has waited for the next poll.
                isSilent = !closes.Take(http);
                return isSilent ? ConnectionEnd.Dropped : ConnectionEnd.Closed;
            case HttpTransportType.ServerSentEvents:
                return closes.Take(http) ? ConnectionEnd.Closed : ConnectionEnd.Dropped;
            default:
                return http?.Features.Get<SocketClosure>() is { IsBroken: true } ? ConnectionEnd.Dropped : ConnectionEnd.Closed;
        }
    }

    private static Guid[] ParseIds(string[]? userIds)
    {
        if (userIds is null or { Length: 0 }) throw new HubException("invalid-argument: userIds is a list of one or more user ids.");
        if (userIds.Length > PresenceWatches.MaxPerConnection)
        {
            throw new HubException($"too-many-watched: at most {PresenceWatches.MaxPerConnection} users; there are {userIds.Length}.");
        }

        return Array.ConvertAll(userIds, text => Caller.ParseUserId(text)
            ?? throw new HubException("invalid-argument: each of userIds is a hyphenated UUID."));
    }
}
