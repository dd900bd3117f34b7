using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;
using Pulse.Web.Auth;

namespace Pulse.Web.Audit;

/// <summary>Gives a mailbox a constant name in the audit log. Only a holder of the signing key can find the address behind it.</summary>
/// <remarks>
/// The name is the first 16 bytes of an HMAC-SHA256 over the normalized address. A hash without a key would reveal the addresses to an
/// attacker who tries a list of them. HKDF (RFC 5869) derives the key from <see cref="AuthOptions.SigningKey"/>, so a change of that
/// setting changes the names.
/// </remarks>
internal sealed class MailboxHash(IOptions<AuthOptions> options)
{
    private const int Bytes = 16;

    // The purpose of the key, so that other uses of the setting derive different keys.
    private static readonly byte[] s_purpose = "pulse/audit-mailbox/v1"u8.ToArray();

    private readonly byte[] _key = HKDF.DeriveKey(
        HashAlgorithmName.SHA256, Encoding.UTF8.GetBytes(options.Value.SigningKey!), HMACSHA256.HashSizeInBytes, salt: null, s_purpose);

    /// <summary>The name: 32 hexadecimal digits.</summary>
    /// <param name="email">A normalized address.</param>
    public string Of(string email) => Convert.ToHexStringLower(HMACSHA256.HashData(_key, Encoding.UTF8.GetBytes(email)).AsSpan(0, Bytes));
}
