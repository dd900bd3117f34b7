using Pulse.Conversations;

namespace Pulse.Web.Tests.Conversations.Scripts;

/// <summary>
/// Compares everything that users and devices were told with the log as it was committed. An entry of the log never changes, so the log up
/// to a head says what was true when that head was the newest.
/// </summary>
internal sealed class ScriptChecker(ScriptCluster cluster, Guid id, TrueLog log, Ledger ledger)
{
    private const int MostCounted = 100;
    private const int PageSize = 500;

    public async Task<IReadOnlyList<string>> FindFaultsAsync(Guid[] users, ScriptDevice[] devices)
    {
        var faults = new List<string>(ledger.Faults);
        faults.AddRange(Numbering());
        faults.AddRange(Entries());
        faults.AddRange(Heads());
        faults.AddRange(Counts());
        faults.AddRange(Commands());
        faults.AddRange(devices.Where(device => log.StayAt(device.UserId, log.Head) is not null).SelectMany(Device));
        faults.AddRange(await TableAsync(users[0]));
        if (await cluster.CountMovedBackAsync(id) is > 0 and var times) faults.Add($"a marker moved back in the database, {times} times");
        foreach (var (user, i) in users.Select((user, i) => (user, i)))
        {
            if (log.StayAt(user, log.Head) is null) continue;
            if ((await cluster.Store.FindAsync(user, id)).Found is not { } item) faults.Add($"user {i} is a member, and is refused");
            else if (item.Read < ledger.MarkerOf(user)) faults.Add($"the marker of user {i} is {item.Read}, was {ledger.MarkerOf(user)}");
        }

        return faults;
    }

    private IEnumerable<string> Numbering()
    {
        for (var i = 0; i < log.Entries.Length; i++)
        {
            var entry = log.Entries[i].Identity;
            if (entry.Seq != i + 1) yield return $"the log has seq {entry.Seq} at the place of {i + 1}";
            if (i > 0 && entry.SentAt < log.Entries[i - 1].Identity.SentAt) yield return $"the time of {i + 1} is before that of {i}";
        }
    }

    private IEnumerable<string> Entries()
    {
        foreach (var (where, user, entry) in ledger.Entries)
        {
            if (log.Find(entry.Seq)?.Identity != entry) yield return $"{where} was given {entry}, the log has {log.Find(entry.Seq)}";
            if (!log.MayRead(user, entry.Seq)) yield return $"{where} was given {entry.Seq}, which its user must not read";
        }
    }

    private IEnumerable<string> Heads()
    {
        foreach (var (where, user, head) in ledger.Heads)
        {
            if (head > log.Head) yield return $"{where} was told of head {head}, which the log never had";
            if (log.StayAt(user, head) is null) yield return $"{where} was told of head {head} after the removal of its user";
        }
    }

    private IEnumerable<string> Counts()
    {
        foreach (var (where, user, read, from, to, unread) in ledger.Counts)
        {
            var isTrue = false;
            for (var head = from; head <= to && !isTrue; head++)
                isTrue = log.StayAt(user, head) is not { } stay || IsTrue(stay, read, head, unread);
            if (!isTrue) yield return $"{where}: {unread} after {read}, at a head from {from} to {to}";
        }
    }

    private bool IsTrue(Stay stay, long read, long head, UnreadCount unread)
    {
        var (messages, mentions) = log.CountUnread(stay, read, head);
        return unread.More
            ? unread.Messages <= messages && unread.Messages >= MostCounted
            : (unread.Messages, unread.Mentions) == (messages, mentions);
    }

    private IEnumerable<string> Commands()
    {
        var byText = log.Entries.Where(entry => entry.Kind is EntryKinds.Message or EntryKinds.Edit).ToLookup(entry => entry.Body);
        foreach (var sent in ledger.Commands)
        {
            var command = sent.Command;
            var stored = command.Text is null ? [] : byText[command.Text].ToArray();
            if (stored.Length > 1) yield return $"{sent} is stored {stored.Length} times";
            var isRefused = sent is { Seq: null, IsUncertain: false };
            if (isRefused && stored.Length > 0) yield return $"{sent} was refused, and is stored at {stored[0].Seq}";
            if (sent.Seq is not { } seq) continue;

            // Whoever asks for what is there already, such as a deletion, is given the entry of another call.
            var isOther = sent.IsRepeat && command.Kind != EntryKinds.Message;
            var entry = log.Find(seq);
            var asked = new EntryIdentity(seq, command.Kind, command.SenderId, command.ClientId, command.Target, sent.SentAt);
            var isAsked = entry?.Identity == asked && (command.Text is null || entry.Body == command.Text);
            if (entry is null || (!isOther && !isAsked)) yield return $"{sent} was acknowledged with {seq}, the log has {entry}";
            if (command.After is { } after && !(Array.Find(log.Entries, before => before.Identity.ClientId == after)?.Seq < seq))
                yield return $"{sent} at {seq} is not after its predecessor";
        }
    }

    private IEnumerable<string> Device(ScriptDevice device)
    {
        var stay = log.StayAt(device.UserId, log.Head)!;
        var own = (stay.From, log.Head);
        if (device.Range != own) yield return $"{device} has {device.Range}, the log of its user is {own}";
        foreach (var entry in log.Entries.Where(entry => entry.Kind == EntryKinds.Message && entry.Seq >= stay.From))
        {
            var (shown, message) = (device.Messages.GetValueOrDefault(entry.Seq), log.MessageAt(entry, log.Head));
            if (shown != message) yield return $"{device} shows {shown} at {entry.Seq}, the log has {message}";
        }
    }

    /// <summary>The table still has what was once written to it, with the edits and deletions applied.</summary>
    private async Task<IReadOnlyList<string>> TableAsync(Guid owner)
    {
        var faults = new List<string>();
        var last = 0L;
        while (last < log.Head)
        {
            var page = await cluster.Store.ReadEntriesAsync(owner, id, last, PageSize);
            foreach (var entry in page.Entries)
            {
                var written = log.Find(++last);
                if (written?.Identity != EntryIdentity.Of(entry)) faults.Add($"the table has {entry}, written was {written}");
                if (written is not { Kind: EntryKinds.Message }) continue;
                var (stored, message) = (new TrueMessage(entry.Body, entry.EditedSeq, entry.DeletedSeq), log.MessageAt(written, log.Head));
                if (stored != message) faults.Add($"the table has {stored} at {last}, by the log it is {message}");
            }

            if (page.Entries.Length == 0) faults.Add($"the table ends at {last} of {log.Head}");
            if (page.Entries.Length == 0) break;
        }

        return faults;
    }
}
