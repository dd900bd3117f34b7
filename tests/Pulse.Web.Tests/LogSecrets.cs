using System.Text.RegularExpressions;
using Pulse.Web.Tests.Auth;

namespace Pulse.Web.Tests;

/// <summary>Searches log lines for forbidden texts: e-mail addresses, tokens, sign-in links, keys and passwords of the tests.</summary>
internal static partial class LogSecrets
{
    private static readonly string[] s_secrets = [TestTokens.Key, TestTokens.OtherKey, "google-secret", "mail password"];

    /// <summary>Whether the line contains one.</summary>
    public static bool IsIn(string line) =>
        Array.Exists(s_secrets, secret => line.Contains(secret, StringComparison.Ordinal))
        || (line.Contains("eyJ", StringComparison.Ordinal) && Jwt().IsMatch(line))
        || (line.Contains('@', StringComparison.Ordinal) && Address().IsMatch(line))
        || (line.Contains("token=", StringComparison.OrdinalIgnoreCase) && LinkToken().IsMatch(line));

    /// <summary>Fails if a line contains one.</summary>
    public static void AssertNotIn(IEnumerable<string> lines) => Assert.DoesNotContain(lines, IsIn);

    // RFC 7519 section 3.1: a JSON object in base64url begins so.
    [GeneratedRegex(@"eyJ[A-Za-z0-9_-]{8,}\.")]
    private static partial Regex Jwt();

    // In the domains that tests use.
    [GeneratedRegex(@"[A-Za-z0-9._%+-]+@([A-Za-z0-9-]+\.)+(example|test|com|org|invalid)\b")]
    private static partial Regex Address();

    [GeneratedRegex("token=[A-Za-z0-9_-]{43}", RegexOptions.IgnoreCase)]
    private static partial Regex LinkToken();
}
