using System.Net;
using Pulse.Web.Tests.Http;

namespace Pulse.Web.Tests.Auth;

/// <summary>The back end of docs/front-end/tokens.md, with the real program.</summary>
public sealed class BackEndTests(BackEndTests.Application pulse) : IClassFixture<BackEndTests.Application>
{
    [Fact]
    public async Task UserOfABackEnd_IsMadeBySync_AndFollowsItsNames()
    {
        var backEnd = new BackEnd(pulse.Anonymous, TestTokens.OtherKey);

        var id = await backEnd.SyncAsync("ada", "ada@example.com", "Ada");
        Assert.Equal(id, await backEnd.SyncAsync("ada", "ada@example.com", "Ada King"));

        using var ada = pulse.As(backEnd.IssueToken("ada", "ada@example.com", "Ada King"));
        using var me = await ada.GetAsync("/auth/me");
        var user = await me.ReadAsync(HttpStatusCode.OK);
        Assert.Equal((id, "Ada King"), ((Guid)user["id"]!, (string?)user["name"]));
    }

    public sealed class Application() : PulseApplication([new("Pulse:Auth:TrustedIssuers:0:Issuer", "https://app.example.com")]);
}
