using System.Security.Cryptography;
using System.Text;

namespace Pulse.Accounts;

/// <summary>A user's accounts as one short text.</summary>
public static class LinkedAccounts
{
    /// <summary>A text that changes with each link, because each link has its own id.</summary>
    /// <param name="accounts">All accounts of one user, in any order.</param>
    public static string Mark(IEnumerable<ExternalAccount> accounts)
    {
        var ids = accounts.Select(account => account.LinkId?.ToString("N") ?? new AccountKey(account.Provider, account.ProviderAccountId).ToString());
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\0', ids.Order(StringComparer.Ordinal)))));
    }
}
