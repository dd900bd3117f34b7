using System.Data.Common;
using Pulse.Conversations;
using Pulse.Grains.Storage;

namespace Pulse.Grains.Conversations;

/// <summary>What the stores on PostgreSQL and SQLite have in common: the reads.</summary>
internal abstract class ConversationStore : IConversationStore
{
    /// <summary>How many conversations one user may be a member of.</summary>
    public const int MaxMemberships = 10_000;

    private const int MaxSyncEntries = 500;

    /// <summary>The most text of one answer to a sync, in UTF-16 code units.</summary>
    protected const int MaxSyncText = 256 * 1024;

    /// <summary>The most bytes in UTF-8 for each UTF-16 code unit.</summary>
    protected const int MaxBytesPerUnit = 3;

    // A time after every other, and an id that no conversation has.
    private static readonly ListCursor s_first = new(new(9999, 12, 31, 0, 0, 0, TimeSpan.Zero), Guid.AllBitsSet);

    public abstract Task<bool> CreateAsync(Guid id, ConversationStart start, DateTimeOffset at, CancellationToken cancellationToken = default);

    public abstract Task<Claimed?[]> ClaimAsync(Claim[] claims, BatchLimits limits);

    public abstract Task<AppendOutcome[]> AppendAsync(LogRun[] runs, BatchLimits limits);

    public abstract Task<Claimed?[]> FindHeadsAsync(Guid[] ids, BatchLimits limits);

    public abstract Task<long[]> MarkReadAsync(ReadMark[] marks, BatchLimits limits);

    public async Task<ConversationRow?> LoadAsync(Guid id, CancellationToken cancellationToken = default)
    {
        var members = new List<MemberRow>();
        var rows = await QueryAsync(ConversationSql.Load, [("id", id)], reader =>
        {
            if (!reader.IsDBNull(6)) members.Add(new(reader.GetGuid(6), reader.GetString(7), reader.GetInt64(8), reader.GetInt64(9), reader.GetInt64(10), reader.GetInt64(11)));
            return new ConversationRow(
                reader.GetString(0), ConversationRows.Text(reader, 1), reader.GetString(2), ConversationRows.Time(reader, 3),
                reader.GetFieldValue<DateTimeOffset>(4), reader.GetInt64(5) > 0, members);
        }, cancellationToken);
        return rows.Count == 0 ? null : rows[0];
    }

    public async Task<IReadOnlyList<StoredEntry>> FindEntriesAsync(Guid id, long[] seqs, CancellationToken cancellationToken = default)
    {
        if (seqs.Length == 0) return [];
        var reactions = await QueryAsync(
            ConversationSql.FindReactions, [("id", id), ("seqs", seqs)], reader => (Seq: reader.GetInt64(0), UserId: reader.GetGuid(1), Emoji: reader.GetString(2)),
            cancellationToken);
        var bySeq = reactions.ToLookup(reaction => reaction.Seq, reaction => (reaction.UserId, reaction.Emoji));
        return await QueryAsync<StoredEntry>(ConversationSql.FindEntries, [("id", id), ("seqs", seqs)], reader =>
        {
            var entry = ConversationRows.ReadEntry(reader, 0)!;
            return new(entry, [.. bySeq[entry.Seq]]);
        }, cancellationToken);
    }

    public async Task<IReadOnlyList<StoredEntry>> FindByClientIdsAsync(
        Guid id, (Guid Sender, Guid ClientId)[] keys, CancellationToken cancellationToken = default)
    {
        var found = new List<StoredEntry>();
        foreach (var (sender, client) in keys)
        {
            found.AddRange(await QueryAsync<StoredEntry>(
                ConversationSql.FindByClientId, [("id", id), ("sender", sender), ("client", client)], reader => new(ConversationRows.ReadEntry(reader, 0)!, []),
                cancellationToken));
        }

        return found;
    }

    public async Task<long?> FindReactionAsync(Guid id, Guid sender, long target, string body, CancellationToken cancellationToken = default)
    {
        var rows = await QueryAsync(
            ConversationSql.FindReaction, [("id", id), ("sender", sender), ("target", target), ("body", body)], reader => reader.GetInt64(0), cancellationToken);
        return rows.Count == 0 ? null : rows[0];
    }

    public async Task<long?> FindClosedAsync(Guid id, CancellationToken cancellationToken = default) =>
        await QueryAsync(ConversationSql.FindClosed, [("id", id)], reader => (long?)reader.GetInt64(0), cancellationToken) is [var seq] ? seq : null;

    public async Task<IReadOnlyList<FormerMember>> FindMembersAsync(Guid id, Guid[] userIds, CancellationToken cancellationToken = default) =>
        userIds.Length == 0 ? [] : await QueryAsync<FormerMember>(
            ConversationSql.FindMembers, [("id", id), ("users", userIds)],
            reader => new(reader.GetGuid(0), reader.GetString(1), ConversationRows.Number(reader, 2), reader.IsDBNull(3) ? null : reader.GetGuid(3)), cancellationToken);

    public async Task<ConversationError> FindRefusalAsync(Guid id, Guid userId, CancellationToken cancellationToken = default)
    {
        var errors = await QueryAsync(
            ConversationSql.FindMembership, [("id", id), ("user", userId)],
            reader => reader.IsDBNull(1) ? ConversationRows.NotAMember(reader.GetString(0)) : ConversationError.None, cancellationToken);
        return errors is [var error] ? error : ConversationError.NotFound;
    }

    public async Task<IReadOnlyList<ConversationEntry>> ReadNewestAsync(Guid id, int count, CancellationToken cancellationToken = default) =>
        await QueryAsync(ConversationSql.ReadNewest, [("id", id), ("count", count)], reader => ConversationRows.ReadEntry(reader, 0)!, cancellationToken);

    public async Task<UnreadCount> CountUnreadAsync(Guid id, Guid userId, CancellationToken cancellationToken = default) =>
        (await FindAsync(userId, id, cancellationToken)).Found?.Unread ?? new(0, false, 0);

    public async Task<ConversationSummary[]> ListAsync(Guid userId, int limit, ListCursor? before, CancellationToken cancellationToken = default)
    {
        var cursor = before ?? s_first;
        var rows = await QueryAsync(
            ConversationSql.List, [("user", userId), ("limit", limit), ("at", cursor.At), ("before", cursor.Id)], ConversationRows.ReadSummary, cancellationToken);
        return [.. rows.Select(row => row.Found!)];
    }

    public async Task<ConversationLookup> FindAsync(Guid userId, Guid id, CancellationToken cancellationToken = default)
    {
        var rows = await QueryAsync(ConversationSql.Find, [("user", userId), ("id", id)], ConversationRows.ReadSummary, cancellationToken);
        return rows.Count == 0 ? new(ConversationError.NotFound, null) : rows[0];
    }

    public async Task<ConversationSummary?[]> FindManyAsync(MemberOf[] parts, CancellationToken cancellationToken = default)
    {
        if (parts.Length == 0) return [];
        var rows = await QueryAsync(
            ConversationSql.FindMany,
            [("users", Array.ConvertAll(parts, part => part.UserId)), ("ids", Array.ConvertAll(parts, part => part.ConversationId))],
            reader => (Index: (int)reader.GetInt64(17 + ConversationRows.EntryWidth) - 1, ConversationRows.ReadSummary(reader).Found), cancellationToken);
        var found = new ConversationSummary?[parts.Length];
        foreach (var (index, summary) in rows) found[index] = summary;
        return found;
    }

    public async Task<OwnMessage[]> ReadOwnAsync(Guid userId, Guid conversationId, long afterSeq, int limit, CancellationToken cancellationToken = default)
    {
        var rows = await QueryAsync(
            ConversationSql.ReadOwn, [("user", userId), ("id", conversationId), ("after", afterSeq), ("limit", limit)],
            reader => new OwnMessage(reader.GetGuid(0), ConversationRows.ReadEntry(reader, 1)!), cancellationToken);
        return [.. rows];
    }

    public async Task<OwnMessage[]> ReadOwnAfterAsync(
        Guid userId, Guid conversationId, Guid afterClientId, int limit, CancellationToken cancellationToken = default)
    {
        var found = conversationId == Guid.Empty ? [] : await ReadOwnOfAsync(conversationId, afterClientId, isFirst: false, limit);
        if (found.Count == limit) return [.. found];

        // Each of them has a message at least.
        var others = await QueryAsync(
            ConversationSql.FindOwn, [("user", userId), ("id", conversationId), ("limit", limit)], reader => reader.GetGuid(0), cancellationToken);
        foreach (var other in others.TakeWhile(_ => found.Count < limit)) found.AddRange(await ReadOwnOfAsync(other, Guid.Empty, isFirst: true, limit - found.Count));
        return [.. found];

        Task<List<OwnMessage>> ReadOwnOfAsync(Guid id, Guid after, bool isFirst, int count) => QueryAsync(
            ConversationSql.ReadOwnOf, [("user", userId), ("id", id), ("after", after), ("first", isFirst), ("limit", count)],
            reader => new OwnMessage(reader.GetGuid(0), ConversationRows.ReadEntry(reader, 1)!), cancellationToken);
    }

    public async Task<IReadOnlyList<MemberOf>> ListErasedAsync(Guid? userId, MemberOf? after, int limit, CancellationToken cancellationToken = default) =>
        await QueryAsync(
            userId is null ? ConversationSql.ListErased : ConversationSql.ListErasedOf,
            [("user", userId ?? after?.UserId ?? Guid.Empty), ("id", after?.ConversationId ?? Guid.Empty), ("limit", limit)], ReadMember, cancellationToken);

    public Task DeleteErasedBlocksAsync(Guid? userId, CancellationToken cancellationToken = default) => userId is { } id
        ? ExecuteAsync(ConversationSql.DeleteErasedBlocksOf, [("user", id)], cancellationToken)
        : ExecuteAsync(ConversationSql.DeleteErasedBlocks, [], cancellationToken);

    public async Task<IReadOnlyList<MemberOf>> ListErasuresAsync(CancellationToken cancellationToken = default) =>
        await QueryAsync(ConversationSql.ListErasures, [], ReadMember, cancellationToken);

    public abstract Task<ErasureStep> EraseNextAsync(MemberOf part, Guid worker, int count, BatchLimits limits);

    public async Task<LogPage> ReadEntriesAsync(Guid userId, Guid id, long after, int limit, CancellationToken cancellationToken = default)
    {
        var rows = await QueryAsync(
            ConversationSql.ReadEntries, [("user", userId), ("id", id), ("after", after), ("limit", limit)], reader => LogRow.Read(reader, hasReactions: false),
            cancellationToken);
        return ToPage(rows);
    }

    public async Task<LogPage> ReadMessagesAsync(Guid userId, Guid id, MessageRange range, CancellationToken cancellationToken = default)
    {
        // One more on each side says whether there are more.
        var (pivot, earlier, later) = range switch
        {
            { Before: { } before } => (before, range.Limit, 0),
            { After: { } after } => (after == long.MaxValue ? after : after + 1, 0, range.Limit),
            { Around: { } around } => (around == long.MaxValue ? around : around + 1, (range.Limit / 2) + 1, range.Limit - (range.Limit / 2) - 1),
            _ => (long.MaxValue, range.Limit, 0),
        };
        var rows = await QueryAsync(
            ConversationSql.ReadMessages, [("user", userId), ("id", id), ("pivot", pivot), ("left", earlier + 1), ("right", later + 1)],
            reader => LogRow.Read(reader, hasReactions: true), cancellationToken);
        var page = ToPage(rows);
        var before1 = page.Entries.Count(entry => entry.Seq < pivot);
        var after1 = page.Entries.Length - before1;
        return page with
        {
            Entries = [.. page.Entries.Skip(before1 > earlier ? 1 : 0).SkipLast(after1 > later ? 1 : 0)],
            HasBefore = before1 > earlier,
            HasAfter = after1 > later,
        };
    }

    public async Task<MemberPage> ListMembersAsync(
        Guid userId, Guid id, Guid after, int limit, int receiptsUpTo, CancellationToken cancellationToken = default)
    {
        var rows = await QueryAsync(
            ConversationSql.ListMembers, [("user", userId), ("id", id), ("after", after), ("limit", limit + 1), ("receipts", receiptsUpTo + 1)],
            reader => (
                Kind: reader.GetString(0),
                IsMember: !reader.IsDBNull(1),
                Member: reader.IsDBNull(2) ? null : new ConversationMemberInfo(
                    new(reader.GetGuid(2), ConversationRows.Text(reader, 3) ?? "", ConversationRows.Text(reader, 4)),
                    reader.GetString(5),
                    reader.GetInt64(7) > receiptsUpTo ? null : reader.GetInt64(6))),
            cancellationToken);
        if (rows.Count == 0) return new(ConversationError.NotFound, [], false);
        if (!rows[0].IsMember) return new(ConversationRows.NotAMember(rows[0].Kind), [], false);
        return new(ConversationError.None, [.. rows.Select(row => row.Member).OfType<ConversationMemberInfo>().Take(limit)], rows.Count > limit);
    }

    public async Task<SearchPage> SearchAsync(Guid userId, MessageSearch search, CancellationToken cancellationToken = default)
    {
        var scope = await QueryAsync(
            ConversationSql.SearchScope, [("user", userId), ("id", search.ConversationId ?? Guid.Empty)],
            reader => new SearchedConversation(
                reader.GetGuid(0), reader.GetFieldValue<DateTimeOffset>(1), reader.GetFieldValue<DateTimeOffset>(2), reader.GetInt64(3)), cancellationToken);
        if (scope.Count == 0)
        {
            // A membership that began in between is one that this search does not see yet.
            var error = search.ConversationId is { } id ? (await FindAsync(userId, id, cancellationToken)).Error : ConversationError.None;
            return new(error, [], false);
        }

        var query = SearchQuery.Parse(search.Text);
        if (query.IsEmpty) return new(ConversationError.None, [], false);

        // One more says whether there are more.
        var found = await FindMessagesAsync(userId, search with { Limit = search.Limit + 1 }, query, scope, cancellationToken);
        FoundMessage[] page = [.. found.Messages.Take(search.Limit)];
        var next = found.Messages.Count > search.Limit ? new SearchCursor(page[^1].SentAt, page[^1].ConversationId, page[^1].Seq) : found.Reached;
        return new(
            ConversationError.None,
            Array.ConvertAll(page, message => new SearchHit(message.ConversationId, message.Seq, message.SenderId, message.SentAt, query.Snippet(message.Text))),
            next is not null) { Next = next };
    }

    public async Task<ChannelPage> ListChannelsAsync(Guid userId, ChannelSearch search, CancellationToken cancellationToken = default)
    {
        var rows = await QueryAsync(
            ConversationSql.ListChannels,
            [("user", userId), ("part", search.Title ?? ""), ("title", search.After?.Title ?? ""), ("after", search.After?.Id ?? Guid.Empty), ("limit", search.Limit + 1)],
            reader => new ChannelInfo(reader.GetGuid(0), reader.GetString(1), (int)reader.GetInt64(2), ConversationRows.Time(reader, 3)) { CreatorId = reader.GetGuid(4) },
            cancellationToken);
        return new([.. rows.Take(search.Limit)], rows.Count > search.Limit);
    }

    public async Task<SyncedConversation[][]> SyncAsync(SyncCall[] calls, CancellationToken cancellationToken = default)
    {
        if (calls.All(call => call.Items.Length == 0)) return Array.ConvertAll(calls, _ => Array.Empty<SyncedConversation>());
        var pages = await ReadMissedAsync(calls, MaxSyncEntries, cancellationToken);
        return [.. calls.Zip(pages, (call, found) => AnswerSync(call.Items, found))];
    }

    private static SyncedConversation[] AnswerSync(SyncItem[] items, IReadOnlyList<MissedPage> pages)
    {
        var (entries, text) = (0, 0);
        return [.. items.Zip(pages, (item, page) =>
        {
            if (page.Error != ConversationError.None) return new SyncedConversation { Id = item.Id, Gone = true };
            var missing = page.Head - Math.Max(item.Seq, page.From - 1);
            var size = page.Entries.Sum(entry => entry.Body?.Length ?? 0);
            var fits = missing <= page.Entries.Length && entries + page.Entries.Length <= MaxSyncEntries && text + size <= MaxSyncText;
            if (fits) (entries, text) = (entries + page.Entries.Length, text + size);
            return new SyncedConversation
            {
                Id = item.Id, Head = page.Head, From = page.From, Read = page.Read, Entries = fits ? page.Entries : [],
                TooFar = !fits && missing > 0, Reset = item.Seq > page.Head,
            };
        })];
    }

    public async Task<Guid> GetLogIdAsync(CancellationToken cancellationToken = default) =>
        (await QueryAsync(ConversationSql.LogId, [], reader => reader.GetGuid(0), cancellationToken))[0];

    public async Task<ReachableUsers> CheckUsersAsync(Guid userId, Guid[] others, CancellationToken cancellationToken = default)
    {
        if (others.Length == 0) return new([], []);
        var rows = await QueryAsync(
            ConversationSql.CheckUsers, [("user", userId), ("users", others), ("most", MaxMemberships)],
            reader => (Id: reader.GetGuid(0), IsBlocked: reader.GetInt64(1) > 0, IsFull: reader.GetInt64(2) >= MaxMemberships), cancellationToken);
        return new(
            [.. rows.Select(row => row.Id)], [.. rows.Where(row => row.IsBlocked).Select(row => row.Id)], [.. rows.Where(row => row.IsFull).Select(row => row.Id)]);
    }

    public Task SetBlockAsync(Guid userId, Guid blockedId, bool isBlocked, CancellationToken cancellationToken = default) =>
        ExecuteAsync(isBlocked ? ConversationSql.Block : ConversationSql.Unblock, [("user", userId), ("blocked", blockedId)], cancellationToken);

    public async Task<UserPage> ListBlockedAsync(Guid userId, Guid after, int limit, CancellationToken cancellationToken = default)
    {
        var users = await QueryAsync(
            ConversationSql.ListBlocked, [("user", userId), ("after", after), ("limit", limit + 1)],
            reader => new ConversationUser(reader.GetGuid(0), ConversationRows.Text(reader, 1) ?? "", ConversationRows.Text(reader, 2)), cancellationToken);
        return new([.. users.Take(limit)], users.Count > limit);
    }

    public async Task<ConversationError> SetMutedAsync(Guid userId, Guid id, bool muted, CancellationToken cancellationToken = default)
    {
        var changed = await ExecuteAsync(ConversationSql.SetMuted, [("user", userId), ("id", id), ("muted", muted)], cancellationToken);
        return changed > 0 ? ConversationError.None : (await FindAsync(userId, id, cancellationToken)).Error is var error and not ConversationError.None ? error : ConversationError.NotFound;
    }

    /// <summary>Runs a read that may be repeated.</summary>
    protected abstract Task<List<T>> QueryAsync<T>(
        string sql, (string Name, object Value)[] parameters, Func<DbDataReader, T> read, CancellationToken cancellationToken);

    /// <summary>Runs a write that may be repeated.</summary>
    /// <returns>How many rows it changed.</returns>
    protected abstract Task<int> ExecuteAsync(string sql, (string Name, object Value)[] parameters, CancellationToken cancellationToken);

    /// <summary>The newest messages that match a query, in those conversations of which the user is a member.</summary>
    /// <exception cref="StoreUnavailableException">The time of a search was not enough for a single step.</exception>
    private protected abstract Task<FoundMessages> FindMessagesAsync(
        Guid userId, MessageSearch search, SearchQuery query, IReadOnlyList<SearchedConversation> scope, CancellationToken cancellationToken);

    /// <summary>For each item of each call what follows its seq, at most that many entries for one call; none where that alone is more.</summary>
    protected abstract Task<IReadOnlyList<MissedPage>[]> ReadMissedAsync(SyncCall[] calls, int maxEntries, CancellationToken cancellationToken);

    private static MemberOf ReadMember(DbDataReader reader) => new(reader.GetGuid(0), reader.GetGuid(1));

    private static LogPage ToPage(List<LogRow> rows) => rows switch
    {
        [] => new() { Error = ConversationError.NotFound },
        [{ From: null } first, ..] => new() { Error = ConversationRows.NotAMember(first.Kind) },
        [{ From: { } from } first, ..] => new() { From = from, Head = first.Head, Entries = [.. rows.Select(row => row.Entry).OfType<ConversationEntry>()] },
    };

    /// <summary>What one conversation of a sync holds.</summary>
    protected sealed record MissedPage(ConversationError Error, long Head, long From, long Read, ConversationEntry[] Entries);

    private sealed record LogRow(string Kind, long Head, long? From, ConversationEntry? Entry)
    {
        public static LogRow Read(DbDataReader reader, bool hasReactions)
        {
            var entry = ConversationRows.ReadEntry(reader, 3);

            // An erasure leaves the reactions of other users to the erased messages in the table.
            if (hasReactions && entry is { DeletedSeq: null }) entry = entry with { Reactions = ConversationRows.ReadReactions(reader, 3 + ConversationRows.EntryWidth) };
            return new(reader.GetString(0), reader.GetInt64(1), ConversationRows.Number(reader, 2), entry);
        }
    }
}
