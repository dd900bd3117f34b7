using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Pulse.Web.Http;
using Pulse.Web.Sessions;
using Pulse.Web.Tests.Sessions;

namespace Pulse.Web.Tests.Http;

/// <summary>Every time in a REST answer has the form that README shows.</summary>
[Collection(SharedPulse.Name)]
public sealed partial class TimeFormatTests(PulseApplication pulse)
{
    [Fact]
    public async Task Times_OfEveryRoute_HaveThreeDecimals()
    {
        using var browser = await Browser.SignInAsync(pulse);
        using var token = await browser.PostAsync("/auth/token");
        using var user = pulse.As((string)(await token.ReadAsync(HttpStatusCode.OK))["accessToken"]!);

        // A user that was connected has a lastSeen.
        await browser.User.DisconnectAsync(
            new() { ConnectionId = "times", FrontEndId = "times", SeenAt = DateTimeOffset.UtcNow.AddMinutes(-1) }, Pulse.Presence.ConnectionEnd.Closed);

        var times = new List<string>();
        await CollectAsync(times, () => pulse.Anonymous.PostJsonAsync("/auth/dev", $$"""{"email":"{{Guid.NewGuid():N}}@example.com"}"""), count: 1);
        await CollectAsync(times, () => browser.PostAsync("/auth/token"), count: 1);
        await CollectAsync(times, () => browser.GetAsync("/auth/sessions"), count: 3);
        await CollectAsync(times, () => user.GetAsync("/auth/me"), count: 2);
        await CollectAsync(times, () => user.PostJsonAsync("/auth/sync", "{}"), count: 2);
        await CollectAsync(times, () => user.GetAsync($"/users/{browser.UserId}"), count: 0);
        await CollectAsync(times, () => user.GetAsync("/auth/accounts"), count: 0);
        await CollectAsync(times, () => user.GetAsync($"/presence?ids={browser.UserId}"), count: 1);

        Assert.All(times, time => Assert.Matches(ThreeDecimals(), time));
    }

    /// <summary>Holds for future routes too, because the form belongs to the serializer and not to each member.</summary>
    [Theory]
    [InlineData("2026-01-02T03:04:05+00:00", "2026-01-02T03:04:05.000Z")]
    [InlineData("2026-01-02T03:04:05.6789999+00:00", "2026-01-02T03:04:05.678Z")]
    [InlineData("2026-01-02T03:04:05.6+02:00", "2026-01-02T01:04:05.600Z")]
    public void Time_OfAnyAnswer_IsCutToMilliseconds(string time, string expected) => Assert.Equal(
        $"\"{expected}\"", JsonSerializer.Serialize(DateTimeOffset.Parse(time, CultureInfo.InvariantCulture), SessionJson.Default.Options));

    private static async Task CollectAsync(List<string> times, Func<Task<HttpResponseMessage>> ask, int count)
    {
        using var answer = await ask();
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, $"{answer.RequestMessage!.RequestUri}: {answer.StatusCode} {text}");
        var found = Texts(JsonNode.Parse(text)!).Where(value => Time().IsMatch(value)).ToArray();
        Assert.True(found.Length == count, $"{answer.RequestMessage!.RequestUri} answers {found.Length} times, not {count}: {text}");
        times.AddRange(found);
    }

    private static IEnumerable<string> Texts(JsonNode node) => node switch
    {
        JsonObject members => members.SelectMany(member => member.Value is null ? [] : Texts(member.Value)),
        JsonArray items => items.SelectMany(item => item is null ? [] : Texts(item)),
        _ => [node.ToString()],
    };

    [GeneratedRegex("^[0-9]{4}-[0-9]{2}-[0-9]{2}T")]
    private static partial Regex Time();

    [GeneratedRegex(@"^[0-9-]{10}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$")]
    private static partial Regex ThreeDecimals();
}
