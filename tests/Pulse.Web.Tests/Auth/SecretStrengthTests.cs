using System.Security.Cryptography;
using Pulse.Web.Auth;

namespace Pulse.Web.Tests.Auth;

public sealed class SecretStrengthTests
{
    [Theory]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    [InlineData("12345678901234567890123456789012")]
    [InlineData("abcdefghijklmnopqrstuvwxyz012345")]
    [InlineData("changemechangemechangemechangemechange")]
    [InlineData("secret-signing-key!secret-signing-key!")]
    [InlineData("0000000000000000000000000000000000000000000000000000000000000001")]
    public void IsGuessable_MadeByHand_IsTrue(string secret) => Assert.True(SecretStrength.IsGuessable(secret));

    [Fact]
    public void IsGuessable_MadeAtRandom_IsFalse()
    {
        for (var i = 0; i < 1_000; i++)
        {
            Assert.False(SecretStrength.IsGuessable(RandomNumberGenerator.GetHexString(32, lowercase: true)));
            Assert.False(SecretStrength.IsGuessable(Convert.ToBase64String(RandomNumberGenerator.GetBytes(32))));
        }
    }
}
