using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Pulse.Limits;

/// <summary>The cheapest possible check of an HS256 token: signature and expiry. Returns the subject, or null.</summary>
internal sealed class Hs256(string secret)
{
    private readonly byte[] _key = Encoding.UTF8.GetBytes(secret);

    public string? Subject(ReadOnlySpan<char> token)
    {
        int dot = token.LastIndexOf('.');
        if (dot < 0 || token.Length > 2048) return null;
        Span<byte> text = stackalloc byte[2048];
        if (!Encoding.UTF8.TryGetBytes(token, text, out int length) || length != token.Length) return null;
        ReadOnlySpan<byte> signed = text[..dot];

        Span<byte> expected = stackalloc byte[32], given = stackalloc byte[32];
        HMACSHA256.HashData(_key, signed, expected);
        if (!Base64Url.TryDecodeFromUtf8(text[(dot + 1)..length], given, out int n) || n != 32) return null;
        if (!CryptographicOperations.FixedTimeEquals(expected, given)) return null;

        int first = signed.IndexOf((byte)'.');
        Span<byte> claims = stackalloc byte[1536];
        if (first < 0 || !Base64Url.TryDecodeFromUtf8(signed[(first + 1)..], claims, out n)) return null;
        string? subject = null;
        long expiry = 0;
        var json = new Utf8JsonReader(claims[..n]);
        while (json.Read())
        {
            if (json.TokenType != JsonTokenType.PropertyName) continue;
            if (json.ValueTextEquals("sub"u8)) { json.Read(); subject = json.GetString(); }
            else if (json.ValueTextEquals("exp"u8)) { json.Read(); expiry = json.GetInt64(); }
            else json.Skip();
        }
        return expiry > DateTimeOffset.UtcNow.ToUnixTimeSeconds() ? subject : null;
    }
}
