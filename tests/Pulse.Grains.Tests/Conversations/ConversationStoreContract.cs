using Microsoft.Extensions.DependencyInjection;
using Pulse.Conversations;
using Pulse.Grains.Conversations;
using Pulse.Grains.Storage;
using Pulse.Grains.Tests.Storage;
using Pulse.Grains.Tests.Users;
using Xunit;

namespace Pulse.Grains.Tests.Conversations;

/// <summary>The chat's tables: what holds on PostgreSQL and on SQLite.</summary>
public abstract partial class ConversationStoreContract(StoresFixture stores) : IAsyncLifetime
{
    private protected static readonly BatchLimits s_limits = BatchLimits.Alone(TimeSpan.FromSeconds(10));

    private ServiceProvider _services = null!;

    protected StoresFixture Stores => stores;

    private protected IConversationStore Store { get; private set; } = null!;

    public Task InitializeAsync()
    {
        _services = new ServiceCollection().AddLogging().AddPulseStores(stores.Options).BuildServiceProvider();
        Store = _services.GetRequiredService<IConversationStore>();
        return Task.CompletedTask;
    }

    public async Task DisposeAsync() => await _services.DisposeAsync();

    [Fact]
    public async Task Create_ASecondTime_ChangesNothing()
    {
        var (id, creator, member) = (Guid.NewGuid(), await AddUserAsync(), await AddUserAsync());
        var start = new ConversationStart { Kind = ConversationKinds.Group, CreatorId = creator, Title = "Team", Members = [member] };

        Assert.True(await Store.CreateAsync(id, start, TestUsers.Noon));
        Assert.False(await Store.CreateAsync(id, start with { Title = "Another" }, TestUsers.Noon));

        var found = (await Store.FindAsync(member, id)).Found!;
        Assert.Equal(("Team", 1L, MemberRoles.Member, 1L), (found.Title, found.Head, found.Role, found.From));
        var entries = await Store.ReadEntriesAsync(creator, id, after: 0, limit: 10);
        Assert.Equal([EntryKinds.Created], entries.Entries.Select(entry => entry.Kind));
    }

    [Fact]
    public async Task Claim_RaisesTheEpoch_AndFencesTheAppendsOfTheEpochBefore()
    {
        var (id, creator) = await CreateAsync();
        var first = await ClaimAsync(id);
        var second = await ClaimAsync(id);

        Assert.Equal(first.Epoch + 1, second.Epoch);
        Assert.Equal(AppendOutcome.Fenced, await AppendAsync(Messages(id, first, creator, 1)));
        Assert.Equal(AppendOutcome.Stored, await AppendAsync(Messages(id, second, creator, 1)));
        Assert.Equal(AppendOutcome.Fenced, await AppendAsync(Messages(id, second, creator, 1))); // The head has moved.
        Assert.Equal(2, (await Store.FindHeadsAsync([id], s_limits))[0]!.Head);
    }

    [Fact]
    public async Task Claim_OnlyOfTheEpochAskedFor()
    {
        var (id, _) = await CreateAsync();
        var claimed = await ClaimAsync(id);

        Assert.Null((await Store.ClaimAsync([new(id, claimed.Epoch - 1)], s_limits))[0]);
        Assert.Equal(claimed.Epoch + 1, (await Store.ClaimAsync([new(id, claimed.Epoch)], s_limits))[0]!.Epoch);
        Assert.Null((await Store.ClaimAsync([new(Guid.NewGuid(), -1)], s_limits))[0]);
    }

    [Fact]
    public async Task Append_OfSeveralConversations_EachSucceedsOrFailsAsAWhole()
    {
        var (good, goodCreator) = await CreateAsync();
        var (known, knownCreator) = await CreateAsync();
        var (fenced, fencedCreator) = await CreateAsync();
        var (claimedGood, claimedKnown, claimedFenced) = (await ClaimAsync(good), await ClaimAsync(known), await ClaimAsync(fenced));
        var earlier = Messages(known, claimedKnown, knownCreator, 1);
        Assert.Equal(AppendOutcome.Stored, await AppendAsync(earlier));
        await ClaimAsync(fenced);

        // Of the run that is known, the first message is new.
        var mixed = Messages(known, claimedKnown with { Head = 2 }, knownCreator, 2);
        mixed.Entries[1] = mixed.Entries[1] with { Entry = mixed.Entries[1].Entry with { ClientId = earlier.Entries[0].Entry.ClientId } };
        var outcomes = await Store.AppendAsync(
            [Messages(good, claimedGood, goodCreator, 3), mixed, Messages(fenced, claimedFenced, fencedCreator, 1), Messages(Guid.NewGuid(), claimedGood, goodCreator, 1)], s_limits);

        Assert.Equal([AppendOutcome.Stored, AppendOutcome.Known, AppendOutcome.Fenced, AppendOutcome.Fenced], outcomes);
        Assert.Equal(4, (await Store.ReadEntriesAsync(goodCreator, good, 0, 10)).Entries.Length);
        Assert.Equal(2, (await Store.ReadEntriesAsync(knownCreator, known, 0, 10)).Entries.Length);
        Assert.Single((await Store.ReadEntriesAsync(fencedCreator, fenced, 0, 10)).Entries);
    }

    [Fact]
    public async Task EditDeleteAndReaction_ChangeTheMessagesRow_AndDeletionEmptiesTheEdits()
    {
        var (id, creator) = await CreateAsync();
        var member = await AddUserAsync();
        var claimed = await ClaimAsync(id);
        var run = new Run(id, claimed, creator);
        run.Add(new() { Kind = EntryKinds.MemberAdded, Body = ConversationBodies.Member(member, "member") }, member, "member", 1);
        var message = run.Add(new() { Kind = EntryKinds.Message, ClientId = Guid.NewGuid(), Body = "first", Mentions = [member] });
        var kept = run.Add(new() { Kind = EntryKinds.Message, ClientId = Guid.NewGuid(), Body = "kept", Mentions = [member] });
        var edit = run.Add(new() { Kind = EntryKinds.Edit, Target = message, Body = "second" });
        run.Add(new() { Kind = EntryKinds.Reaction, Target = message, Body = ConversationBodies.Reaction("👍", true) });
        run.Add(new() { Kind = EntryKinds.Edit, Target = kept, Body = "kept, edited", Mentions = [member] });
        run.Add(new() { Kind = EntryKinds.Reaction, Target = kept, Body = ConversationBodies.Reaction("🎉", true) });
        run.Add(new() { Kind = EntryKinds.Reaction, Target = kept, Body = ConversationBodies.Reaction("👍", true) });
        run.Add(new() { Kind = EntryKinds.Reaction, Target = kept, Body = ConversationBodies.Reaction("👍", false) });
        Assert.Equal(AppendOutcome.Stored, await AppendAsync(run.Done()));
        var before = await Store.ReadMessagesAsync(member, id, new());
        Assert.Equal(["second", "kept, edited"], before.Entries.Select(entry => entry.Body));
        Assert.Equal([[], [member]], before.Entries.Select(entry => entry.Mentions));
        Assert.Equal([new("🎉", 1, false)], before.Entries[1].Reactions);
        Assert.Equal(edit, before.Entries[0].EditedSeq);
        Assert.Equal(new(2, false, 1), await Store.CountUnreadAsync(id, member));

        var deletion = new Run(id, claimed with { Head = run.Head }, creator);
        var deleted = deletion.Add(new() { Kind = EntryKinds.Delete, Target = message, Body = ConversationBodies.Deleted(creator) });
        Assert.Equal(AppendOutcome.Stored, await AppendAsync(deletion.Done()));

        var after = (await Store.ReadMessagesAsync(member, id, new())).Entries[0];
        Assert.Equal((null, deleted, 0, 0), (after.Body, after.DeletedSeq, after.Mentions.Length, after.Reactions.Length));
        var log = (await Store.ReadEntriesAsync(member, id, 0, 100)).Entries;
        Assert.Null(Assert.Single(log, entry => entry.Seq == edit).Body);
        Assert.Equal(Enumerable.Range(1, log.Length).Select(seq => (long)seq), log.Select(entry => entry.Seq));
        Assert.Equal(1, (await Store.CountUnreadAsync(id, member)).Messages);
    }

    [Fact]
    public async Task RemovedMember_SeesNothing_AndReturnsFromTheJoiningOn()
    {
        var (id, creator) = await CreateAsync();
        var member = await AddUserAsync();
        var run = new Run(id, await ClaimAsync(id), creator);
        run.Add(new() { Kind = EntryKinds.MemberAdded, Body = ConversationBodies.Member(member, "member") }, member, "member", 1);
        run.Add(new() { Kind = EntryKinds.Message, ClientId = Guid.NewGuid(), Body = "seen" });
        run.Add(new() { Kind = EntryKinds.MemberRemoved, Body = ConversationBodies.Removed(member, creator) }, member);
        run.Add(new() { Kind = EntryKinds.Message, ClientId = Guid.NewGuid(), Body = "unseen" });
        Assert.Equal(AppendOutcome.Stored, await AppendAsync(run.Done()));

        Assert.Equal((ConversationError.None, ConversationError.NotFound), (await Store.FindRefusalAsync(id, creator), await Store.FindRefusalAsync(id, member)));
        Assert.Equal(ConversationError.NotFound, await Store.FindRefusalAsync(Guid.NewGuid(), creator));
        Assert.Equal(ConversationError.NotFound, (await Store.ReadEntriesAsync(member, id, 0, 10)).Error);
        Assert.Equal(ConversationError.NotFound, (await Store.ReadMessagesAsync(member, id, new())).Error);
        Assert.Equal(ConversationError.NotFound, (await Store.ListMembersAsync(member, id, Guid.Empty, 10, 100)).Error);
        Assert.True((await Store.SyncAsync([new(member, [new(id, 0, 0)])]))[0][0].Gone);
        Assert.Empty(await Store.ListAsync(member, 10, null));
        Assert.Equal(new(member, "member", 4, creator), Assert.Single(await Store.FindMembersAsync(id, [member])));

        var back = new Run(id, (await ClaimAsync(id)), creator);
        var joined = back.Add(new() { Kind = EntryKinds.MemberAdded, Body = ConversationBodies.Member(member, "member") }, member, "member", run.Head + 1);
        Assert.Equal(AppendOutcome.Stored, await AppendAsync(back.Done()));
        Assert.Equal([joined], (await Store.ReadEntriesAsync(member, id, 0, 10)).Entries.Select(entry => entry.Seq));
    }

    [Fact]
    public async Task MarkRead_NeverMovesBack_AndUnreadFollows()
    {
        var (id, creator) = await CreateAsync();
        var reader = await AddUserAsync();
        var run = new Run(id, await ClaimAsync(id), creator);
        run.Add(new() { Kind = EntryKinds.MemberAdded, Body = ConversationBodies.Member(reader, "member") }, reader, "member", 1);
        for (var i = 0; i < 150; i++) run.Add(new() { Kind = EntryKinds.Message, ClientId = Guid.NewGuid(), Body = "text" });
        Assert.Equal(AppendOutcome.Stored, await AppendAsync(run.Done()));
        Assert.Equal(new(100, true, 0), await Store.CountUnreadAsync(id, reader));

        var read = await Store.MarkReadAsync([new(id, reader, 150), new(id, reader, 140), new(id, creator, 140)], s_limits);
        Assert.Equal((150, 140), (read[0], read[2]));
        Assert.Equal(150, (await Store.MarkReadAsync([new(id, reader, 10)], s_limits))[0]);
        Assert.Equal(new(2, false, 0), await Store.CountUnreadAsync(id, reader));
        Assert.Equal(0, (await Store.CountUnreadAsync(id, creator)).Messages);
    }

    [Fact]
    public async Task MarkRead_HiddenAndVisibleMarksTogether_ShowsTheVisibleOne()
    {
        var (id, creator) = await CreateAsync();
        var reader = await AddUserAsync();
        var run = new Run(id, await ClaimAsync(id), creator);
        var joined = run.Add(new() { Kind = EntryKinds.MemberAdded, Body = ConversationBodies.Member(reader, "member") }, reader, "member", 1);
        for (var i = 0; i < 20; i++) run.Add(new() { Kind = EntryKinds.Message, ClientId = Guid.NewGuid(), Body = "text" });
        Assert.Equal(AppendOutcome.Stored, await AppendAsync(run.Done()));
        Assert.Equal((joined, joined), await MarkersAsync());

        await Store.MarkReadAsync([new(id, reader, 5), new(id, reader, 12, IsHidden: true)], s_limits);
        Assert.Equal((12, 5), await MarkersAsync());
        await Store.MarkReadAsync([new(id, reader, 14, IsHidden: true), new(id, reader, 7)], s_limits);
        Assert.Equal((14, 7), await MarkersAsync());
        await Store.MarkReadAsync([new(id, reader, 6)], s_limits);
        Assert.Equal((14, 7), await MarkersAsync());
        await Store.MarkReadAsync([new(id, reader, 14)], s_limits);
        Assert.Equal((14, 14), await MarkersAsync());
        await Store.MarkReadAsync([new(id, reader, 9, IsHidden: true)], s_limits);
        Assert.Equal((14, 14), await MarkersAsync());

        // What the user sees of itself, and what another member sees.
        async Task<(long Own, long Others)> MarkersAsync() => (await MarkerAsync(reader), await MarkerAsync(creator));

        async Task<long> MarkerAsync(Guid asking) =>
            (await Store.ListMembersAsync(asking, id, Guid.Empty, 10, 10)).Members.Single(member => member.User.UserId == reader).Read!.Value;
    }

    [Fact]
    public async Task Messages_PagesMeet_WithoutAGapAndWithoutARepetition()
    {
        var (id, creator) = await CreateAsync();
        var claimed = await ClaimAsync(id);
        Assert.Equal(AppendOutcome.Stored, await AppendAsync(Messages(id, claimed, creator, 25)));

        var newest = await Store.ReadMessagesAsync(creator, id, new() { Limit = 10 });
        var earlier = await Store.ReadMessagesAsync(creator, id, new() { Before = newest.Entries[0].Seq, Limit = 10 });
        var first = await Store.ReadMessagesAsync(creator, id, new() { Before = earlier.Entries[0].Seq, Limit = 10 });
        var forward = await Store.ReadMessagesAsync(creator, id, new() { After = first.Entries[^1].Seq, Limit = 10 });
        var around = await Store.ReadMessagesAsync(creator, id, new() { Around = 12, Limit = 5 });

        Assert.Equal(Enumerable.Range(17, 10).Select(seq => (long)seq), newest.Entries.Select(entry => entry.Seq));
        Assert.Equal((true, false), (newest.HasBefore, newest.HasAfter));
        Assert.Equal((true, true), (earlier.HasBefore, earlier.HasAfter));
        Assert.Equal((5, false, true), (first.Entries.Length, first.HasBefore, first.HasAfter));
        Assert.Equal(earlier.Entries.Select(entry => entry.Seq), forward.Entries.Select(entry => entry.Seq));
        Assert.Equal([10, 11, 12, 13, 14], around.Entries.Select(entry => entry.Seq));
    }

    [Fact]
    public async Task List_IsMostRecentFirst_AndAnEmptyDirectConversationIsItsCreatorsOnly()
    {
        var (one, other) = (await AddUserAsync(), await AddUserAsync());
        var direct = ConversationId.OfPair(one, other);
        await Store.CreateAsync(direct, new() { Kind = ConversationKinds.Direct, CreatorId = one, Members = [other] }, TestUsers.Noon);
        var (group, _) = await CreateAsync(one, TestUsers.Noon.AddMinutes(1));
        Assert.Equal([group, direct], (await Store.ListAsync(one, 10, null)).Select(item => item.Id));
        Assert.Empty(await Store.ListAsync(other, 10, null));

        var run = new Run(direct, await ClaimAsync(direct), one, TestUsers.Noon.AddHours(1));
        run.Add(new() { Kind = EntryKinds.Message, ClientId = Guid.NewGuid(), Body = new string('a', 199) + "😀" });
        Assert.Equal(AppendOutcome.Stored, await AppendAsync(run.Done()));

        var first = Assert.Single(await Store.ListAsync(one, 1, null));
        Assert.Equal(direct, first.Id);
        Assert.Equal(group, Assert.Single(await Store.ListAsync(one, 1, new(first.OrderAt, first.Id))).Id);
        var seen = Assert.Single(await Store.ListAsync(other, 10, null));
        Assert.Equal((one, 1, new string('a', 199)), (seen.Other!.UserId, seen.Unread.Messages, seen.Last!.Body));
    }

    [Fact]
    public async Task Sync_AnswersEachItem_AndSaysWhenTheRestIsTooFar()
    {
        var (near, user) = await CreateAsync();
        var (far, _) = await CreateAsync(user);
        var (same, _) = await CreateAsync(user);
        var (strange, stranger) = await CreateAsync();
        Assert.Equal(AppendOutcome.Stored, await AppendAsync(Messages(near, await ClaimAsync(near), user, 5)));
        Assert.Equal(AppendOutcome.Stored, await AppendAsync(Messages(far, await ClaimAsync(far), user, 600)));

        // Beside calls of others, which change nothing.
        var joined = await Store.SyncAsync(
        [
            new(stranger, [new(strange, 0, 0), new(near, 0, 0)]),
            new(user, [new(near, 2, 0), new(far, 10, 0), new(same, 1, 1), new(strange, 0, 0), new(same, 7, 0), new(Guid.NewGuid(), 0, 0)]),
            new(user, []),
            new(user, [new(near, 5, 0)]),
        ]);
        var answers = joined[1];
        Assert.Equal([(1L, false), (0L, true)], joined[0].Select(answer => (answer.Head, answer.Gone)));
        Assert.Empty(joined[2]);
        Assert.Equal([6], Assert.Single(joined[3]).Entries.Select(entry => entry.Seq));

        Assert.Equal([3, 4, 5, 6], answers[0].Entries.Select(entry => entry.Seq));
        Assert.Equal((true, 0, 601L), (answers[1].TooFar, answers[1].Entries.Length, answers[1].Head));
        Assert.Equal((false, 0, false), (answers[2].TooFar, answers[2].Entries.Length, answers[2].Reset));
        Assert.True(answers[3].Gone);
        Assert.True(answers[4].Reset);
        Assert.True(answers[5].Gone);
    }

    [Fact]
    public async Task Sync_WithTooMuchText_SaysTooFar_AndLeavesTheCallsBesideItAlone()
    {
        var (large, user) = await CreateAsync();
        var (small, _) = await CreateAsync(user);
        var run = new Run(large, await ClaimAsync(large), user);
        for (var i = 0; i < 40; i++) run.Add(new() { Kind = EntryKinds.Message, ClientId = Guid.NewGuid(), Body = new string('\u4e00', 8_000) });
        Assert.Equal(AppendOutcome.Stored, await AppendAsync(run.Done()));

        var answers = await Store.SyncAsync([new(user, [new(large, 1, 0)]), new(user, [new(small, 0, 0), new(large, 40, 0)])]);

        Assert.Equal((true, 0, 41L), Assert.Single(answers[0]) is var far ? (far.TooFar, far.Entries.Length, far.Head) : default);
        Assert.Equal([1, 41], answers[1].SelectMany(answer => answer.Entries).Select(entry => entry.Seq));
    }

    [Fact]
    public async Task Mentions_ByABlockedUser_DoNotCount()
    {
        var (id, creator) = await CreateAsync();
        var member = await AddUserAsync();
        var run = new Run(id, await ClaimAsync(id), creator);
        run.Add(new() { Kind = EntryKinds.MemberAdded, Body = ConversationBodies.Member(member, "member") }, member, "member", 1);
        run.Add(new() { Kind = EntryKinds.Message, ClientId = Guid.NewGuid(), Body = "hello", Mentions = [member] });
        Assert.Equal(AppendOutcome.Stored, await AppendAsync(run.Done()));
        Assert.Equal(1, (await Store.CountUnreadAsync(id, member)).Mentions);

        await Store.SetBlockAsync(member, creator, isBlocked: true);
        Assert.Equal(0, (await Store.CountUnreadAsync(id, member)).Mentions);
        Assert.Equal([creator], (await Store.CheckUsersAsync(member, [creator, Guid.NewGuid()])).Blocked);
        Assert.Equal([member], (await Store.CheckUsersAsync(creator, [member])).Blocked);
        await Store.SetBlockAsync(member, creator, isBlocked: false);
        Assert.Equal(1, (await Store.CountUnreadAsync(id, member)).Mentions);
    }

    [Fact]
    public async Task BlockedUsers_AreListedInPages_ForTheirBlockerAlone()
    {
        var blocker = await AddUserAsync();
        Guid[] blocked = [.. (await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => AddUserAsync()))).Order()];
        foreach (var id in blocked) await Store.SetBlockAsync(blocker, id, isBlocked: true);
        await Store.SetBlockAsync(blocked[0], blocker, isBlocked: true);

        var first = await Store.ListBlockedAsync(blocker, Guid.Empty, limit: 2);
        var second = await Store.ListBlockedAsync(blocker, first.Users[^1].UserId, limit: 2);

        Assert.Equal(blocked[..2], first.Users.Select(user => user.UserId));
        Assert.Equal(blocked[2..], second.Users.Select(user => user.UserId));
        Assert.Equal((true, false), (first.HasMore, second.HasMore));
        Assert.All(first.Users, user => Assert.NotEmpty(user.Name));
    }

    private protected async Task<Claimed> ClaimAsync(Guid id) => (await Store.ClaimAsync([new(id, -1)], s_limits))[0]!;

    private protected async Task<AppendOutcome> AppendAsync(LogRun run) => (await Store.AppendAsync([run], s_limits))[0];

    protected async Task<Guid> AddUserAsync()
    {
        var user = TestUsers.New();
        await stores.Users.InsertAsync(user, account: null);
        return user.Id;
    }

    protected async Task<(Guid Id, Guid Creator)> CreateAsync(Guid? creator = null, DateTimeOffset? at = null)
    {
        var (id, owner) = (Guid.NewGuid(), creator ?? await AddUserAsync());
        Assert.True(await Store.CreateAsync(id, new() { Kind = ConversationKinds.Group, CreatorId = owner, Title = "Group" }, at ?? TestUsers.Noon));
        return (id, owner);
    }

    private protected static LogRun Messages(Guid id, Claimed claimed, Guid sender, int count)
    {
        var run = new Run(id, claimed, sender);
        for (var i = 0; i < count; i++) run.Add(new() { Kind = EntryKinds.Message, ClientId = Guid.NewGuid(), Body = $"message {i}" });
        return run.Done();
    }

    private protected sealed class Run(Guid id, Claimed claimed, Guid sender, DateTimeOffset? at = null)
    {
        private readonly List<NewEntry> _entries = [];

        public long Head => claimed.Head + _entries.Count;

        public long Add(ConversationEntry entry, Guid? userId = null, string? role = null, long? visibleFrom = null)
        {
            var seq = Head + 1;
            _entries.Add(new(entry with { Seq = seq, SenderId = sender, SentAt = at ?? TestUsers.Noon.AddSeconds(seq) }, userId, role, visibleFrom));
            return seq;
        }

        public LogRun Done() => new(id, claimed.Epoch, claimed.Head, [.. _entries]);
    }
}
