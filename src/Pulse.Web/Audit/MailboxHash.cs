using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;
using Pulse.Web.Auth;

namespace Pulse.Web.Audit;

/// <summary>
/// Gives a mailbox a name in the audit log that shows the same mailbox again, and the address only to a holder of the signing key.
/// </summary>
/// <remarks>
/// The first 16 bytes of an HMAC-SHA256 over the normalised address. A hash without a key would show the addresses to whoever tries a list
/// of them. HKDF (RFC 5869)
/// derives the key from <see cref="AuthOptions.SigningKey"/>: after a change of that setting a mailbox has another name.
/// </remarks>
internal sealed class MailboxHash(IOptions<AuthOptions> options)
{
    private const int Bytes = 16;

    // What the key is for: no other use of the setting derives the same one.
    private static readonly byte[] s_purpose = "pulse/audit-mailbox/v1"u8.ToArray();

    private readonly byte[] _key = HKDF.DeriveKey(
        HashAlgorithmName.SHA256, Encoding.UTF8.GetBytes(options.Value.SigningKey!), HMACSHA256.HashSizeInBytes, salt: null, s_purpose);

    /// <summary>The name: 32 hexadecimal digits.</summary>
    /// <param name="email">A normalised address.</param>
    public string Of(string email) => Convert.ToHexStringLower(HMACSHA256.HashData(_key, Encoding.UTF8.GetBytes(email)).AsSpan(0, Bytes));
}
