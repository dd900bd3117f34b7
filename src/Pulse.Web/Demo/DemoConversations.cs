using System.Threading.Channels;
using Pulse.Conversations;
using Pulse.Presence;
using Pulse.Users;
using Pulse.Web.Connections;
using Pulse.Web.Conversations;

namespace Pulse.Web.Demo;

/// <summary>Lets the simulated people talk: in a group and a channel, with each new user, and with whoever writes to them.</summary>
/// <remarks>
/// They make the calls of a client, within the same limits. It learns of messages as a front end does, as an observer of the silos. The log is
/// bounded: they talk to each other only while a real user is active, answer one message of a real user with one, and stop at
/// <see cref="DemoPace.MaxEntries"/>.
/// </remarks>
internal sealed partial class DemoConversations(
    DemoPeople people, DemoPace pace, ConversationCalls calls, ConnectionRegistry connections, IGrainFactory grains, TimeProvider time,
    ILogger<DemoConversations> logger)
    : BackgroundService, IInboxObserver
{
    private const int GroupMembers = 7;
    private const int ChannelMembers = 20;
    private const int AnswersAtOnce = 8;

    private static readonly TimeSpan s_look = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_registration = TimeSpan.FromSeconds(5);

    // Of the same people in each run, so that a restart continues the same conversations.
    private static readonly Guid s_groupClientId = new("01a20000-0000-7000-8000-00000000a001");
    private static readonly Guid s_channelClientId = new("01a20000-0000-7000-8000-00000000a002");

    private readonly Channel<Guid> _toAnswer = Channel.CreateUnbounded<Guid>();
    private readonly Lock _lock = new();

    // The simulated people who may answer in each conversation, and whether another message came during an answer.
    private readonly Dictionary<Guid, Addressed> _addressed = [];
    private readonly Dictionary<Guid, long> _answered = [];
    private readonly HashSet<Guid> _welcomed = [];
    private readonly TaskCompletionSource _listening = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when every later message of a user is answered.</summary>
    public Task Listening => _listening.Task;

    private static DemoPerson Host => DemoPerson.Everybody[0];

    /// <summary>Whether a real user has a live connection and was active lately.</summary>
    private bool IsWatched
    {
        get
        {
            var since = time.GetUtcNow() - DemoPace.Attention;
            return connections.Connections.Any(connection => connection.ActiveAt > since);
        }
    }

    public Task TakeAsync(InboxHint[] hints)
    {
        foreach (var hint in hints)
        {
            // An own part alone is a marker or a membership.
            if (hint.Head == 0) continue;
            var there = hint.Recipients.Select(DemoPerson.Find).OfType<DemoPerson>().ToArray();
            if (there.Length == 0) continue;
            lock (_lock)
            {
                if (_addressed.TryGetValue(hint.ConversationId, out var addressed))
                {
                    addressed.IsAgain = true;
                    continue;
                }

                _addressed.Add(hint.ConversationId, new(there));
            }

            _toAnswer.Writer.TryWrite(hint.ConversationId);
        }

        return Task.CompletedTask;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await people.Arrived.WaitAsync(stoppingToken);

            // Before the first talks, because a user may write to a person meanwhile.
            var listening = ListenAsync(stoppingToken);
            var group = await OpenAsync(ConversationKinds.Group, "Saturday hike", s_groupClientId, GroupMembers, DemoLines.Group, stoppingToken);
            var channel = await OpenAsync(ConversationKinds.Channel, "Coffee corner", s_channelClientId, ChannelMembers, DemoLines.Channel, stoppingToken);
            await Task.WhenAll(
                listening, AnswerAsync(stoppingToken), WelcomeAsync(group.Id, stoppingToken),
                TalkAsync(group, stoppingToken), TalkAsync(channel, stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopping.
        }
    }

    private async Task<Room> OpenAsync(string kind, string title, Guid clientId, int members, IReadOnlyList<DemoLine[]> talks, CancellationToken stop)
    {
        // Each time the same ones, because a repetition is compared with the first request.
        var there = DemoPerson.Everybody.Take(members).ToArray();
        var request = new CreateConversationRequest(kind, title, [.. there.Skip(1).Select(person => person.Id.ToString("D"))], clientId.ToString("D"), NewcomersSee: null);
        while (true)
        {
            if (await TryAsync(async () => new Room((await calls.CreateAsync(Host.Id, request, stop)).Id, there, talks), stop) is not { } room)
            {
                await Task.Delay(s_look, time, stop);
                continue;
            }

            // A visitor finds something to read.
            var isSilent = await TryAsync(async () => (await calls.FindAsync(Host.Id, room.Id)).Last is null, stop);
            if (isSilent) await TryAsync(() => TellAsync(room, TimeSpan.Zero, () => true, stop), stop);
            return room;
        }
    }

    private async Task ListenAsync(CancellationToken stop)
    {
        var reference = grains.CreateObjectReference<IInboxObserver>(this);
        while (true)
        {
            var isRegistered = await TryAsync(async () =>
            {
                foreach (var silo in await grains.GetGrain<IPresenceReaderGrain>(0).ListSilosAsync()) await grains.GetGrain<IInboxTableGrain>(silo).RegisterAsync(reference);
                return true;
            }, stop);
            if (isRegistered) _listening.TrySetResult();
            await Task.Delay(s_registration, time, stop);
        }
    }

    private async Task TalkAsync(Room room, CancellationToken stop)
    {
        while (true)
        {
            await Task.Delay(s_look, time, stop);
            if (IsWatched) await TryAsync(() => TellAsync(room, pace.Step, () => IsWatched, stop), stop);
        }
    }

    /// <summary>Lets some people of the room have its next talk.</summary>
    private async Task<bool> TellAsync(Room room, TimeSpan step, Func<bool> mayGoOn, CancellationToken stop)
    {
        var talk = room.NextTalk();
        var here = people.Here;
        var speakers = room.People.OrderByDescending(here.Contains).ThenBy(_ => Random.Shared.Next()).Take(talk.Max(line => line.Speaker) + 1).ToArray();
        var last = 0L;
        foreach (var line in talk)
        {
            await PauseAsync(step, stop);
            if (!mayGoOn()) return false;
            var speaker = speakers[line.Speaker];
            last = await WriteAsync(speaker, room.Id, line.Typo ?? line.Text, step, stop, line.IsReply && last > 0 ? last : null) ?? 0;
            if (last == 0) return false;
            if (line.Typo is not null)
            {
                await PauseAsync(step, stop);
                await calls.EditAsync(speaker.Id, room.Id, last, new(line.Text));
            }

            if (line.Reaction is { } emoji)
            {
                await PauseAsync(step / 2, stop);
                await calls.ReactAsync(speakers[(line.Speaker + 1) % speakers.Length].Id, room.Id, last, emoji, on: true);
            }

            foreach (var reader in speakers) await calls.MarkReadAsync(reader.Id, room.Id, last);
        }

        return true;
    }

    private async Task WelcomeAsync(Guid groupId, CancellationToken stop)
    {
        while (true)
        {
            foreach (var userId in connections.Connections.Select(connection => connection.UserId).Distinct().ToArray())
                if (_welcomed.Add(userId)) _ = TryAsync(() => WelcomeAsync(userId, groupId, stop), stop);
            await Task.Delay(s_look, time, stop);
        }
    }

    /// <summary>Adds a new user to the group, and writes to the user. Once: the direct conversation shows that it was done in an earlier run.</summary>
    private async Task<bool> WelcomeAsync(Guid userId, Guid groupId, CancellationToken stop)
    {
        await PauseAsync(pace.Step, stop);
        if (await grains.GetGrain<IUserGrain>(userId).GetProfileAsync() is not { } user) return false;
        if ((await calls.Reader.FindAsync(Host.Id, ConversationId.OfPair(Host.Id, userId))).Found is not null) return false;
        await calls.SetMemberAsync(Host.Id, groupId, userId, role: null, stop);
        await PauseAsync(pace.Step * 2, stop);
        var request = new CreateConversationRequest(ConversationKinds.Direct, null, [userId.ToString("D")], Guid.NewGuid().ToString("D"), NewcomersSee: null);
        var (id, _) = await calls.CreateAsync(Host.Id, request, stop);
        await WriteAsync(Host, id, DemoLines.Welcome(user.Name), pace.Step, stop);
        return true;
    }

    private Task AnswerAsync(CancellationToken stop) => Parallel.ForEachAsync(
        _toAnswer.Reader.ReadAllAsync(stop), new ParallelOptions { MaxDegreeOfParallelism = AnswersAtOnce, CancellationToken = stop },
        async (id, _) =>
        {
            while (true)
            {
                DemoPerson[] there;
                lock (_lock)
                {
                    _addressed[id].IsAgain = false;
                    there = _addressed[id].People;
                }

                await TryAsync(() => AnswerAsync(id, there, stop), stop);
                lock (_lock)
                {
                    if (_addressed[id].IsAgain) continue;
                    _addressed.Remove(id);
                    return;
                }
            }
        });

    /// <summary>Answers the newest message, if it is of a real user.</summary>
    private async Task<bool> AnswerAsync(Guid id, DemoPerson[] there, CancellationToken stop)
    {
        if (await UnansweredAsync(there[0], id) is not { } first) return false;
        var here = people.Here;
        var person = there.FirstOrDefault(one => first.Mentions.Contains(one.Id)) ?? there.OrderByDescending(here.Contains).ThenBy(_ => Random.Shared.Next()).First();

        // A person who is offline connects to answer.
        await people.MeetAsync(person);
        await PauseAsync(pace.Step / 2, stop);
        await calls.MarkReadAsync(person.Id, id, first.Seq);
        if (Random.Shared.NextDouble() < 0.3) await calls.ReactAsync(person.Id, id, first.Seq, DemoLines.Reaction(), on: true);
        await PauseAsync(pace.Step / 2, stop);
        var name = (await grains.GetGrain<IUserGrain>(first.SenderId).GetProfileAsync())?.Name ?? "";
        await WriteAsync(person, id, DemoLines.AnswerTo(first.Body!, name), pace.Step, stop, there.Length > 1 ? first.Seq : null);

        // Whatever the user wrote meanwhile is answered next.
        lock (_lock) _answered[id] = first.Seq;
        return true;
    }

    private async Task<ConversationEntry?> UnansweredAsync(DemoPerson reader, Guid id)
    {
        if (await calls.FindAsync(reader.Id, id) is not { Last: { Body: not null } last } || DemoPerson.Find(last.SenderId) is not null) return null;

        // An edit or a reaction is a hint too.
        lock (_lock) return last.Seq > _answered.GetValueOrDefault(id) ? last : null;
    }

    /// <summary>Types, then sends.</summary>
    /// <returns>The seq, or <see langword="null"/> in a conversation that is long enough.</returns>
    private async Task<long?> WriteAsync(DemoPerson person, Guid id, string text, TimeSpan step, CancellationToken stop, long? replyTo = null)
    {
        if ((await calls.FindAsync(person.Id, id)).Head >= pace.MaxEntries) return null;
        await people.MeetAsync(person);
        if (step > TimeSpan.Zero)
        {
            await calls.TypeAsync(person.Id, id);
            await PauseAsync(step, stop);
        }

        return (await calls.SendAsync(person.Id, id, new(Guid.NewGuid().ToString("D"), text, replyTo))).Seq;
    }

    private Task PauseAsync(TimeSpan step, CancellationToken stop) =>
        step == TimeSpan.Zero ? Task.CompletedTask : Task.Delay(step * (1 + (2 * Random.Shared.NextDouble())), time, stop);

    private async Task<T?> TryAsync<T>(Func<Task<T>> act, CancellationToken stop)
    {
        try
        {
            return await act();
        }
        catch (Exception e) when (!stop.IsCancellationRequested)
        {
            // A refusal, for example by a user who has blocked the person, or an unavailable silo.
            LogFailed(e.GetType().Name);
            return default;
        }
    }

    [LoggerMessage(2402, LogLevel.Debug, "A simulated person could not write or read ({Reason}), and goes on with the next message.")]
    private partial void LogFailed(string reason);

    private sealed class Addressed(DemoPerson[] people)
    {
        public DemoPerson[] People => people;

        public bool IsAgain { get; set; }
    }

    /// <summary>A conversation among simulated people, and what they talk about there.</summary>
    private sealed class Room(Guid id, DemoPerson[] people, IReadOnlyList<DemoLine[]> talks)
    {
        private int _told;

        public Guid Id => id;

        public DemoPerson[] People => people;

        public DemoLine[] NextTalk() => talks[_told++ % talks.Count];
    }
}
