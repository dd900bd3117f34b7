using System.Buffers.Text;
using System.Security.Cryptography;
using Microsoft.Extensions.Options;
using Pulse.Web.Auth;
using Pulse.Web.Sessions;
using Pulse.Web.Tests.Auth;

namespace Pulse.Web.Tests.Sessions;

/// <summary>The ways in which a session cookie can be damaged or forged.</summary>
internal static class BadCookies
{
    public static TheoryData<string> Changes =>
        ["cut", "cut to the user", "longer", "padded", "changed", "spaces", "other alphabet", "not base64", "very long", "quoted", "unknown", "under another key", "of another user", "made up"];

    /// <summary>Cookies in the right form that no front end has made.</summary>
    public static TheoryData<string> Forgeries => ["under another key", "of another user", "made up"];

    public static SessionSecrets Secrets(string key, params string[] previous)
    {
        var options = new AuthOptions { SigningKey = key };
        foreach (var other in previous) options.PreviousSigningKeys.Add(other);
        return new(Options.Create(options));
    }

    public static string Apply(string change, string good) => change switch
    {
        "cut" => good[..^1],
        "cut to the user" => good[..22],
        "longer" => good + "A",
        "padded" => good[..^2] + "==",
        "changed" => good[..^1] + (good[^1] == 'A' ? 'B' : 'A'),
        "spaces" => good[..^2] + "%20%20",
        "other alphabet" => good[..^2] + "+/",
        "not base64" => new string('!', good.Length),
        "very long" => new string('A', 4000),
        "quoted" => $"\"{good[..^2]}\"",
        "unknown" => Secrets(TestTokens.Key).Create(Guid.CreateVersion7()).Text,
        "under another key" => Secrets(TestTokens.OtherKey).Create(Guid.CreateVersion7()).Text,
        "of another user" => (good[0] == 'A' ? 'B' : 'A') + good[1..],
        "made up" => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(48)),
        _ => throw new ArgumentOutOfRangeException(nameof(change), change, "No such change."),
    };
}
