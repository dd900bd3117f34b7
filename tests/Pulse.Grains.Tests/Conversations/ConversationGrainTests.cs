using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Pulse.Conversations;
using Pulse.Grains.Conversations;
using Pulse.Grains.Storage;
using Pulse.Grains.Users;
using Pulse.Grains.Tests.Users;
using Pulse.Presence;
using Xunit;

namespace Pulse.Grains.Tests.Conversations;

/// <summary>Conversations in a cluster of two silos, whose reads of the database a test can make fail.</summary>
public sealed class ConversationGrainTests(ConversationGrainTests.ChatCluster cluster) : IClassFixture<ConversationGrainTests.ChatCluster>
{
    [Fact]
    public async Task Create_AfterTheAnswerOfTheFirstCallWasLost_StillReachesTheInboxesOfTheMembers()
    {
        var (creator, member) = (await cluster.AddUserAsync(), await cluster.AddUserAsync());
        var start = new ConversationStart { Kind = ConversationKinds.Group, CreatorId = creator, Title = "Plans", Members = [member] };
        var id = Guid.NewGuid();
        var inbox = new Inbox();
        var observer = cluster.Client.CreateObjectReference<IInboxObserver>(inbox);
        foreach (var silo in await cluster.Client.GetGrain<IPresenceReaderGrain>(0).ListSilosAsync())
            await cluster.Client.GetGrain<IInboxTableGrain>(silo).RegisterAsync(observer);

        // As a silo that dies between the commit and its hints.
        Assert.True(await cluster.Store.CreateAsync(id, start, TestUsers.Noon));
        var repeated = await cluster.Client.GetGrain<IConversationGrain>(id).CreateAsync(start);

        Assert.Equal((ConversationError.None, false), (repeated.Error, repeated.IsNew));
        await Eventually.AsyncEqual(true, () => Task.FromResult(inbox.Hints.Any(hint => hint.ConversationId == id && hint.Recipients.Contains(member) && hint.Own.Contains(creator))));
        GC.KeepAlive(inbox);
    }

    [Fact]
    public async Task Block_WhoseReadFails_HoldsFromTheNextMessageOn()
    {
        var (ada, grace) = (await cluster.AddUserAsync(), await cluster.AddUserAsync());
        var id = ConversationId.OfPair(ada, grace);
        var grain = cluster.Client.GetGrain<IConversationGrain>(id);
        await grain.CreateAsync(new() { Kind = ConversationKinds.Direct, CreatorId = ada, Members = [grace] });
        Assert.Equal(ConversationError.None, (await grain.ApplyAsync(Message(grace))).Error);

        cluster.BeforeLoad = () => Task.FromException(new StoreUnavailableException("the test"));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => grain.SetBlockAsync(ada, grace, true));
        Assert.Equal(ConversationError.Unavailable, (await grain.ApplyAsync(Message(grace))).Error);
        cluster.BeforeLoad = null;

        Assert.Equal(ConversationError.CannotMessage, (await grain.ApplyAsync(Message(grace))).Error);
        await grain.SetBlockAsync(ada, grace, false);
        Assert.Equal(ConversationError.None, (await grain.ApplyAsync(Message(grace))).Error);
    }

    [Fact]
    public async Task BlockWhoseAnswerIsLost_HoldsForTheNextMessage_AlsoIfOneWasSentMeanwhile()
    {
        var (ada, grace) = (await cluster.AddUserAsync(), await cluster.AddUserAsync());
        var grain = cluster.Client.GetGrain<IConversationGrain>(ConversationId.OfPair(ada, grace));
        await grain.CreateAsync(new() { Kind = ConversationKinds.Direct, CreatorId = ada, Members = [grace] });
        var (begun, released) = (new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), new TaskCompletionSource());
        cluster.BeforeBlock = async () =>
        {
            begun.TrySetResult();
            await released.Task;
            await cluster.Store.SetBlockAsync(ada, grace, true);
            throw new StoreUnavailableException("after");
        };

        var block = grain.SetBlockAsync(ada, grace, true);
        await begun.Task;
        Assert.Equal(ConversationError.None, (await grain.ApplyAsync(Message(grace))).Error);
        released.SetResult();
        await Assert.ThrowsAsync<StoreUnavailableException>(() => block);
        cluster.BeforeBlock = null;

        Assert.Equal(ConversationError.CannotMessage, (await grain.ApplyAsync(Message(grace))).Error);
    }

    [Fact]
    public async Task CallOfAStranger_IsOneRead_WhetherTheConversationExistsIsInUseOrNeither()
    {
        var (ada, grace, stranger) = (await cluster.AddUserAsync(), await cluster.AddUserAsync(), await cluster.AddUserAsync());
        var (idle, used, unknown) = (ConversationId.OfPair(ada, stranger), ConversationId.OfPair(ada, grace), ConversationId.OfPair(grace, stranger));
        var start = new ConversationStart { Kind = ConversationKinds.Direct, CreatorId = ada, Members = [grace] };
        Assert.True(await cluster.Store.CreateAsync(idle, start, TestUsers.Noon));
        Assert.True(await cluster.Store.CreateAsync(used, start, TestUsers.Noon));
        Assert.Equal(ConversationError.None, (await cluster.Client.GetGrain<IConversationGrain>(used).ApplyAsync(Message(grace))).Error);
        var before = await cluster.Store.FindHeadsAsync([idle, used], BatchLimits.Shared);

        foreach (var id in new[] { idle, used, unknown })
        {
            var grain = cluster.Client.GetGrain<IConversationGrain>(id);
            cluster.Calls.Clear();
            for (var i = 0; i < 10; i++)
            {
                Assert.Equal(ConversationError.NotFound, (await grain.MarkReadAsync(stranger, 0, isInvisible: false)).Error);
                Assert.Equal(ConversationError.NotFound, (await grain.ApplyAsync(Message(stranger))).Error);
                Assert.Equal(ConversationError.NotFound, await grain.TypeAsync(stranger));
            }

            Assert.Equal(30, cluster.Calls.Count);
            Assert.Single(cluster.Calls.Distinct());
        }

        Assert.Equal(before, await cluster.Store.FindHeadsAsync([idle, used], BatchLimits.Shared));
    }

    [Fact]
    public async Task CallsOfAStranger_WhileAMembersFirstCallIsUnderWay_LeaveThatAlone()
    {
        var (ada, grace, stranger) = (await cluster.AddUserAsync(), await cluster.AddUserAsync(), await cluster.AddUserAsync());
        var id = ConversationId.OfPair(ada, grace);
        Assert.True(await cluster.Store.CreateAsync(id, new() { Kind = ConversationKinds.Direct, CreatorId = ada, Members = [grace] }, TestUsers.Noon));
        var grain = cluster.Client.GetGrain<IConversationGrain>(id);
        var (begun, released) = (new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), new TaskCompletionSource());
        cluster.BeforeLoad = () =>
        {
            begun.TrySetResult();
            return released.Task;
        };

        var read = grain.MarkReadAsync(grace, 1, isInvisible: false);
        await begun.Task;
        try
        {
            for (var i = 0; i < 10; i++) Assert.Equal(ConversationError.NotFound, (await grain.MarkReadAsync(stranger, 0, isInvisible: false)).Error);
        }
        finally
        {
            released.SetResult();
            cluster.BeforeLoad = null;
        }

        Assert.Equal(ConversationError.None, (await read).Error);
        Assert.Equal(1, (await cluster.Store.FindHeadsAsync([id], BatchLimits.Shared))[0]!.Epoch);
    }

    [Fact]
    public async Task Erasure_BesideAnotherThatIsStuck_IsAnswered_AndItsTextsAreEmptiedSoon()
    {
        var (_, stuck) = await AddErasedTalkAsync(messages: 1);
        var (erased, talk) = await AddErasedTalkAsync(messages: 700);
        await using var connection = await cluster.OpenDatabaseAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = $"SELECT 1 FROM conversations WHERE id = '{stuck}' FOR UPDATE";
        await command.ExecuteNonQueryAsync();

        // Repeated, because a busy machine may take too long for an answer.
        await Eventually.AsyncEqual(true, async () =>
        {
            await cluster.Client.GetGrain<IConversationReaderGrain>(0).EraseAsync(erased);
            return true;
        });

        var log = await cluster.Store.ReadNewestAsync(talk, 500);
        Assert.Equal((EntryKinds.SenderErased, erased), (log[^1].Kind, log[^1].SenderId));
        Assert.All(log.SkipLast(1), entry => Assert.Equal((null, log[^1].Seq), (entry.Body, entry.DeletedSeq)));

        // Long before the next round of the job.
        await Eventually.AsyncEqual(false, async () => (await cluster.Store.ListErasuresAsync()).Any(part => part.UserId == erased));
    }

    private static ConversationCommand Message(Guid sender) => new() { Kind = EntryKinds.Message, SenderId = sender, ClientId = Guid.NewGuid(), Text = "text" };

    /// <summary>A user without a row, as after an erasure, and a conversation with messages of the user.</summary>
    private async Task<(Guid User, Guid Conversation)> AddErasedTalkAsync(int messages)
    {
        var (user, id) = (await cluster.AddUserAsync(), Guid.NewGuid());
        await cluster.Store.CreateAsync(id, new() { Kind = ConversationKinds.Group, CreatorId = user, Title = "Talk" }, TestUsers.Noon);
        var limits = BatchLimits.Alone(TimeSpan.FromSeconds(10));
        var claimed = (await cluster.Store.ClaimAsync([new(id, -1)], limits))[0]!;
        NewEntry[] entries =
        [
            .. Enumerable.Range(2, messages).Select(seq => new NewEntry(
                new() { Seq = seq, Kind = EntryKinds.Message, SenderId = user, ClientId = Guid.NewGuid(), Body = "secret", SentAt = TestUsers.Noon })),
        ];
        Assert.Equal([AppendOutcome.Stored], await cluster.Store.AppendAsync([new(id, claimed.Epoch, claimed.Head, entries)], limits));
        await cluster.EraseUserAsync(user);
        return (user, id);
    }

    private sealed class Inbox : IInboxObserver
    {
        public ConcurrentQueue<InboxHint> Hints { get; } = new();

        public Task TakeAsync(InboxHint[] hints)
        {
            foreach (var hint in hints) Hints.Enqueue(hint);
            return Task.CompletedTask;
        }
    }

    public sealed class ChatCluster : PulseCluster
    {
        private volatile Func<Task>? _beforeLoad;
        private volatile Func<Task>? _beforeBlock;

        /// <summary>What runs before the row of a conversation is read.</summary>
        internal Func<Task>? BeforeLoad
        {
            set => _beforeLoad = value;
        }

        /// <summary>What runs before a block is stored.</summary>
        internal Func<Task>? BeforeBlock
        {
            set => _beforeBlock = value;
        }

        /// <summary>The names of the methods of the store that grains have called.</summary>
        internal ConcurrentQueue<string> Calls { get; } = [];

        /// <summary>The database past the faults.</summary>
        internal IConversationStore Store { get; private set; } = null!;

        internal async Task<Guid> AddUserAsync()
        {
            var user = TestUsers.New();
            await Cluster.Silos[0].ServiceProvider.GetRequiredService<IUserStore>().InsertAsync(user, account: null);
            return user.Id;
        }

        /// <summary>Erases the user's row, and leaves the conversations.</summary>
        internal Task EraseUserAsync(Guid userId) =>
            Cluster.Silos[0].ServiceProvider.GetRequiredService<IUserStore>().EraseAsync(userId, [], [], TestUsers.Noon);

        private protected override void Adjust(IHostApplicationBuilder host)
        {
            var former = host.Services.Last(service => service.ServiceType == typeof(IConversationStore));
            host.Services.Remove(former);
            host.Services.AddSingleton(services =>
            {
                Store = (IConversationStore)ActivatorUtilities.CreateInstance(services, former.ImplementationType!);
                return FaultyStore.Reading(
                    Store,
                    name => name switch
                    {
                        nameof(IConversationStore.LoadAsync) => _beforeLoad,
                        nameof(IConversationStore.SetBlockAsync) => _beforeBlock,
                        _ => null,
                    } is { } before ? before() : Task.CompletedTask,
                    Calls.Enqueue);
            });
        }
    }
}
