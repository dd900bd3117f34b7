namespace Pulse.Web.Tests.Conversations;

/// <summary>The calls that name a conversation, all but the joining of a channel, as a user makes them who is no member.</summary>
internal static class CallsWithAnId
{
    /// <summary>Over REST: the path follows <c>/conversations/{id}</c>.</summary>
    /// <param name="userId">The caller.</param>
    /// <param name="otherId">Another user.</param>
    public static (HttpMethod Method, string Path, object? Body)[] Requests(Guid userId, Guid otherId) =>
    [
        (HttpMethod.Get, "", null), (HttpMethod.Patch, "", new { title = "Mine" }), (HttpMethod.Delete, "", null), (HttpMethod.Get, "/members", null),
        (HttpMethod.Get, "/messages", null), (HttpMethod.Get, "/entries", null), (HttpMethod.Post, "/messages", Message()),
        (HttpMethod.Patch, "/messages/2", new { text = "x" }), (HttpMethod.Delete, "/messages/2", null), (HttpMethod.Put, "/messages/2/reactions/a", null),
        (HttpMethod.Put, "/read", new { seq = 1 }), (HttpMethod.Put, "/mute", null), (HttpMethod.Delete, $"/members/{userId}", null),
        (HttpMethod.Put, $"/members/{otherId}", null),
    ];

    /// <summary>On the hub: the arguments follow the id.</summary>
    public static (string Method, object?[] Arguments)[] OnTheHub() =>
    [
        ("OpenConversation", [0]), ("SendMessage", [Message()]), ("EditMessage", [2, new { text = "x" }]), ("DeleteMessage", [2]), ("React", [2, "a", true]),
        ("MarkRead", [1]), ("Typing", []),
    ];

    private static object Message() => new { clientId = Guid.NewGuid(), text = "x" };
}
