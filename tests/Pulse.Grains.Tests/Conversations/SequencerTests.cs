using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Pulse.Conversations;
using Pulse.Grains.Conversations;
using Pulse.Grains.Storage;
using Pulse.Grains.Tests.Storage;
using Pulse.Grains.Tests.Users;
using Xunit;

namespace Pulse.Grains.Tests.Conversations;

/// <summary>The sequencer against real stores that fail before, after and long after a statement took effect, with activations that replace each other.</summary>
public abstract class SequencerContract(StoresFixture stores) : IAsyncLifetime
{
    private const int Senders = 4;
    private const int MessagesPerSender = 25;

    private readonly ChatOptions _options = new() { SendsPerSecond = 100_000, SendsAtOnce = 100_000 };
    private ServiceProvider _services = null!;
    private IConversationStore _store = null!;

    public Task InitializeAsync()
    {
        _services = new ServiceCollection().AddLogging().AddPulseStores(stores.Options).BuildServiceProvider();
        _store = _services.GetRequiredService<IConversationStore>();
        return Task.CompletedTask;
    }

    public async Task DisposeAsync() => await _services.DisposeAsync();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public async Task Send_WithFaultsAndReplacedActivations_IsStoredOnceAtItsAcknowledgedSeq_AndOnlyCommittedEntriesArePublished(int seed)
    {
        var id = Guid.NewGuid();
        var senders = new Guid[Senders];
        for (var i = 0; i < Senders; i++) senders[i] = await AddUserAsync();
        await _store.CreateAsync(id, new() { Kind = ConversationKinds.Group, CreatorId = senders[0], Title = "Group", Members = senders[1..] }, TestUsers.Noon);
        var faulty = FaultyStore.Around(_store, seed, faults: 0.1);
        var published = new ConcurrentQueue<ConversationEntry>();
        var activations = new Activations(() => Activate(id, faulty, published));
        var acknowledged = new ConcurrentDictionary<(Guid, Guid), long>();
        using var stop = new CancellationTokenSource();
        var replacing = Task.Run(() => ReplaceAsync(activations, seed, stop.Token));

        await Task.WhenAll(senders.Select((sender, i) => Task.Run(() => SendAllAsync(sender, new(seed + i)))));
        await stop.CancelAsync();
        await replacing;
        await FaultyStore.SettleAsync();

        // The log: contiguous, each message once at its acknowledged seq, each sender's messages in order.
        var log = (await _store.ReadEntriesAsync(senders[0], id, 0, 10_000)).Entries;
        Assert.Equal(Enumerable.Range(1, log.Length).Select(seq => (long)seq), log.Select(entry => entry.Seq));
        var messages = log.Where(entry => entry.Kind == EntryKinds.Message).ToDictionary(entry => (entry.SenderId, entry.ClientId!.Value), entry => entry.Seq);
        Assert.Equal(Senders * MessagesPerSender, messages.Count);
        Assert.Equal(acknowledged.OrderBy(entry => entry.Value), messages.OrderBy(entry => entry.Value));
        foreach (var sender in senders)
        {
            Assert.Equal(
                Enumerable.Range(0, MessagesPerSender).Select(i => $"{i}"),
                log.Where(entry => entry.Kind == EntryKinds.Message && entry.SenderId == sender).Select(entry => entry.Body));
        }

        // Whatever any activation has published is in the log.
        var bySeq = log.ToDictionary(entry => entry.Seq, entry => (entry.Kind, entry.SenderId, entry.ClientId));
        Assert.All(published, entry => Assert.Equal(bySeq[entry.Seq], (entry.Kind, entry.SenderId, entry.ClientId)));

        async Task SendAllAsync(Guid sender, Random random)
        {
            for (var i = 0; i < MessagesPerSender; i++)
            {
                var command = new ConversationCommand { Kind = EntryKinds.Message, SenderId = sender, ClientId = Guid.NewGuid(), Text = $"{i}" };
                while (true)
                {
                    // Repeated although it may be under way, over activations that may be replaced.
                    var tries = Enumerable.Range(0, random.Next(1, 4)).Select(_ => activations.Present.ApplyAsync(command)).ToArray();
                    var answers = await Task.WhenAll(tries);
                    Assert.All(answers, answer => Assert.True(
                        answer.Error is ConversationError.None or ConversationError.Unavailable or ConversationError.UnknownOutcome, $"{answer.Error} {answer.Detail}"));
                    var good = answers.Where(answer => answer.Error == ConversationError.None).ToArray();
                    if (good.Length == 0)
                    {
                        await Task.Delay(10);
                        continue;
                    }

                    Assert.Single(good.Select(answer => (answer.Seq, answer.SentAt)).Distinct());
                    acknowledged[(sender, command.ClientId!.Value)] = good[0].Seq;
                    break;
                }
            }
        }
    }

    [Fact]
    public async Task Send_WhileTheDatabaseAnswersNothing_IsRefusedInTime_AndStoredOnceAfterwards()
    {
        var id = Guid.NewGuid();
        var sender = await AddUserAsync();
        await _store.CreateAsync(id, new() { Kind = ConversationKinds.Group, CreatorId = sender, Title = "Group" }, TestUsers.Noon);
        var faulty = FaultyStore.Around(_store, seed: 1, faults: 1);
        var sequencer = Activate(id, faulty, []);
        var command = new ConversationCommand { Kind = EntryKinds.Message, SenderId = sender, ClientId = Guid.NewGuid(), Text = "hello" };

        Assert.Equal(ConversationError.Unavailable, (await sequencer.ApplyAsync(command)).Error);

        // A busy machine may need several attempts, as a client does.
        var good = Activate(id, _store, []);
        ConversationAnswer answer;
        do answer = await good.ApplyAsync(command);
        while (answer.Error is ConversationError.Unavailable or ConversationError.UnknownOutcome);
        Assert.Equal((ConversationError.None, 2L), (answer.Error, answer.Seq));
        Assert.Equal(answer with { IsRepeat = true }, await good.ApplyAsync(command));
        await FaultyStore.SettleAsync();
        Assert.Equal(2, (await _store.ReadEntriesAsync(sender, id, 0, 10)).Entries.Length);
    }

    [Fact]
    public async Task Send_ThatTheDatabaseRefusesForGood_IsAnsweredAtOnce_AndNotAttemptedAgain()
    {
        var id = Guid.NewGuid();
        var sender = await AddUserAsync();
        await _store.CreateAsync(id, new() { Kind = ConversationKinds.Group, CreatorId = sender, Title = "Group" }, TestUsers.Noon);
        var sequencer = Activate(id, FaultyStore.Refusing(_store), []);
        await sequencer.EnsureClaimedAsync();
        var before = await EpochAsync();

        var command = new ConversationCommand { Kind = EntryKinds.Message, SenderId = sender, ClientId = Guid.NewGuid(), Text = "hello" };
        Assert.Equal(ConversationError.Unavailable, (await sequencer.ApplyAsync(command)).Error);

        // One claim finds out that the log is unchanged.
        Assert.Equal(before + 1, await EpochAsync());

        async Task<long> EpochAsync() => (await _store.FindHeadsAsync([id], BatchLimits.Shared))[0]!.Epoch;
    }

    [Fact]
    public async Task Send_BehindARefusedOneWhoseCheckIsSlow_IsNeverAnsweredAsNotStored_AndStored()
    {
        var id = Guid.NewGuid();
        var sender = await AddUserAsync();
        await _store.CreateAsync(id, new() { Kind = ConversationKinds.Group, CreatorId = sender, Title = "Group" }, TestUsers.Noon);
        var slow = FaultyStore.Reading(_store, name => name == nameof(IConversationStore.FindByClientIdsAsync) ? Task.Delay(Sequencer.Deadline * 1.5) : Task.CompletedTask);
        var activation = new Activation(Activate(id, slow, []));
        await activation.ApplyAsync(Message([]));

        // The first is a run of its own. The second and the third are decided together while it is appended, and the third is refused.
        var sends = new[] { Message([]), Message([]), Message([Guid.NewGuid()]) };
        var answers = await Task.WhenAll(sends.Select(activation.ApplyAsync));

        Assert.NotEqual(ConversationError.None, answers[2].Error);
        await Eventually.AsyncEqual(4, async () => (await _store.ReadEntriesAsync(sender, id, 0, 10)).Entries.Length);
        Assert.All(answers[..2], answer => Assert.NotEqual(ConversationError.Unavailable, answer.Error));

        ConversationCommand Message(Guid[] mentions) => new() { Kind = EntryKinds.Message, SenderId = sender, ClientId = Guid.NewGuid(), Text = "text", Mentions = mentions };
    }

    [Fact]
    public async Task Claim_ThatIsRefusedAfterTheEndOfTheActivation_EndsItNoSecondTime()
    {
        var id = Guid.NewGuid();
        var sender = await AddUserAsync();
        await _store.CreateAsync(id, new() { Kind = ConversationKinds.Group, CreatorId = sender, Title = "Group" }, TestUsers.Noon);
        var (begun, released) = (new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), new TaskCompletionSource());
        var (claims, ends) = (0, 0);
        var slow = FaultyStore.Reading(_store, name =>
        {
            if (name != nameof(IConversationStore.ClaimAsync) || ++claims == 1) return Task.CompletedTask;
            begun.SetResult();
            return released.Task;
        });
        var sequencer = Activate(id, slow, [], lost: () => ends++);
        await sequencer.EnsureClaimedAsync();
        Assert.NotNull(Assert.Single(await _store.ClaimAsync([new(id, IfEpoch: -1)], BatchLimits.Shared)));
        var activation = new Activation(sequencer);
        var command = new ConversationCommand { Kind = EntryKinds.Message, SenderId = sender, ClientId = Guid.NewGuid(), Text = "hello" };

        // The other activation has fenced the append off, so this one claims, and ends before the answer.
        var answer = activation.ApplyAsync(command);
        await begun.Task;
        sequencer.Stop();
        released.SetResult();

        Assert.Equal(ConversationError.UnknownOutcome, (await answer).Error);
        Assert.Equal(ConversationError.Unavailable, (await activation.ApplyAsync(command)).Error);
        Assert.Equal(0, ends);
    }

    [Fact]
    public async Task ClientsThatReturnAtOnce_ShareStatements_AndASingleOneDoesNotWait()
    {
        const int Clients = 40;
        var time = new FakeTimeProvider();
        var id = Guid.NewGuid();
        var member = await AddUserAsync();
        await _store.CreateAsync(id, new() { Kind = ConversationKinds.Group, CreatorId = member, Title = "Group" }, TestUsers.Noon);
        var statements = 0;
        var counted = FaultyStore.Reading(_store, name =>
        {
            if (name == nameof(IConversationStore.SyncAsync)) Interlocked.Increment(ref statements);
            return Task.CompletedTask;
        });
        var writer = new ConversationWriter(counted, _services.GetRequiredService<StoreMetrics>(), time);

        var alone = await writer.SyncAsync(new(member, [new(id, 0, 0)]));
        Assert.Equal((1L, 1), (Assert.Single(alone).Head, statements));

        // The first of these waits for the pace, and the others gather meanwhile. Strangers among them get answers of their own.
        var calls = Enumerable.Range(0, Clients).Select(i => (IsMember: i % 2 == 0, Answer: writer.SyncAsync(new(i % 2 == 0 ? member : Guid.NewGuid(), [new(id, 0, 0)])))).ToArray();
        Assert.Equal(1, Volatile.Read(ref statements));
        await Eventually.AsyncEqual(true, () =>
        {
            time.Advance(TimeSpan.FromMilliseconds(25));
            return Task.FromResult(calls.All(call => call.Answer.IsCompleted));
        });
        foreach (var (isMember, answer) in calls) Assert.Equal(isMember, Assert.Single(await answer) is { Gone: false, Head: 1 });
        Assert.InRange(statements, 3, 4);
    }

    [Fact]
    public Task LimitOnSends_CountsNoChangesOfMembersAndRules() => Runs.OneOfThreePassesAsync(async () =>
    {
        var id = Guid.NewGuid();
        var owner = await AddUserAsync();
        var members = new[] { await AddUserAsync(), await AddUserAsync(), await AddUserAsync() };
        await _store.CreateAsync(id, new() { Kind = ConversationKinds.Group, CreatorId = owner, Title = "Group" }, TestUsers.Noon);
        (_options.SendsAtOnce, _options.SendsPerSecond) = (1, 1);
        var sequencer = Activate(id, _store, [], new FakeTimeProvider());

        foreach (var member in members)
            Assert.Equal(ConversationError.None, (await sequencer.ApplyAsync(new() { Kind = EntryKinds.MemberAdded, SenderId = owner, UserId = member })).Error);
        Assert.Equal(ConversationError.None, (await sequencer.ApplyAsync(Message())).Error);
        Assert.Equal(ConversationError.TooManyMessages, (await sequencer.ApplyAsync(Message())).Error);
        Assert.Equal(ConversationError.None, (await sequencer.ApplyAsync(new() { Kind = EntryKinds.Renamed, SenderId = owner, Text = "Plans" })).Error);

        ConversationCommand Message() => new() { Kind = EntryKinds.Message, SenderId = owner, ClientId = Guid.NewGuid(), Text = "text" };
    });

    [Fact]
    public async Task RoleOfAMember_ThatHasLeftMeanwhile_AddsNobody()
    {
        var id = Guid.NewGuid();
        var (owner, member) = (await AddUserAsync(), await AddUserAsync());
        await _store.CreateAsync(id, new() { Kind = ConversationKinds.Group, CreatorId = owner, Title = "Group", Members = [member] }, TestUsers.Noon);
        var sequencer = Activate(id, _store, []);
        var command = new ConversationCommand { Kind = EntryKinds.MemberAdded, SenderId = owner, UserId = member, OnlyPresent = true };
        Assert.Equal((ConversationError.None, true), await sequencer.ApplyAsync(command) is var present ? (present.Error, present.IsRepeat) : default);
        Assert.Equal(2, (await sequencer.ApplyAsync(new() { Kind = EntryKinds.MemberRemoved, SenderId = member, UserId = member })).Seq);

        Assert.Equal(ConversationError.NotFound, (await sequencer.ApplyAsync(command)).Error);
        Assert.Equal(ConversationError.NotFound, (await sequencer.ApplyAsync(command with { Role = MemberRoles.Owner })).Error);
        Assert.Equal(2, (await _store.FindHeadsAsync([id], BatchLimits.Shared))[0]!.Head);
        Assert.Equal(3, (await sequencer.ApplyAsync(command with { OnlyPresent = false })).Seq);
    }

    [Fact]
    public async Task Repetition_OfAMessageThatIsNotInMemory_CostsNoSend()
    {
        var id = Guid.NewGuid();
        var sender = await AddUserAsync();
        await _store.CreateAsync(id, new() { Kind = ConversationKinds.Group, CreatorId = sender, Title = "Group" }, TestUsers.Noon);
        (_options.RecentEntries, _options.SendsAtOnce, _options.SendsPerSecond) = (1, 5, 1);
        var sequencer = Activate(id, _store, [], new FakeTimeProvider());
        var first = Message("first");
        Assert.Equal(2, (await sequencer.ApplyAsync(first)).Seq);
        Assert.Equal(3, (await sequencer.ApplyAsync(Message("second"))).Seq);

        for (var i = 0; i < 50; i++) Assert.Equal((2L, true), await sequencer.ApplyAsync(first) is var again ? (again.Seq, again.IsRepeat) : default);

        Assert.Equal(4, (await sequencer.ApplyAsync(Message("third"))).Seq);

        ConversationCommand Message(string text) => new() { Kind = EntryKinds.Message, SenderId = sender, ClientId = Guid.NewGuid(), Text = text };
    }

    private static async Task ReplaceAsync(Activations activations, int seed, CancellationToken stop)
    {
        var random = new Random(seed);
        while (!stop.IsCancellationRequested)
        {
            await Task.Delay(random.Next(20, 120), CancellationToken.None);
            activations.Replace();
        }
    }

    private Sequencer Activate(
        Guid id, IConversationStore store, ConcurrentQueue<ConversationEntry> published, TimeProvider? time = null, Action? lost = null)
    {
        var metrics = _services.GetRequiredService<StoreMetrics>();
        return new(
            id, store, new(store, metrics, TimeProvider.System), new(_services.GetRequiredService<IMeterFactory>()), _options, time ?? TimeProvider.System, added => published.Enqueue(added.Entry), lost ?? (static () => { }), NullLogger.Instance);
    }

    private async Task<Guid> AddUserAsync()
    {
        var user = TestUsers.New();
        await stores.Users.InsertAsync(user, account: null);
        return user.Id;
    }

    /// <summary>The activations of one grain: each runs on one scheduler, and one that has lost the conversation is replaced.</summary>
    private sealed class Activations(Func<Sequencer> activate)
    {
        private Activation _present = new(activate());

        public Activation Present
        {
            get
            {
                var present = Volatile.Read(ref _present);
                if (present.IsLost) Interlocked.CompareExchange(ref _present, new(activate()), present);
                return Volatile.Read(ref _present);
            }
        }

        public void Replace() => Volatile.Write(ref _present, new(activate()));
    }

    private sealed class Activation(Sequencer sequencer)
    {
        private readonly TaskScheduler _scheduler = new ConcurrentExclusiveSchedulerPair().ExclusiveScheduler;

        public bool IsLost => sequencer.IsLost;

        public Task<ConversationAnswer> ApplyAsync(ConversationCommand command) =>
            Task.Factory.StartNew(() => sequencer.ApplyAsync(command), CancellationToken.None, TaskCreationOptions.None, _scheduler).Unwrap();
    }
}

public sealed class PostgresSequencerTests(PostgresStores stores) : SequencerContract(stores), IClassFixture<PostgresStores>;

public sealed class SqliteSequencerTests(SqliteStores stores) : SequencerContract(stores), IClassFixture<SqliteStores>;
