using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Pulse.Web.Tests.Auth;
using Pulse.Web.Tests.Http;

namespace Pulse.Web.Tests.Users;

/// <summary>Untrustworthy bodies. Each answer names the error, and its status is below 500.</summary>
[Collection(SharedPulse.Name)]
public sealed class SyncInputTests(PulseApplication pulse)
{
    [Theory]
    [InlineData("hello", "body")]
    [InlineData("{", "body")]
    [InlineData("{}{}", "body")]
    [InlineData("{} x", "body")]
    [InlineData("[]", "body")]
    [InlineData("\"text\"", "body")]
    [InlineData("1", "body")]
    [InlineData("{'name':'Ada'}", "body")]
    [InlineData("{\"name\":\"Ada\",}", "body")]
    [InlineData("{\"name\":1}", "name")]
    [InlineData("{\"name\":[]}", "name")]
    [InlineData("{\"email\":{}}", "email")]
    [InlineData("{\"avatar\":true}", "avatar")]
    [InlineData("{\"nickname\":\"Ada\"}", "nickname")]
    [InlineData("{\"Name\":\"Ada\"}", "Name")]
    [InlineData("{\"id\":\"1\"}", "id")]
    [InlineData("{\"name\":\"Ada\",\"name\":\"Eve\"}", "name")]
    [InlineData("{\"name\":\"\\ud800\"}", "name")]
    [InlineData("{\"email\":\"\"}", "email")]
    [InlineData("{\"email\":\"ada\"}", "email")]
    [InlineData("{\"email\":\"ada@example.com, eve@example.com\"}", "email")]
    [InlineData("{\"email\":\"Ada <ada@example.com>\"}", "email")]
    [InlineData("{\"name\":\"\"}", "name")]
    [InlineData("{\"name\":\" \\t\"}", "name")]
    [InlineData("{\"name\":\"a\\u0000b\"}", "name")]
    [InlineData("{\"name\":\"a\\u202eb\"}", "name")]
    [InlineData("{\"avatar\":\"\"}", "avatar")]
    [InlineData("{\"avatar\":\"/a.png\"}", "avatar")]
    [InlineData("{\"avatar\":\"javascript:alert(1)\"}", "avatar")]
    public async Task Sync_BadBody_NamesTheMember(string body, string member)
    {
        using var client = NewUser();
        using var response = await client.PostJsonAsync("/auth/sync", body);
        await response.AssertInvalidAsync(member);
    }

    [Theory]
    [InlineData("email", 255)]
    [InlineData("name", 201)]
    [InlineData("avatar", 2049)]
    public async Task Sync_TooLongMember_NamesIt(string member, int length)
    {
        var start = member switch { "avatar" => "https://example.com/", _ => "" };
        var end = member switch { "email" => "@example.com", _ => "" };
        using var client = NewUser();

        using var response = await client.PostJsonAsync(
            "/auth/sync", new JsonObject { [member] = start + new string('a', length - start.Length - end.Length) + end }.ToJsonString());

        await response.AssertInvalidAsync(member);
    }

    [Fact]
    public async Task Sync_DeepBody_IsRefused()
    {
        using var client = NewUser();
        using var response = await client.PostJsonAsync("/auth/sync", $"{{\"name\":{new string('[', 5000)}");
        await response.ReadProblemAsync(HttpStatusCode.BadRequest, "validation");
    }

    [Fact]
    public async Task Sync_BytesThatAreNoUtf8_AreRefused()
    {
        using var client = NewUser();
        using var content = new ByteArrayContent([.. "{\"name\":\""u8, 0xC3, 0x28, .. "\"}"u8]);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");

        using var response = await client.PostAsync("/auth/sync", content);

        await response.AssertInvalidAsync("name");
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("application/json; charset=utf-16")]
    public async Task Sync_OtherContentType_IsRefused(string contentType)
    {
        using var client = NewUser();
        using var response = await client.PostJsonAsync("/auth/sync", "{}", contentType);
        await response.ReadProblemAsync(HttpStatusCode.UnsupportedMediaType, "unsupported-media-type");
    }

    [Fact]
    public async Task Sync_NoContentType_IsRefused()
    {
        using var client = NewUser();
        using var response = await client.PostAsync("/auth/sync", new ByteArrayContent("{}"u8.ToArray()));
        await response.ReadProblemAsync(HttpStatusCode.UnsupportedMediaType, "unsupported-media-type");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Sync_TooLargeBody_IsRefused(bool chunked)
    {
        using var client = NewUser();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/auth/sync")
        {
            Content = new StringContent($"{{\"name\":\"{new string('a', 17 * 1024)}\"}}", Encoding.UTF8, "application/json"),
        };
        request.Headers.TransferEncodingChunked = chunked;

        using var response = await client.SendAsync(request);

        await response.ReadProblemAsync(HttpStatusCode.RequestEntityTooLarge, "too-large");
    }

    [Theory]
    [InlineData(null)]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("{\"email\":null,\"name\":null,\"avatar\":null}")]
    [InlineData("\uFEFF{}")]
    public async Task Sync_NothingInTheBody_IsFine(string? body)
    {
        using var client = NewUser();
        using var response = await client.PostJsonAsync("/auth/sync", body);
        await response.ReadAsync(HttpStatusCode.Created);
    }

    [Fact]
    public async Task Sync_EmptyChunkedBody_IsFine()
    {
        using var client = NewUser();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/auth/sync") { Content = new ByteArrayContent([]) };
        request.Headers.TransferEncodingChunked = true;

        using var response = await client.SendAsync(request);

        await response.ReadAsync(HttpStatusCode.Created);
    }

    [Fact]
    public async Task Sync_EmailThatDiffersFromTheTokens_IsRefused()
    {
        using var client = NewUser();
        using var response = await client.PostJsonAsync("/auth/sync", """{"email":"eve@example.com"}""");
        await response.AssertInvalidAsync("email");
    }

    [Theory]
    [InlineData("no address")]
    [InlineData("")]
    public async Task Sync_TokensEmailIsNone_IsRefused(string email)
    {
        using var client = pulse.As(TestTokens.Hs256(TestTokens.Claims(email: email)));
        using var response = await client.PostJsonAsync("/auth/sync", null);
        await response.AssertInvalidAsync("email");
    }

    private HttpClient NewUser() => pulse.As(TestTokens.Hs256(TestTokens.Claims(email: $"in-{Guid.NewGuid():N}@example.com")));
}
