namespace Pulse.Conversations;

/// <summary>The kinds of entries, as the database and the wire name them. Readers skip kinds that they do not know.</summary>
public static class EntryKinds
{
    /// <summary>The conversation exists: <c>{kind, title, newcomersSee}</c>.</summary>
    public const string Created = "created";

    /// <summary>A message; the body is its text.</summary>
    public const string Message = "message";

    /// <summary>A message's text was replaced; the body is the new text.</summary>
    public const string Edit = "edit";

    /// <summary>A message was deleted.</summary>
    public const string Delete = "delete";

    /// <summary>A reaction was added to a message or removed from it: <c>{emoji, on}</c>.</summary>
    public const string Reaction = "reaction";

    /// <summary>A user became a member: <c>{userId, role}</c>.</summary>
    public const string MemberAdded = "member-added";

    /// <summary>A member left or was removed: <c>{userId, by}</c>.</summary>
    public const string MemberRemoved = "member-removed";

    /// <summary>A member has another role: <c>{userId, role}</c>.</summary>
    public const string RoleChanged = "role-changed";

    /// <summary>The conversation has another title: <c>{title}</c>.</summary>
    public const string Renamed = "renamed";

    /// <summary>Newcomers see another part of the log: <c>{newcomersSee}</c>.</summary>
    public const string RulesChanged = "rules-changed";

    /// <summary>The conversation takes no further entries.</summary>
    public const string Closed = "closed";

    /// <summary>A user was erased, and the texts of this sender with the user: <c>{senderId}</c>.</summary>
    public const string SenderErased = "sender-erased";
}

/// <summary>The kinds of conversations, as the database and the wire name them.</summary>
public static class ConversationKinds
{
    /// <summary>Exactly two users, one per pair.</summary>
    public const string Direct = "direct";

    /// <summary>Members are added by an owner or moderator.</summary>
    public const string Group = "group";

    /// <summary>Any signed-in user can find and join it.</summary>
    public const string Channel = "channel";
}

/// <summary>The roles of members, as the database and the wire name them.</summary>
public static class MemberRoles
{
    /// <summary>May do everything, including closing the conversation.</summary>
    public const string Owner = "owner";

    /// <summary>May change members, title and rules, and delete the messages of others.</summary>
    public const string Moderator = "moderator";

    /// <summary>May read and send.</summary>
    public const string Member = "member";

    /// <summary>May read.</summary>
    public const string Reader = "reader";

    /// <summary>Whether the text is a role.</summary>
    public static bool IsRole(string? role) => role is Owner or Moderator or Member or Reader;
}

/// <summary>The rules for what new members see, as the database and the wire name them.</summary>
public static class NewcomersSee
{
    /// <summary>The whole log.</summary>
    public const string All = "all";

    /// <summary>The entries from their joining on.</summary>
    public const string SinceJoining = "since-joining";
}
