using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Pulse.Load;

/// <summary>Mints the users' HS256 tokens.</summary>
internal sealed class Jwt(string secret, int firstUser)
{
    private static readonly string s_header = Base64Url.EncodeToString("""{"alg":"HS256","typ":"JWT"}"""u8);

    private readonly byte[] _key = Encoding.UTF8.GetBytes(secret);
    private readonly long _now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();

    public static string UserId(int user) => $"00000000-0000-4000-8000-{user:x12}";

    /// <summary>The token of the user with that number, counted from the first.</summary>
    public string Mint(int index)
    {
        var user = firstUser + index;
        var claims = $$"""{"sub":"{{UserId(user)}}","email":"user{{user}}@bench.test","name":"User {{user}}","iss":"bench","aud":"bench","iat":{{_now}},"exp":{{_now + 3600}}}""";
        var signed = $"{s_header}.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(claims))}";
        return $"{signed}.{Base64Url.EncodeToString(HMACSHA256.HashData(_key, Encoding.ASCII.GetBytes(signed)))}";
    }
}
