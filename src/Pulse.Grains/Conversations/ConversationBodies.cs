using System.Text.Encodings.Web;
using System.Text.Json;
using Pulse.Conversations;

namespace Pulse.Grains.Conversations;

/// <summary>The JSON bodies of entries other than messages and edits.</summary>
internal static class ConversationBodies
{
    private static readonly JsonWriterOptions s_plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Created(ConversationStart start) => Write(json =>
    {
        json.WriteString("kind", start.Kind);
        json.WriteString("title", start.Title);
        json.WriteString("newcomersSee", start.NewcomersSee);
    });

    public static string Deleted(Guid by) => Write(json => json.WriteString("by", by));

    public static string Reaction(string emoji, bool on) => Write(json =>
    {
        json.WriteString("emoji", emoji);
        json.WriteBoolean("on", on);
    });

    public static string Member(Guid userId, string role) => Write(json =>
    {
        json.WriteString("userId", userId);
        json.WriteString("role", role);
    });

    public static string Removed(Guid userId, Guid by) => Write(json =>
    {
        json.WriteString("userId", userId);
        json.WriteString("by", by);
    });

    public static string Erased(Guid senderId) => Write(json => json.WriteString("senderId", senderId));

    public static string Title(string title) => Write(json => json.WriteString("title", title));

    public static string Newcomers(string see) => Write(json => json.WriteString("newcomersSee", see));

    public static string Empty { get; } = "{}";

    /// <summary>The members that a new conversation has: both users of a direct conversation are members, the creator of another is its owner.</summary>
    public static (Guid[] Users, string[] Roles) FirstMembers(ConversationStart start) => (
        [start.CreatorId, .. start.Members],
        [start.Kind == ConversationKinds.Direct ? MemberRoles.Member : MemberRoles.Owner, .. start.Members.Select(_ => MemberRoles.Member)]);

    private static string Write(Action<Utf8JsonWriter> members)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, s_plain))
        {
            json.WriteStartObject();
            members(json);
            json.WriteEndObject();
        }

        return System.Text.Encoding.UTF8.GetString(stream.GetBuffer(), 0, (int)stream.Length);
    }
}
