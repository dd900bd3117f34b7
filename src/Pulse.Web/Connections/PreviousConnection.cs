using System.Buffers;

namespace Pulse.Web.Connections;

/// <summary>Reads <c>?previous=</c>, by which a reconnecting client names its former connection.</summary>
internal static class PreviousConnection
{
    private const int MaxLength = 128;

    // SignalR's connection ids are base64url (RFC 4648 section 5).
    private static readonly SearchValues<char> s_idCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

    /// <returns>The id, or <see langword="null"/> if it is missing or malformed. The client then connects as if it had no former
    /// connection.</returns>
    public static string? Read(HttpRequest? request) =>
        request?.Query["previous"] is [{ Length: > 0 and <= MaxLength } id] && !id.AsSpan().ContainsAnyExcept(s_idCharacters) ? id : null;
}
