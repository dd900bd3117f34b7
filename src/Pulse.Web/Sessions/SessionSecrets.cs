using System.Buffers;
using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;
using Pulse.Web.Auth;

namespace Pulse.Web.Sessions;

/// <summary>
/// Creates and parses the content of session cookies. A forged one is refused here, before any call to a grain or the database.
/// </summary>
/// <remarks>
/// The text is the base64url of 16 bytes of user id, 16 random bytes, and 16 bytes of HMAC-SHA256 over both: 64 characters, no padding, one
/// spelling. The MAC's key is derived by HKDF (RFC 5869) from <see cref="AuthOptions.SigningKey"/>. MACs with
/// <see cref="AuthOptions.PreviousSigningKeys"/> are accepted too. A change of the setting without its old value in that list signs all
/// users out.
/// </remarks>
internal sealed class SessionSecrets(IOptions<AuthOptions> options)
{
    private const int UserIdBytes = 16;
    private const int RandomBytes = 16;
    private const int MacBytes = 16;
    private const int TextLength = (UserIdBytes + RandomBytes + MacBytes) / 3 * 4;

    // The purpose of the key, so that other uses of the setting derive different keys.
    private static readonly byte[] s_purpose = "pulse/session-cookie/v1"u8.ToArray();

    // The first key creates MACs, and all keys are accepted.
    private readonly byte[][] _keys =
    [
        .. options.Value.AllSigningKeys.Select(secret => HKDF.DeriveKey(
            HashAlgorithmName.SHA256, Encoding.UTF8.GetBytes(secret), HMACSHA256.HashSizeInBytes, salt: null, s_purpose)),
    ];

    /// <summary>Creates the content for a new session.</summary>
    public SessionSecret Create(Guid userId)
    {
        Span<byte> bytes = stackalloc byte[UserIdBytes + RandomBytes + MacBytes];
        userId.TryWriteBytes(bytes, bigEndian: true, out _);
        RandomNumberGenerator.Fill(bytes.Slice(UserIdBytes, RandomBytes));
        WriteMac(_keys[0], bytes[..^MacBytes], bytes[^MacBytes..]);
        return new(Base64Url.EncodeToString(bytes), userId, SHA256.HashData(bytes[UserIdBytes..]));
    }

    /// <summary>Parses a cookie's value. <see langword="false"/> for a value that <see cref="Create"/> has not made.</summary>
    public bool TryParse(string text, [NotNullWhen(true)] out SessionSecret? secret)
    {
        secret = null;
        Span<byte> bytes = stackalloc byte[UserIdBytes + RandomBytes + MacBytes];

        // The decoder skips white space, and a text of this length with white space gives too few bytes.
        if (text.Length != TextLength
            || Base64Url.DecodeFromChars(text, bytes, out _, out var length) != OperationStatus.Done
            || length != bytes.Length)
        {
            return false;
        }

        if (!HasMac(bytes)) return false;

        var userId = new Guid(bytes[..UserIdBytes], bigEndian: true);
        if (userId == Guid.Empty) return false;
        secret = new(text, userId, SHA256.HashData(bytes[UserIdBytes..]));
        return true;
    }

    private bool HasMac(ReadOnlySpan<byte> bytes)
    {
        Span<byte> mac = stackalloc byte[MacBytes];
        foreach (var key in _keys)
        {
            WriteMac(key, bytes[..^MacBytes], mac);
            if (CryptographicOperations.FixedTimeEquals(mac, bytes[^MacBytes..])) return true;
        }

        return false;
    }

    // RFC 2104 section 5: half of the hash is sufficient, if it has at least 80 bits.
    private static void WriteMac(byte[] key, ReadOnlySpan<byte> message, Span<byte> mac)
    {
        Span<byte> whole = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(key, message, whole);
        whole[..MacBytes].CopyTo(mac);
    }
}
