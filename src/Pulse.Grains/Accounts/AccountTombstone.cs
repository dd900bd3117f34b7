using System.Security.Cryptography;
using System.Text;
using Pulse.Accounts;

namespace Pulse.Grains.Accounts;

/// <summary>The id of the tombstone that stands for an account of a trusted issuer, whose tokens may live longer than the erased user.</summary>
/// <remarks>
/// A UUID of version 8 (RFC 9562 section 5.8) from the SHA-256 of the account: it names nobody, and only a caller that has the account's token can
/// find it.
/// </remarks>
internal static class AccountTombstone
{
    /// <summary>The id for that account.</summary>
    public static Guid IdOf(AccountKey account)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes($"pulse/tombstone/v1\n{account}"), hash);
        var id = hash[..16];
        id[6] = (byte)((id[6] & 0x0F) | 0x80);
        id[8] = (byte)((id[8] & 0x3F) | 0x80);
        return new(id, bigEndian: true);
    }
}
