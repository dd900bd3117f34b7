using Pulse.Web.Tests.Auth;

namespace Pulse.Web.Tests;

public sealed class LogSecretsTests
{
    [Theory]
    [InlineData("A mail to ada@mail.example.com failed")]
    [InlineData("GET /hubs/pulse?access_token=eyJhbGciOiJIUzI1NiJ9.e30.AAAA")]
    [InlineData("GET /auth/callback/email?token=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA&returnUrl=/")]
    [InlineData("Key: " + TestTokens.Key)]
    public void LineWithASecret_IsFound(string line) => Assert.True(LogSecrets.IsIn(line));

    [Theory]
    [InlineData("user=01a21e34-fef0-73f2-a94c-107365607911 mailbox=a15d2752b3dfe380f780ceec3c8e1f52")]
    [InlineData("[Activation: S127.0.0.1:11111:1/user/0a@c0ffee]")]
    public void LineWithoutASecret_IsNotFound(string line) => Assert.False(LogSecrets.IsIn(line));
}
