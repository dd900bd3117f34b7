using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Pulse.Conversations;

/// <summary>Ids of conversations. An id follows from what the conversation is, so that two requests for the same one meet at one grain.</summary>
public static class ConversationId
{
    private static ReadOnlySpan<byte> DirectPurpose => "pulse.direct"u8;

    private static ReadOnlySpan<byte> CreatedPurpose => "pulse.created"u8;

    /// <summary>The id of the direct conversation of two users, in either order: a UUID of version 8 (RFC 9562 section 5.8) from their SHA-256.</summary>
    public static Guid OfPair(Guid one, Guid other) => one.CompareTo(other) < 0 ? From(DirectPurpose, one, other) : From(DirectPurpose, other, one);

    /// <summary>The id of a group or channel: a UUID of version 8 from its creator and the id that the creator's client chose.</summary>
    public static Guid OfCreator(Guid creator, Guid clientId) => From(CreatedPurpose, creator, clientId);

    private static Guid From(ReadOnlySpan<byte> purpose, Guid first, Guid second)
    {
        Span<byte> input = stackalloc byte[purpose.Length + 32];
        purpose.CopyTo(input);
        first.TryWriteBytes(input[purpose.Length..], bigEndian: true, out _);
        second.TryWriteBytes(input[(purpose.Length + 16)..], bigEndian: true, out _);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(input, hash);
        hash[6] = (byte)((hash[6] & 0x0F) | 0x80);
        hash[8] = (byte)((hash[8] & 0x3F) | 0x80);
        return new(hash[..16], bigEndian: true);
    }
}
