using System.Reflection;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Pulse.Conversations;
using Pulse.Grains.Conversations;
using Pulse.Grains.Storage;
using Pulse.Grains.Tests.Users;
using Xunit;

namespace Pulse.Grains.Tests.Conversations;

/// <summary>Erased members, their texts and their export: what holds on PostgreSQL and on SQLite.</summary>
public abstract partial class ConversationStoreContract
{
    [Fact]
    public async Task Erasure_OfManyMessages_HidesTheTextsAtOnce_AndStepsEmptyThemUnnoticed()
    {
        var talk = await TalkAsync();
        var left = $"SELECT count(*) FROM entries WHERE conversation_id = '{talk.Id}' AND sender_id = '{talk.Erased}' AND kind IN ('message', 'edit') AND body IS NOT NULL";

        var erasedSeq = await AppendErasureAsync(talk);

        var view = await ViewAsync(talk);
        Assert.DoesNotContain("secret", view, StringComparison.Ordinal);
        var messages = await Store.ReadMessagesAsync(talk.Reader, talk.Id, new() { After = 0, Limit = 100 });
        Assert.All(messages.Entries, message => Assert.Equal((null, 0, 0), (message.Body, message.Mentions.Length, message.Reactions.Length)));
        Assert.Equal([erasedSeq, talk.DeletedSeq], messages.Entries.Select(message => message.DeletedSeq!.Value).Distinct().OrderDescending());
        Assert.Equal(new(0, false, 0), (await Store.FindAsync(talk.Reader, talk.Id)).Found!.Unread with { More = false });
        Assert.Empty(await SearchAsync(talk.Reader, "secret"));
        Assert.Empty(await Store.FindMembersAsync(talk.Id, [talk.Erased]));

        // Most texts are still there, and each step empties some.
        Assert.InRange((long)(await Stores.ExecuteAsync(left))!, 100, 400);
        var (steps, worker) = (0, Guid.NewGuid());
        while (await Store.EraseNextAsync(new(talk.Erased, talk.Id), worker, 10, s_limits) is var step and not ErasureStep.Done)
        {
            Assert.Equal(ErasureStep.More, step);
            if (steps++ % 8 == 0) Assert.Equal(view, await ViewAsync(talk));
            Assert.InRange(steps, 1, 100);
        }

        Assert.InRange(steps, 15, 100);
        Assert.Equal(view, await ViewAsync(talk));
        Assert.Equal(0L, await Stores.ExecuteAsync(left));
        Assert.Equal(0L, await Stores.ExecuteAsync($"SELECT count(*) FROM mentions WHERE conversation_id = '{talk.Id}'"));
        Assert.Equal(0L, await Stores.ExecuteAsync($"SELECT count(*) FROM reactions WHERE conversation_id = '{talk.Id}' AND user_id = '{talk.Erased}'"));
        Assert.DoesNotContain(new(talk.Erased, talk.Id), await Store.ListErasuresAsync());
        Assert.Equal(ErasureStep.Done, await Store.EraseNextAsync(new(talk.Erased, talk.Id), worker, 10, s_limits));
    }

    [Fact]
    public async Task Erasure_OfOneUser_LeavesOtherErasedUsersToTheJob_WhichGoesOnAfterAConversationThatFails()
    {
        var (one, other) = (await TalkAsync(), await TalkAsync());
        var (second, _) = await CreateAsync(one.Erased);
        foreach (var user in new[] { one.Erased, other.Erased }) await Stores.Users.EraseAsync(user, [], [], TestUsers.Noon);
        await Store.SetBlockAsync(other.Erased, one.Erased, isBlocked: true);
        var grains = FakeGrains.Around(Store);
        var members = new ErasedMembers(Store, grains, TimeProvider.System, NullLogger<ErasedMembers>.Instance);

        // The conversation that comes first fails.
        var failing = new[] { one.Id, second }.MinBy(id => id.ToString());
        ((FakeGrains)(object)grains).Fails = failing;
        await Assert.ThrowsAsync<StoreUnavailableException>(() => members.EraseAsync(one.Erased));
        Assert.Equal([failing], (await Store.ListErasedAsync(one.Erased, null, 10)).Select(part => part.ConversationId));
        ((FakeGrains)(object)grains).Fails = null;
        await members.EraseAsync(one.Erased);

        Assert.Empty(await Store.ListErasedAsync(one.Erased, null, 10));
        Assert.Contains(new(other.Erased, other.Id), await Store.ListErasedAsync(null, null, 1_000));
        Assert.Contains("secret", (await Store.ReadMessagesAsync(other.Reader, other.Id, new() { After = 0 })).Entries[0].Body, StringComparison.Ordinal);

        ((FakeGrains)(object)grains).Fails = other.Id;
        await Assert.ThrowsAsync<StoreUnavailableException>(() => members.EraseAllAsync());
        Assert.Equal([], (await Store.ListErasuresAsync()).Where(part => part.UserId == one.Erased));
        ((FakeGrains)(object)grains).Fails = null;
        await members.EraseAllAsync();
        Assert.Empty(await Store.ListErasedAsync(null, null, 10));
        Assert.Empty(await Store.ListErasuresAsync());
        Assert.Equal(0L, await Stores.ExecuteAsync(
            $"SELECT count(*) FROM entries WHERE conversation_id IN ('{one.Id}', '{other.Id}') AND body LIKE '%secret%'"));
    }

    [Fact]
    public async Task ReadOwn_InPages_GivesEachMessageOnce()
    {
        var user = await AddUserAsync();
        var sent = new List<(Guid Id, long Seq)>();
        for (var i = 0; i < 4; i++)
        {
            var (id, creator) = await CreateAsync();
            var claimed = await ClaimAsync(id);
            var joins = new Run(id, claimed, creator);
            joins.Add(new() { Kind = EntryKinds.MemberAdded, Body = ConversationBodies.Member(user, "member") }, user, "member", 1);
            joins.Add(new() { Kind = EntryKinds.Message, ClientId = Guid.NewGuid(), Body = "not own" });
            Assert.Equal(AppendOutcome.Stored, await AppendAsync(joins.Done()));
            var run = new Run(id, claimed with { Head = joins.Head }, user);

            // One of the conversations is without messages, and one client id is the first of all in order.
            for (var n = 0; n < 5 * i; n++)
                sent.Add((id, run.Add(new() { Kind = EntryKinds.Message, ClientId = n == 0 ? Guid.Empty : Guid.NewGuid(), Body = "own" })));
            var deleted = run.Add(new() { Kind = EntryKinds.Message, ClientId = Guid.NewGuid(), Body = "deleted" });
            run.Add(new() { Kind = EntryKinds.Delete, Target = deleted, Body = ConversationBodies.Deleted(user) });
            run.Add(new() { Kind = EntryKinds.MemberRemoved, Body = ConversationBodies.Removed(user, user) }, user);
            Assert.Equal(AppendOutcome.Stored, await AppendAsync(run.Done()));
        }

        var found = new List<(Guid Id, long Seq)>();
        var (conversationId, clientId) = (Guid.Empty, Guid.Empty);
        while (await Store.ReadOwnAfterAsync(user, conversationId, clientId, 4) is [.., var last] page)
        {
            Assert.InRange(page.Length, 1, 4);
            Assert.All(page, own => Assert.Equal("own", own.Message.Body));
            found.AddRange(page.Select(own => (own.ConversationId, own.Message.Seq)));
            (conversationId, clientId) = (last.ConversationId, last.Message.ClientId!.Value);
        }

        Assert.Equal(sent.Order(), found.Order());
    }

    /// <summary>A conversation in which a member that will be erased has written more than one step empties.</summary>
    private protected async Task<ErasedTalk> TalkAsync()
    {
        var (id, erased) = await CreateAsync();
        var (claimed, reader) = (await ClaimAsync(id), await AddUserAsync());
        var run = new Run(id, claimed, erased);
        run.Add(new() { Kind = EntryKinds.MemberAdded, Body = ConversationBodies.Member(reader, "member") }, reader, "member", 1);
        var first = run.Add(new() { Kind = EntryKinds.Message, ClientId = Guid.NewGuid(), Body = "secret first" });
        var deleted = run.Add(new() { Kind = EntryKinds.Message, ClientId = Guid.NewGuid(), Body = "secret deleted" });
        var clientId = Guid.NewGuid();
        run.Add(new() { Kind = EntryKinds.Message, ClientId = clientId, Body = "secret found by its client id" });
        for (var i = 0; i < 220; i++) run.Add(new() { Kind = EntryKinds.Message, ClientId = Guid.NewGuid(), Body = $"secret {i}", Mentions = i % 3 == 0 ? [reader] : [] });
        for (var i = 0; i < 130; i++) run.Add(new() { Kind = EntryKinds.Edit, Target = first, Body = $"secret edit {i}" });
        var deletedSeq = run.Add(new() { Kind = EntryKinds.Delete, Target = deleted, Body = ConversationBodies.Deleted(erased) });
        Assert.Equal(AppendOutcome.Stored, await AppendAsync(run.Done()));

        var answers = new Run(id, claimed with { Head = run.Head }, reader);
        answers.Add(new() { Kind = EntryKinds.Reaction, Target = first, Body = ConversationBodies.Reaction("👍", true) });
        for (var i = 0; i < 130; i++) answers.Add(new() { Kind = EntryKinds.Message, ClientId = Guid.NewGuid(), Body = "kept", Mentions = [erased] });
        Assert.Equal(AppendOutcome.Stored, await AppendAsync(answers.Done()));

        var reactions = new Run(id, claimed with { Head = answers.Head }, erased);
        for (var i = 0; i < 130; i++) reactions.Add(new() { Kind = EntryKinds.Reaction, Target = run.Head + 2 + i, Body = ConversationBodies.Reaction("👍", true) });
        var last = reactions.Add(new() { Kind = EntryKinds.Message, ClientId = Guid.NewGuid(), Body = "secret last", Mentions = [reader] });
        Assert.Equal(AppendOutcome.Stored, await AppendAsync(reactions.Done()));
        return new(id, erased, reader, claimed with { Head = reactions.Head }, deletedSeq, clientId, last);
    }

    private protected async Task<long> AppendErasureAsync(ErasedTalk talk)
    {
        var run = ErasureOf(talk.Id, talk.Claimed, talk.Erased);
        Assert.Equal(AppendOutcome.Stored, await AppendAsync(run));
        return run.Entries[0].Entry.Seq;
    }

    private static LogRun ErasureOf(Guid id, Claimed claimed, Guid userId)
    {
        var run = new Run(id, claimed, userId);
        run.Add(new() { Kind = EntryKinds.SenderErased, Body = ConversationBodies.Erased(userId) }, userId);
        return run.Done();
    }

    /// <summary>What every kind of read gives of the erased member, also in messages of others.</summary>
    private async Task<string> ViewAsync(ErasedTalk talk)
    {
        var pages = new List<ConversationEntry>();
        for (var after = 0L; (await Store.ReadEntriesAsync(talk.Reader, talk.Id, after, 500)).Entries is { Length: > 0 } page; after = page[^1].Seq) pages.AddRange(page);
        var item = (await Store.FindAsync(talk.Reader, talk.Id)).Found!;
        return JsonSerializer.Serialize(new
        {
            Entries = pages,
            Messages = (await Store.ReadMessagesAsync(talk.Reader, talk.Id, new() { Around = talk.Last })).Entries,
            First = (await Store.ReadMessagesAsync(talk.Reader, talk.Id, new() { After = 0, Limit = 100 })).Entries.Where(Own),
            item.Last,
            item.Unread,
            Listed = (await Store.ListAsync(talk.Reader, 10, null)).Select(listed => (listed.Last, listed.Unread).ToString()),
            Many = (await Store.FindManyAsync([new(talk.Reader, talk.Id)]))[0]!.Last,
            Synced = (await Store.SyncAsync([new(talk.Reader, [new(talk.Id, talk.Last - 2, 0)])]))[0][0].Entries.Where(Own),
            Newest = (await Store.ReadNewestAsync(talk.Id, 128)).Where(Own),
            BySeq = (await Store.FindEntriesAsync(talk.Id, [2, 3, 4, talk.Last])).Select(stored => stored.Entry).Where(Own),
            ByClientId = (await Store.FindByClientIdsAsync(talk.Id, [(talk.Erased, talk.ClientId)])).Select(stored => stored.Entry),
            Found = await SearchAsync(talk.Reader, "secret"),
        });

        bool Own(ConversationEntry entry) => entry.SenderId == talk.Erased;
    }

    private protected sealed record ErasedTalk(Guid Id, Guid Erased, Guid Reader, Claimed Claimed, long DeletedSeq, Guid ClientId, long Last);

    /// <summary>Grains of conversations that append an erasure to the store.</summary>
    public class FakeGrains : DispatchProxy
    {
        private IConversationStore _store = null!;
        private Guid _id;

        /// <summary>The conversation whose grain cannot be reached.</summary>
        public Guid? Fails { get; set; }

        internal static IGrainFactory Around(IConversationStore store)
        {
            var grains = Create<IGrainFactory, FakeGrains>();
            ((FakeGrains)(object)grains)._store = store;
            return grains;
        }

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        {
            if (targetMethod!.Name == nameof(IConversationGrain.ApplyAsync)) return ApplyAsync((ConversationCommand)args![0]!);
            var grain = Create<IConversationGrain, FakeGrains>();
            var proxy = (FakeGrains)(object)grain;
            (proxy._store, proxy._id, proxy.Fails) = (_store, (Guid)args![0]!, Fails);
            return grain;
        }

        private async Task<ConversationAnswer> ApplyAsync(ConversationCommand command)
        {
            if (_id == Fails) throw new InvalidOperationException("the test");
            var claimed = (await _store.ClaimAsync([new(_id, -1)], s_limits))[0]!;
            return (await _store.AppendAsync([ErasureOf(_id, claimed, command.SenderId)], s_limits))[0] == AppendOutcome.Stored
                ? new() : ConversationAnswer.Refuse(ConversationError.Unavailable);
        }
    }
}
