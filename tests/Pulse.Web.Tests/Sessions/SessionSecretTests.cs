using System.Security.Cryptography;
using Pulse.Web.Sessions;
using Pulse.Web.Tests.Auth;

namespace Pulse.Web.Tests.Sessions;

public sealed class SessionSecretTests
{
    private static readonly SessionSecrets s_secrets = BadCookies.Secrets(TestTokens.Key);

    [Fact]
    public void Create_ThenParse_GivesUserAndHash()
    {
        var secret = s_secrets.Create(Guid.CreateVersion7());

        Assert.Equal(64, secret.Text.Length);
        Assert.True(s_secrets.TryParse(secret.Text, out var parsed));
        Assert.Equal((secret.UserId, secret.Text), (parsed.UserId, parsed.Text));
        Assert.Equal(secret.Hash, parsed.Hash);
        Assert.Equal(SHA256.HashSizeInBytes, parsed.Hash.Length);
    }

    [Fact]
    public void Create_Twice_HasNothingSecretInCommon()
    {
        var userId = Guid.CreateVersion7();

        Assert.NotEqual(s_secrets.Create(userId).Text[22..], s_secrets.Create(userId).Text[22..]);
    }

    [Theory]
    [MemberData(nameof(BadCookies.Changes), MemberType = typeof(BadCookies))]
    public void Parse_ChangedSecret_IsRefusedOrAnotherSecret(string change)
    {
        var secret = s_secrets.Create(Guid.CreateVersion7());

        Assert.True(!s_secrets.TryParse(BadCookies.Apply(change, secret.Text), out var parsed) || !parsed.Hash.AsSpan().SequenceEqual(secret.Hash));
    }

    [Theory]
    [MemberData(nameof(BadCookies.Forgeries), MemberType = typeof(BadCookies))]
    public void Parse_Forged_IsRefused(string forgery) =>
        Assert.False(s_secrets.TryParse(BadCookies.Apply(forgery, s_secrets.Create(Guid.CreateVersion7()).Text), out _));

    [Fact]
    public void Parse_OnAnotherFrontEnd_IsTheSame() => Assert.True(BadCookies.Secrets(TestTokens.Key).TryParse(s_secrets.Create(Guid.CreateVersion7()).Text, out _));

    [Fact]
    public void Parse_UnderAPreviousKey_IsTheSameSession_AndNewOnesAreUnderThePresentKey()
    {
        var old = s_secrets.Create(Guid.CreateVersion7());
        var changed = BadCookies.Secrets(TestTokens.OtherKey, "a key of the year before that, 0123456789", TestTokens.Key);

        Assert.True(changed.TryParse(old.Text, out var parsed));
        Assert.Equal(old.Hash, parsed.Hash);
        Assert.True(BadCookies.Secrets(TestTokens.OtherKey).TryParse(changed.Create(old.UserId).Text, out _));
        Assert.False(BadCookies.Secrets(TestTokens.OtherKey).TryParse(old.Text, out _));
    }

    [Fact]
    public void ToString_HasNoSecretInIt()
    {
        var secret = s_secrets.Create(Guid.CreateVersion7());

        Assert.DoesNotContain(secret.Text, $"{secret}", StringComparison.Ordinal);
        Assert.DoesNotContain(Convert.ToHexString(secret.Hash), $"{secret}", StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void Parse_Nothing_IsRefused() => Assert.False(s_secrets.TryParse("", out _));

    [Fact]
    public void Parse_CookieWithoutUser_IsRefused() => Assert.False(s_secrets.TryParse(s_secrets.Create(Guid.Empty).Text, out _));
}
