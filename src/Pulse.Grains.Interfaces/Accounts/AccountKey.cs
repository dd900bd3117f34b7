using Pulse.Identity;

namespace Pulse.Accounts;

/// <summary>The key of an <see cref="IAccountGrain"/>: provider and account id in one string that can be parsed back.</summary>
/// <param name="Provider">See <see cref="ExternalAccount.Provider"/>.</param>
/// <param name="ProviderAccountId">See <see cref="ExternalAccount.ProviderAccountId"/>.</param>
public readonly record struct AccountKey(string Provider, string ProviderAccountId)
{
    // An issuer is a URI or a plain name and so contains no line feed. The account id may contain any character.
    private const char Separator = '\n';

    /// <summary>Reads a grain key that <see cref="ToString"/> wrote.</summary>
    public static AccountKey Parse(string key)
    {
        var cut = key.IndexOf(Separator, StringComparison.Ordinal);
        return cut < 0
            ? throw new ArgumentException("An account's grain key is the provider, a line feed and the account id.", nameof(key))
            : new(key[..cut], key[(cut + 1)..]);
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Provider}{Separator}{ProviderAccountId}";
}
