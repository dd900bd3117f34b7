using Pulse.Conversations;

namespace Pulse.Grains.Conversations;

/// <summary>What the grain of a conversation knows after its claim. Changed by committed entries only.</summary>
internal sealed class ConversationState
{
    public ConversationState(Claimed claimed, ConversationRow row, int recentEntries)
    {
        (Epoch, Head) = (claimed.Epoch, claimed.Head);
        (Kind, Title, NewcomersSee, ClosedAt, LastSentAt, IsBlocked) = (row.Kind, row.Title, row.NewcomersSee, row.ClosedAt, row.LastSentAt, row.IsBlocked);
        Members = row.Members.ToDictionary(member => member.UserId, member => new Member(member.Role, member.VisibleFrom, member.JoinedSeq) { Read = member.Read, Shown = member.Shown });
        Recent = new(recentEntries);
    }

    public long Epoch { get; set; }

    public long Head { get; private set; }

    public string Kind { get; }

    public string? Title { get; private set; }

    public string NewcomersSee { get; private set; }

    public DateTimeOffset? ClosedAt { get; private set; }

    /// <summary>Seq of the entry that closed it; <see langword="null"/> also where that is older than this activation.</summary>
    public long? ClosedSeq { get; set; }

    public DateTimeOffset LastSentAt { get; private set; }

    /// <summary>For a direct conversation: whether one of the two users blocks the other.</summary>
    public bool IsBlocked { get; set; }

    public Dictionary<Guid, Member> Members { get; }

    public RecentEntries Recent { get; }

    public bool IsDirect => Kind == ConversationKinds.Direct;

    /// <summary>The error of a user without membership.</summary>
    public ConversationError NotAMember => Kind == ConversationKinds.Channel ? ConversationError.NotAMember : ConversationError.NotFound;

    /// <summary>Applies a committed entry.</summary>
    public void Apply(NewEntry added)
    {
        var entry = added.Entry;
        (Head, LastSentAt) = (entry.Seq, entry.SentAt);
        switch (entry.Kind)
        {
            case EntryKinds.MemberAdded:
                Members[added.UserId!.Value] = new(added.Role!, added.VisibleFrom!.Value, entry.Seq) { Read = entry.Seq, Shown = entry.Seq };
                break;
            case EntryKinds.MemberRemoved or EntryKinds.SenderErased:
                Members.Remove(added.UserId!.Value);
                break;
            case EntryKinds.RoleChanged:
                (Members[added.UserId!.Value].Role, Members[added.UserId.Value].RoleSeq) = (added.Role!, entry.Seq);
                break;
            case EntryKinds.Renamed:
                Title = added.Value;
                break;
            case EntryKinds.RulesChanged:
                NewcomersSee = added.Value!;
                break;
            case EntryKinds.Closed:
                (ClosedAt, ClosedSeq) = (entry.SentAt, entry.Seq);
                break;
        }

        Recent.Add(entry);
    }

    /// <summary>A present member.</summary>
    public sealed class Member(string role, long visibleFrom, long joinedSeq)
    {
        public string Role { get; set; } = role;

        public long VisibleFrom { get; } = visibleFrom;

        public long JoinedSeq { get; } = joinedSeq;

        /// <summary>Seq of the entry that gave the role; <see langword="null"/> where that is older than this activation.</summary>
        public long? RoleSeq { get; set; }

        public long Read { get; set; }

        /// <summary>The read marker that other members may know: an invisible member's stays where it was.</summary>
        public long Shown { get; set; }

        public bool Manages => Role is MemberRoles.Owner or MemberRoles.Moderator;
    }
}
