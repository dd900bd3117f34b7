using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Pulse.Web.SignIn;

/// <summary>The secret in a sign-in link: 32 random bytes, base64url. Only its SHA-256 is stored.</summary>
internal static class EmailToken
{
    private const int Bytes = 32;

    /// <summary>Creates a random token.</summary>
    public static (string Token, byte[] Hash) Create()
    {
        var token = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(Bytes));
        return (token, Hash(token));
    }

    /// <summary>The hash of a token. <see langword="false"/> if the text is malformed.</summary>
    public static bool TryHash(string? token, out byte[] hash)
    {
        // Each token has one spelling: the bits beyond the last byte must be zero. Otherwise a modified link would still be valid.
        var isToken = token is { Length: 43 } && Base64Url.IsValid(token) && Base64Url.EncodeToString(Base64Url.DecodeFromChars(token)) == token;
        hash = isToken ? Hash(token!) : [];
        return isToken;
    }

    // 256 random bits cannot be guessed, so salt and a slow hash are unnecessary.
    private static byte[] Hash(string token) => SHA256.HashData(Encoding.ASCII.GetBytes(token));
}
