using System.Security.Cryptography;
using System.Text;
using Pulse.Accounts;

namespace Pulse.Grains.Accounts;

/// <summary>
/// Computes the tombstone id of an account of a trusted issuer. The tombstone is needed because such tokens may outlive the erased user.
/// </summary>
/// <remarks>
/// The id is a UUID of version 8 (RFC 9562 section 5.8) from the SHA-256 of the account. It identifies no person, and only a caller with
/// the account's token can compute it.
/// </remarks>
internal static class AccountTombstone
{
    /// <summary>The tombstone id of that account.</summary>
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
