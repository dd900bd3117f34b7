using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Pulse.Web.SignIn;

/// <summary>The secret in a sign-in link: 32 random bytes, base64url. Only its SHA-256 is kept.</summary>
internal static class EmailToken
{
    private const int Bytes = 32;

    /// <summary>A new one.</summary>
    public static (string Token, byte[] Hash) Create()
    {
        var token = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(Bytes));
        return (token, Hash(token));
    }

    /// <summary>The hash of a token; <see langword="false"/> for text that is none.</summary>
    public static bool TryHash(string? token, out byte[] hash)
    {
        // One spelling each: the bits that do not fit a byte must be zero, or a changed link would still be good.
        var isToken = token is { Length: 43 } && Base64Url.IsValid(token) && Base64Url.EncodeToString(Base64Url.DecodeFromChars(token)) == token;
        hash = isToken ? Hash(token!) : [];
        return isToken;
    }

    // No salt and no slow hash: nobody guesses 256 random bits.
    private static byte[] Hash(string token) => SHA256.HashData(Encoding.ASCII.GetBytes(token));
}
