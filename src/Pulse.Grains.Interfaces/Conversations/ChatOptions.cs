using System.ComponentModel.DataAnnotations;

namespace Pulse.Conversations;

/// <summary>Limits of the chat.</summary>
public sealed class ChatOptions
{
    /// <summary>The section of the settings.</summary>
    public const string SectionName = "Pulse:Chat";

    /// <summary>The longest text of a message, UTF-16 code units after trimming. Default 8,000.</summary>
    [Range(1, 8_000)]
    public int MaxTextLength { get; set; } = 8_000;

    /// <summary>The most members of one conversation. Default 10,000.</summary>
    [Range(2, 10_000)]
    public int MaxMembers { get; set; } = 10_000;

    /// <summary>Up to how many members read markers are sent to the other members. Default 100.</summary>
    [Range(0, 1_000)]
    public int ReceiptsUpTo { get; set; } = 100;

    /// <summary>Up to how many members typing is sent to the other members. Default 100.</summary>
    [Range(0, 1_000)]
    public int TypingUpTo { get; set; } = 100;

    /// <summary>Up to how many members all members get hints of new messages in conversations that they have not opened. Default 1,000.</summary>
    [Range(0, 10_000)]
    public int HintsUpTo { get; set; } = 1_000;

    /// <summary>How many of the newest entries an active conversation keeps in memory. Default 128.</summary>
    [Range(16, 4_096)]
    public int RecentEntries { get; set; } = 128;

    /// <summary>Messages, edits, deletions and reactions that one user may make in one conversation, per second. Default 5.</summary>
    [Range(1, 100_000)]
    public int SendsPerSecond { get; set; } = 5;

    /// <summary>As <see cref="SendsPerSecond"/>, at once after a pause. Default 20.</summary>
    [Range(1, 100_000)]
    public int SendsAtOnce { get; set; } = 20;

    /// <summary>Conversations that one user may create per minute, for each front end. Default 10.</summary>
    [Range(1, 100_000)]
    public int StartsPerMinute { get; set; } = 10;

    /// <summary>
    /// Members that one user may add, and changes of roles, titles and rules, per minute in all conversations, for each front end.
    /// Default 200.
    /// </summary>
    [Range(1, 100_000)]
    public int AddsPerMinute { get; set; } = 200;

    /// <summary>How long after sending a message its sender may edit it; <see langword="null"/>, the default, for without end.</summary>
    public TimeSpan? EditWindow { get; set; }
}
