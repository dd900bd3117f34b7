using System.Net;
using System.Net.Sockets;
using System.Text;
using Pulse.Web.Tests.Http;

namespace Pulse.Web.Tests.Auth;

[Collection(SharedPulse.Name)]
public sealed class BearerTests(PulseApplication pulse)
{
    [Theory]
    [InlineData("GET", "/auth/me")]
    [InlineData("POST", "/auth/sync")]
    [InlineData("GET", "/users/3b241101-e2bb-4255-8caf-4136c566a962")]
    [InlineData("GET", "/presence?ids=3b241101-e2bb-4255-8caf-4136c566a962")]
    [InlineData("POST", "/hubs/pulse/negotiate?negotiateVersion=1")]
    public async Task Request_WithoutToken_IsChallengedWithoutError(string method, string path)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        using var response = await pulse.Anonymous.SendAsync(request);

        await response.ReadProblemAsync(HttpStatusCode.Unauthorized, "token-missing");
        Assert.Equal("Bearer", response.Headers.WwwAuthenticate.ToString());
    }

    [Theory]
    [MemberData(nameof(BadTokens.Names), MemberType = typeof(BadTokens))]
    public async Task Request_BadToken_IsRefusedWithAReason(string bad)
    {
        using var client = pulse.As(BadTokens.Make(bad));
        using var response = await client.GetAsync("/auth/me");
        await AssertRefusedAsync(response, BadTokens.Reason(bad));
    }

    [Theory]
    [InlineData("expired")]
    [InlineData("none")]
    [InlineData("malformed")]
    [InlineData("other key")]
    public async Task Hub_BadTokenInTheQuery_IsRefused(string bad)
    {
        using var response = await pulse.Anonymous.PostAsync($"/hubs/pulse/negotiate?negotiateVersion=1&access_token={BadTokens.Make(bad)}", content: null);
        await AssertRefusedAsync(response, BadTokens.Reason(bad));
    }

    [Fact]
    public async Task Hub_TokenInTheQuery_IsTaken()
    {
        var token = TestTokens.Hs256(TestTokens.Claims());
        using var response = await pulse.Anonymous.PostAsync($"/hubs/pulse/negotiate?negotiateVersion=1&access_token={token}", content: null);
        await response.ReadAsync(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Rest_TokenInTheQuery_IsNotTaken()
    {
        using var response = await pulse.Anonymous.GetAsync($"/auth/me?access_token={TestTokens.Hs256(TestTokens.Claims())}");
        await response.ReadProblemAsync(HttpStatusCode.Unauthorized, "token-missing");
    }

    [Theory]
    [InlineData("Bearer", "token-missing")]
    [InlineData("Bearer ", "token-missing")]
    [InlineData("Basic YWRhOnB3", "token-missing")]
    [InlineData("Bearer a b", "token-invalid")]
    public async Task Request_OddAuthorizationHeader_IsChallenged(string header, string kind)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/auth/me");
        request.Headers.TryAddWithoutValidation("Authorization", header);
        using var response = await pulse.Anonymous.SendAsync(request);
        await response.ReadProblemAsync(HttpStatusCode.Unauthorized, kind);
    }

    [Fact]
    public async Task Request_SchemeInAnyCase_IsTaken()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/auth/me");
        request.Headers.TryAddWithoutValidation("Authorization", $"bearer {TestTokens.Hs256(TestTokens.Claims())}");
        using var response = await pulse.Anonymous.SendAsync(request);
        await response.ReadProblemAsync(HttpStatusCode.NotFound, "not-synced");
    }

    // Sent as bytes, because the client library would refuse to send it.
    [Theory]
    [InlineData("GET /users/%FF%FE HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")]
    [InlineData("GET /presence?ids=%zz%u0000 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")]
    [InlineData("GET /users/%00 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")]
    [InlineData("GET /auth/me HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer \u00ff\u00fe.\u00fd.\u00fc\r\n\r\n")]
    [InlineData("GET /auth/me HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n")]
    [InlineData("GET /hubs/pulse?access_token=%ff&access_token=x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")]
    [InlineData("POST /auth/dev HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: ;;;\r\nContent-Length: 2\r\n\r\n{}")]
    [InlineData("POST /auth/dev HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")]
    public async Task Request_OddBytes_IsABadRequest(string request)
    {
        var status = await SendRawAsync(request);
        Assert.InRange(status, 400, 499);
    }

    [Fact]
    public async Task Request_HugeHeaders_AreRefused() =>
        Assert.Equal(431, await SendRawAsync($"GET /auth/me HTTP/1.1\r\nHost: x\r\nX: {new string('x', 40_000)}\r\n\r\n"));

    private static async Task AssertRefusedAsync(HttpResponseMessage response, string reason)
    {
        var problem = await response.ReadProblemAsync(HttpStatusCode.Unauthorized, "token-invalid");
        var challenge = response.Headers.WwwAuthenticate.ToString();
        Assert.StartsWith("Bearer error=\"invalid_token\", error_description=\"", challenge, StringComparison.Ordinal);
        Assert.Contains(reason, challenge, StringComparison.Ordinal);
        Assert.Contains(reason, (string?)problem["detail"], StringComparison.Ordinal);
    }

    private async Task<int> SendRawAsync(string request)
    {
        using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        using var tcp = new TcpClient();
        await tcp.ConnectAsync(pulse.Anonymous.BaseAddress!.Host, pulse.Anonymous.BaseAddress.Port, bound.Token);
        await using var stream = tcp.GetStream();
        await stream.WriteAsync(Encoding.Latin1.GetBytes(request), bound.Token);
        using var reader = new StreamReader(stream, Encoding.Latin1);
        var status = await reader.ReadLineAsync(bound.Token);
        return int.Parse(status!.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture);
    }
}
