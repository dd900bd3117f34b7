using Pulse.Conversations;
using Pulse.Web.Conversations;
using Pulse.Web.Http;

namespace Pulse.Web.Tests.Conversations.Scripts;

/// <summary>The users of one conversation, and their calls. Each answer is noted in the ledger.</summary>
internal sealed class ScriptUsers(ScriptCluster cluster, Guid conversationId, Ledger ledger)
{
    public const int Count = 4;
    public const int Owner = 0;

    // The last user is no member at first.
    private const int FirstMembers = 3;

    private static readonly TimeSpan s_retryPause = TimeSpan.FromMilliseconds(50);

    private int _texts;

    public Guid[] Ids { get; } = [.. Enumerable.Range(0, Count).Select(_ => Guid.CreateVersion7())];

    /// <summary>The users that the conversation begins with.</summary>
    public Guid[] First => Ids[..FirstMembers];

    public IConversationGrain Grain => cluster.Cluster.Client.GetGrain<IConversationGrain>(conversationId);

    public async Task CreateAsync(bool newcomersSeeAll)
    {
        var created = await Grain.CreateAsync(new()
        {
            Kind = ConversationKinds.Group, CreatorId = Ids[Owner], Title = "Plans", Members = First[1..],
            NewcomersSee = newcomersSeeAll ? NewcomersSee.All : NewcomersSee.SinceJoining,
        });
        Assert.Equal(ConversationError.None, created.Error);
    }

    /// <summary>A text like no other, without a mention.</summary>
    public string NewText() => TrueLog.Text(Interlocked.Increment(ref _texts), mentioned: null);

    /// <summary>Sends a message. By its number it may mention a user, follow another message, or move the sender's marker.</summary>
    public Task SendAsync(int user, int number)
    {
        var command = New(EntryKinds.Message, user, number) with { ClientId = Guid.NewGuid() };
        if (number % 5 == 0) command = command with { After = CommandsOf(EntryKinds.Message, Ids[user]).LastOrDefault()?.Command.ClientId };
        if (number % 7 == 0) command = command with { Read = ledger.Head };
        return ApplyAsync(command, tries: 1 + (number % 3));
    }

    public Task RepeatAsync(int number) =>
        Acknowledged() is { Length: > 0 } messages ? ApplyAsync(messages[number % messages.Length], tries: 1) : Task.CompletedTask;

    public Task EditAsync(int user, int number) => Acknowledged(Ids[user]) is { Length: > 0 } own
        ? ApplyAsync(New(EntryKinds.Edit, user, number) with { Target = own[number % own.Length].Seq }, tries: 2)
        : Task.CompletedTask;

    /// <summary>Deletes an own message; the owner any.</summary>
    public Task DeleteAsync(int user, int number) => Acknowledged(user == Owner ? null : Ids[user]) is { Length: > 0 } messages
        ? ApplyAsync(New(EntryKinds.Delete, user) with { Target = messages[number % messages.Length].Seq }, tries: 2)
        : Task.CompletedTask;

    public Task AddAsync(int number) => ApplyAsync(New(EntryKinds.MemberAdded, Owner) with { UserId = Other(number) }, tries: 2);

    public Task RemoveAsync(int number) => ApplyAsync(New(EntryKinds.MemberRemoved, Owner) with { UserId = Other(number) }, tries: 2);

    public Task LeaveAsync(int user) => ApplyAsync(New(EntryKinds.MemberRemoved, user) with { UserId = Ids[user] }, tries: 1);

    /// <summary>Sets the user's marker to the newest entry or, by the number, to an older one.</summary>
    public async Task MarkAsync(int user, int number)
    {
        var (before, head) = (ledger.MarkerOf(Ids[user]), ledger.Head);
        var seq = number % 2 == 0 ? head : number % (head + 1);
        try
        {
            var marking = Grain.MarkReadAsync(Ids[user], seq, isInvisible: false);
            var answer = await marking.WaitAsync(ConversationCalls.Timeout, cluster.Clock);
            if (answer.Error != ConversationError.None) return;
            var where = $"marker of user {user} at {seq}";
            ledger.Marked(where, Ids[user], Math.Max(before, seq), answer.Read);

            // The answer does not say at which head it counted.
            var heads = await cluster.Store.FindHeadsAsync([conversationId], RivalWriter.Limits);
            ledger.Counts.Enqueue((where, Ids[user], answer.Read, head, heads[0]!.Head, answer.Unread));
        }
        catch (Exception e) when (TransientErrors.IsTransient(e))
        {
            // The marker may have moved.
        }
    }

    /// <summary>Reads the conversation's item of the inbox.</summary>
    public async Task LookAsync(int user)
    {
        var before = ledger.MarkerOf(Ids[user]);
        try
        {
            var lookup = await cluster.Reader.FindAsync(Ids[user], conversationId).WaitAsync(ConversationCalls.Timeout, cluster.Clock);
            if (lookup.Found is not { } item) return;
            var where = $"inbox item of user {user}";
            ledger.Marked(where, Ids[user], before, item.Read);
            ledger.SawHead(where, Ids[user], item.Head);
            ledger.Counts.Enqueue((where, Ids[user], item.Read, item.Head, item.Head, item.Unread));
        }
        catch (Exception e) when (TransientErrors.IsTransient(e))
        {
            // Asks no more.
        }
    }

    /// <summary>Repeats each message of which its sender does not know whether it is stored.</summary>
    public async Task ResolveAsync(Func<Func<Task<bool>>, Task> until)
    {
        foreach (var sent in CommandsOf(EntryKinds.Message).Where(sent => sent is { IsUncertain: true, Seq: null }))
            await until(async () => !IsToRepeat(await TryApplyAsync(sent)));
    }

    private static bool IsToRepeat(ConversationError error) => error is ConversationError.Unavailable or ConversationError.UnknownOutcome;

    private IEnumerable<Sent> CommandsOf(string kind, Guid? sender = null) =>
        ledger.Commands.Where(sent => sent.Command.Kind == kind && (sender is null || sent.Command.SenderId == sender));

    private Sent[] Acknowledged(Guid? sender = null) => [.. CommandsOf(EntryKinds.Message, sender).Where(sent => sent.Seq is not null)];

    private Guid Other(int number) => Ids[1 + (number % (Count - 1))];

    private ConversationCommand New(string kind, int user) => new() { Kind = kind, SenderId = Ids[user] };

    private ConversationCommand New(string kind, int user, int number)
    {
        int? mentioned = number % 3 == 0 ? number % Count : null;
        var text = TrueLog.Text(Interlocked.Increment(ref _texts), mentioned);
        return New(kind, user) with { Text = text, Mentions = mentioned is { } other ? [Ids[other]] : [] };
    }

    private Task ApplyAsync(ConversationCommand command, int tries)
    {
        var sent = new Sent(command);
        ledger.Commands.Enqueue(sent);
        return ApplyAsync(sent, tries);
    }

    private async Task ApplyAsync(Sent sent, int tries)
    {
        for (var i = 0; i < tries && IsToRepeat(await TryApplyAsync(sent)); i++) await Task.Delay(s_retryPause, cluster.Clock);
    }

    private async Task<ConversationError> TryApplyAsync(Sent sent)
    {
        var answer = ConversationAnswer.Refuse(ConversationError.UnknownOutcome);
        try
        {
            answer = await Grain.ApplyAsync(sent.Command).WaitAsync(ConversationCalls.Timeout, cluster.Clock);
        }
        catch (Exception e) when (TransientErrors.IsTransient(e))
        {
            // The outcome is unknown.
        }

        ledger.Answered(sent, answer);
        return answer.Error;
    }
}
