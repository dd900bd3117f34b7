using System.Diagnostics;

namespace Pulse.Conversations;

/// <summary>Spans of the chat, for one trace from a send to the writes to the sockets. Ids and texts are left out.</summary>
public static class ChatTracing
{
    /// <summary>The name of the source.</summary>
    public const string Name = "Pulse.Chat";

    /// <summary>The silo hands a run to the database, up to its answer. Linked to the sends of the run.</summary>
    public const string Append = "chat append";

    /// <summary>The silo sends a run to a front end, up to its answer.</summary>
    public const string Deliver = "chat deliver";

    /// <summary>The front end writes a run to the sockets that have the conversation open. Sockets whose clients read slowly follow later.</summary>
    public const string Write = "chat write";

    /// <summary>The source of the spans.</summary>
    public static readonly ActivitySource Source = new(Name);
}
