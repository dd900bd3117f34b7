using System.Runtime.CompilerServices;
using System.Text.Json.Serialization;
using Polly;
using Polly.Retry;
using Pulse.Accounts;
using Pulse.Conversations;
using Pulse.Identity;
using Pulse.Presence;
using Pulse.Users;
using Pulse.Web.Http;

namespace Pulse.Web.Users;

/// <summary>All stored data about a user. Times are UTC.</summary>
/// <param name="ExportedAt">When it was read.</param>
/// <param name="User">The profile.</param>
/// <param name="DisabledAt">Time since which an operator has disabled the user. <see langword="null"/> for an enabled user.</param>
/// <param name="Accounts">The accounts with which the user signs in.</param>
/// <param name="UnlinkedAccounts">The accounts that the user has unlinked, so that they do not join by themselves.</param>
/// <param name="Sessions">The live sessions.</param>
/// <param name="Connections">The live connections, which are in memory only.</param>
/// <param name="Notices">The notices to the user.</param>
/// <param name="Messages">The messages that the user has sent, conversation by conversation, in no order within one, read while they are written.</param>
internal sealed record UserExport(
    [property: JsonConverter(typeof(UtcTimeConverter))] DateTimeOffset ExportedAt,
    UserResponse User,
    [property: JsonConverter(typeof(UtcTimeConverter))] DateTimeOffset? DisabledAt,
    ExportedAccount[] Accounts,
    ExportedUnlinkedAccount[] UnlinkedAccounts,
    ExportedSession[] Sessions,
    ConnectionResponse[] Connections,
    ExportedNotice[] Notices,
    IAsyncEnumerable<ExportedMessage> Messages);

/// <summary>One account.</summary>
/// <param name="Id">Id of the account. <see langword="null"/> for an account of an early version.</param>
/// <param name="Type">The kind of account, such as <c>oidc</c>.</param>
/// <param name="Provider">The provider's name, or a trusted issuer's URL.</param>
/// <param name="ProviderAccountId">The user's id at the provider.</param>
/// <param name="Email">The address at the provider, or <see langword="null"/>.</param>
/// <param name="LinkedAt">When it was linked, or <see langword="null"/> if that is unknown.</param>
internal sealed record ExportedAccount(
    Guid? Id, string Type, string Provider, string ProviderAccountId, string? Email,
    [property: JsonConverter(typeof(UtcTimeConverter))] DateTimeOffset? LinkedAt);

/// <summary>One unlinked account.</summary>
/// <param name="Provider">The provider's name, or a trusted issuer's URL.</param>
/// <param name="ProviderAccountId">The user's id at the provider.</param>
/// <param name="UnlinkedAt">When it was unlinked.</param>
internal sealed record ExportedUnlinkedAccount(
    string Provider, string ProviderAccountId, [property: JsonConverter(typeof(UtcTimeConverter))] DateTimeOffset? UnlinkedAt);

/// <summary>One session.</summary>
/// <param name="Id">The token claim <c>sid</c>.</param>
/// <param name="Device">The browser's User-Agent, unchanged.</param>
/// <param name="Address">Client address of the latest known use.</param>
/// <param name="CreatedAt">When the user signed in.</param>
/// <param name="LastUsedAt">Latest known use, accurate to a day.</param>
/// <param name="ExpiresAt">When it expires unless it is used.</param>
internal sealed record ExportedSession(
    Guid Id, string? Device, string? Address,
    [property: JsonConverter(typeof(UtcTimeConverter))] DateTimeOffset CreatedAt,
    [property: JsonConverter(typeof(UtcTimeConverter))] DateTimeOffset LastUsedAt,
    [property: JsonConverter(typeof(UtcTimeConverter))] DateTimeOffset ExpiresAt);

/// <summary>One notice.</summary>
/// <param name="Kind">The kind of event.</param>
/// <param name="Detail">The changed object.</param>
/// <param name="At">Time of the event.</param>
internal sealed record ExportedNotice(string Kind, string? Detail, [property: JsonConverter(typeof(UtcTimeConverter))] DateTimeOffset At);

/// <summary>One message that the user has sent.</summary>
/// <param name="ConversationId">The conversation.</param>
/// <param name="Seq">Its position there.</param>
/// <param name="SentAt">When it was sent.</param>
/// <param name="Text">The newest text.</param>
internal sealed record ExportedMessage(
    Guid ConversationId, long Seq, [property: JsonConverter(typeof(UtcTimeConverter))] DateTimeOffset SentAt, string? Text);

/// <summary>One live connection.</summary>
/// <param name="Id">SignalR's connection id.</param>
/// <param name="ConnectedAt">When it was opened.</param>
/// <param name="ActiveAt">When the client last called.</param>
/// <param name="Status">The status that the client has set.</param>
/// <param name="Message">The user's own message, or <see langword="null"/>.</param>
/// <param name="SessionId">The session of its token. <see langword="null"/> for a token without one.</param>
internal sealed record ConnectionResponse(
    string Id,
    [property: JsonConverter(typeof(UtcTimeConverter))] DateTimeOffset ConnectedAt,
    [property: JsonConverter(typeof(UtcTimeConverter))] DateTimeOffset ActiveAt,
    string Status, string? Message, Guid? SessionId)
{
    /// <summary>The connection as its front end last reported it.</summary>
    public static ConnectionResponse From(ConnectionLease lease) => new(
        lease.ConnectionId, lease.ConnectedAt, lease.ActiveAt, lease.Status.ToString().ToLowerInvariant(), lease.Message, lease.SessionId);
}

/// <summary>Reads exports.</summary>
internal sealed class UserExports(IGrainFactory grains, TimeProvider time)
{
    // 0.2, 0.4, 0.8, 1.6, 3.2 s: the answer has begun, so a page that fails would end it in the middle.
    private readonly ResiliencePipeline _retry = new ResiliencePipelineBuilder { TimeProvider = time }.AddRetry(new RetryStrategyOptions
    {
        ShouldHandle = new PredicateBuilder().Handle<Exception>(TransientErrors.IsTransient),
        BackoffType = DelayBackoffType.Exponential,
        UseJitter = true,
        Delay = TimeSpan.FromMilliseconds(200),
        MaxRetryAttempts = 5,
    }).Build();

    /// <summary>The export of that user. <see langword="null"/> if the user is unknown.</summary>
    /// <exception cref="StoreUnavailableException">The database is unavailable.</exception>
    public async Task<UserExport?> ReadAsync(Guid userId)
    {
        var user = grains.GetGrain<IUserGrain>(userId);
        if (await user.GetProfileAsync() is not { } profile) return null;

        var accounts = await user.ListAccountsAsync();
        var unlinked = await user.ListUnlinkedAccountsAsync();
        var sessions = await grains.GetGrain<IUserSessionsGrain>(userId).ListAsync();
        var connections = await user.ListConnectionsAsync();
        var notices = await grains.GetGrain<INoticesGrain>(userId).ListAsync();
        return new(
            time.GetUtcNow(),
            UserResponse.From(profile),
            profile.DisabledAt,
            Array.ConvertAll(accounts, account => new ExportedAccount(
                account.LinkId, account.Type, account.Provider, account.ProviderAccountId, account.Email, account.LinkedAt)),
            Array.ConvertAll(unlinked, account => new ExportedUnlinkedAccount(account.Provider, account.ProviderAccountId, account.LinkedAt)),
            Array.ConvertAll(sessions, session => new ExportedSession(
                session.Id, session.Device, session.Address, session.CreatedAt, session.LastUsedAt, session.ExpiresAt)),
            Array.ConvertAll(connections, ConnectionResponse.From),
            Array.ConvertAll(notices, notice => new ExportedNotice(notice.Kind.ToString(), notice.Detail, notice.At)),
            ReadMessagesAsync(userId));
    }

    private async IAsyncEnumerable<ExportedMessage> ReadMessagesAsync(Guid userId, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var reader = grains.GetGrain<IConversationReaderGrain>(0);
        var (conversationId, clientId) = (Guid.Empty, Guid.Empty);
        while (await ReadPageAsync() is [.., var last] page)
        {
            foreach (var own in page) yield return new(own.ConversationId, own.Message.Seq, own.Message.SentAt, own.Message.Body);
            (conversationId, clientId) = (last.ConversationId, last.Message.ClientId!.Value);
        }

        async Task<OwnMessage[]> ReadPageAsync() =>
            await _retry.ExecuteAsync(async _ => await reader.ReadOwnAfterAsync(userId, conversationId, clientId), cancellationToken);
    }
}
