using System.Buffers;
using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace Pulse.Web.Sessions;

/// <summary>What a session cookie holds: whose session it is, and a secret that proves it. Only the secret's hash leaves this process.</summary>
/// <remarks>The text is the base64url of 16 bytes of user id and 32 random bytes: 64 characters, no padding, one spelling.</remarks>
internal sealed class SessionSecret
{
    private const int UserIdBytes = 16;
    private const int SecretBytes = 32;
    private const int TextLength = (UserIdBytes + SecretBytes) / 3 * 4;

    private SessionSecret(string text, Guid userId, byte[] hash) => (Text, UserId, Hash) = (text, userId, hash);

    /// <summary>The cookie's value. Signs in whoever has it: never logged, never stored.</summary>
    public string Text { get; }

    /// <summary>Whose sessions to ask.</summary>
    public Guid UserId { get; }

    /// <summary>SHA-256 of the random part. It has 256 bits of entropy, so nothing slower than one hash is needed to keep it from being guessed.</summary>
    public byte[] Hash { get; }

    /// <summary>A new one, for a new session.</summary>
    public static SessionSecret Create(Guid userId)
    {
        Span<byte> bytes = stackalloc byte[UserIdBytes + SecretBytes];
        userId.TryWriteBytes(bytes, bigEndian: true, out _);
        RandomNumberGenerator.Fill(bytes[UserIdBytes..]);
        return new(Base64Url.EncodeToString(bytes), userId, SHA256.HashData(bytes[UserIdBytes..]));
    }

    /// <summary>Reads a cookie's value; <see langword="false"/> for whatever <see cref="Create"/> cannot have made.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out SessionSecret? secret)
    {
        secret = null;
        Span<byte> bytes = stackalloc byte[UserIdBytes + SecretBytes];

        // The decoder passes over white space; a text of this length that has some gives too few bytes.
        if (text.Length != TextLength
            || Base64Url.DecodeFromChars(text, bytes, out _, out var length) != OperationStatus.Done
            || length != bytes.Length)
        {
            return false;
        }

        var userId = new Guid(bytes[..UserIdBytes], bigEndian: true);
        if (userId == Guid.Empty) return false;
        secret = new(text, userId, SHA256.HashData(bytes[UserIdBytes..]));
        return true;
    }
}
