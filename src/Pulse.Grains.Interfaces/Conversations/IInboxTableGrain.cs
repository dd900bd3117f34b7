using Orleans.Concurrency;

namespace Pulse.Conversations;

/// <summary>
/// The front ends that one silo notifies of changes in conversations. The key is the silo's address in the format of
/// <c>IPresenceReaderGrain.ListSilosAsync</c>.
/// </summary>
[Alias("pulse.IInboxTableGrain")]
public interface IInboxTableGrain : IGrainWithStringKey
{
    /// <summary>Registers a front end, or renews its registration, which expires after 30 seconds.</summary>
    [Alias("RegisterAsync")]
    Task RegisterAsync([Immutable] IInboxObserver frontEnd);

    /// <summary>Removes a front end that stops.</summary>
    [Alias("ForgetAsync")]
    Task ForgetAsync([Immutable] IInboxObserver frontEnd);
}

/// <summary>A front end, as silos reach it with changes in conversations.</summary>
[Alias("pulse.IInboxObserver")]
public interface IInboxObserver : IGrainObserver
{
    /// <summary>Conversations have changed. May be lost with its silo, because clients read their inbox when they connect.</summary>
    [Alias("TakeAsync")]
    Task TakeAsync([Immutable] InboxHint[] hints);
}

/// <summary>A conversation has changed for some users.</summary>
[GenerateSerializer, Immutable, Alias("pulse.InboxHint")]
public sealed record InboxHint
{
    /// <summary>The conversation.</summary>
    [Id(0)] public Guid ConversationId { get; init; }

    /// <summary>Seq of its newest entry; 0 where the log has not changed.</summary>
    [Id(1)] public long Head { get; init; }

    /// <summary>The users for whom the log has changed. Sockets that have the conversation open receive the entries themselves.</summary>
    [Id(2)] public Guid[] Recipients { get; init; } = [];

    /// <summary>The users whose own part has changed: marker, mute, role, addition or removal. All their sockets receive that.</summary>
    [Id(3)] public Guid[] Own { get; init; } = [];

    /// <summary>The conversation has so many members that clients get no counts with the change.</summary>
    [Id(4)] public bool IsLarge { get; init; }
}
