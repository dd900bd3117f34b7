using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Net;
using System.Reflection;
using System.Text.Json;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.Extensions.DependencyInjection;
using Pulse.Web.Audit;
using Pulse.Web.Tests.Auth;

namespace Pulse.Web.Tests.Audit;

/// <summary>Every security event, through the real program: one line each, with all its fields and without any secret.</summary>
public sealed class AuditEventsTests(AuditApplication pulse) : IClassFixture<AuditApplication>
{
    private static readonly Dictionary<AuditEvent, Func<AuditClient, AuditClient, Task>> s_cases = new()
    {
        [AuditEvents.SignedIn] = async (ada, _) => await ada.SignInAsync(),
        [AuditEvents.SignedInOnNewDevice] = async (ada, second) =>
        {
            await ada.SignInAsync();
            await second.SignInAsync(ada.Email);
        },
        [AuditEvents.SignInRefused] = async (ada, second) =>
        {
            await ada.SignInAsync();
            Assert.Equal(HttpStatusCode.Conflict, (await second.SignInWithHostileAsync($"{Guid.NewGuid()}", ada.Email)).Status);
        },
        [AuditEvents.SignInFailed] = async (ada, _) =>
            Assert.Equal(HttpStatusCode.BadRequest, (await ada.Browser.GetAsync("/auth/callback/hostile?code=invented&state=invented")).Status),
        [AuditEvents.MailAsked] = async (ada, _) => await ada.AskAsync(),
        [AuditEvents.MailSent] = async (ada, _) => await ada.AskAsync(),
        [AuditEvents.MailUsed] = async (ada, _) => await ada.SignInAsync(),
        [AuditEvents.LinkRefused] = async (ada, second) =>
        {
            await ada.AskAsync();
            Assert.Equal(HttpStatusCode.Forbidden, (await second.Browser.GetAsync(ada.LinkFor(ada.Email))).Status);
        },
        [AuditEvents.CodeRefused] = async (ada, _) =>
            Assert.Equal(HttpStatusCode.BadRequest, (await ada.Browser.SubmitAsync(await ada.AskAsync(), ("code", "12345678"))).Status),
        [AuditEvents.SignedOut] = async (ada, _) =>
        {
            await ada.SignInAsync();
            Assert.Equal(HttpStatusCode.NoContent, (await ada.PostAsync("/auth/signout")).Status);
        },
        [AuditEvents.SignedOutEverywhere] = async (ada, _) =>
        {
            await ada.SignInAsync();
            Assert.Equal(HttpStatusCode.NoContent, (await ada.PostAsync("/auth/signout/everywhere")).Status);
        },
        [AuditEvents.SessionEnded] = async (ada, second) =>
        {
            await ada.SignInAsync();
            await second.SignInAsync(ada.Email);
            Assert.Equal(HttpStatusCode.NoContent, (await ada.DeleteAsync($"/auth/sessions/{await ada.OtherSessionAsync()}")).Status);
        },
        [AuditEvents.SessionReplaced] = async (ada, second) =>
        {
            await ada.SignInAsync();
            await ada.SignInAsync(second.Email);
        },
        [AuditEvents.AccountLinked] = async (ada, _) =>
        {
            await ada.SignInAsync();
            Assert.Equal(HttpStatusCode.SeeOther, (await ada.LinkHostileAsync($"{Guid.NewGuid()}")).Status);
        },
        [AuditEvents.AccountLinkRefused] = async (ada, _) =>
        {
            await ada.SignInAsync();
            Assert.Equal(HttpStatusCode.BadRequest, (await ada.Browser.GetAsync("/auth/signin/hostile?link=true&proof=invented")).Status);
        },
        [AuditEvents.AccountUnlinked] = async (ada, _) =>
        {
            await ada.SignInAsync();
            await ada.LinkHostileAsync($"{Guid.NewGuid()}");
            Assert.Equal(HttpStatusCode.NoContent, (await ada.DeleteAsync("/auth/accounts/hostile")).Status);
        },
        [AuditEvents.AddressChangeAsked] = async (ada, second) => await AskForAddressAsync(ada, second.Email),
        [AuditEvents.AddressChanged] = async (ada, second) =>
        {
            await AskForAddressAsync(ada, second.Email);
            Assert.Equal(HttpStatusCode.SeeOther, (await ada.Browser.SubmitAsync(await ada.Browser.GetAsync(ada.LinkFor(second.Email)))).Status);
        },
        [AuditEvents.AddressChangeRefused] = async (ada, second) =>
        {
            await AskForAddressAsync(ada, second.Email);
            var page = await ada.Browser.GetAsync(ada.LinkFor(second.Email));
            await ada.Browser.SubmitAsync(page);
            Assert.Equal(HttpStatusCode.Gone, (await ada.Browser.SubmitAsync(page)).Status);
        },
        [AuditEvents.ProfileChanged] = async (ada, _) =>
        {
            await ada.SignInAsync();
            Assert.Equal(
                HttpStatusCode.SeeOther,
                (await ada.Browser.PostAsync("/dashboard/profile", ("formToken", await ada.FormTokenAsync()), ("name", "Ada"), ("avatar", ""))).Status);
        },
        [AuditEvents.UserCreated] = async (ada, _) => Assert.Equal(
            HttpStatusCode.Created, (await ada.WithTokenAsync(HttpMethod.Post, "/auth/sync", AuditClient.TrustedToken($"{Guid.NewGuid()}", ada.Email))).Status),
        [AuditEvents.SyncRefused] = async (ada, _) =>
        {
            await ada.SignInAsync();
            Assert.Equal(
                HttpStatusCode.Conflict,
                (await ada.WithTokenAsync(HttpMethod.Post, "/auth/sync", AuditClient.TrustedToken($"{Guid.NewGuid()}", ada.Email))).Status);
        },
        [AuditEvents.TokenRefused] = async (ada, _) =>
            Assert.Equal(HttpStatusCode.Unauthorized, (await ada.WithTokenAsync(HttpMethod.Get, "/auth/me", BadTokens.Make("other key"))).Status),
        [AuditEvents.CookieRefused] = async (ada, _) =>
        {
            ada.Browser.Cookies.Add(ada.Browser.Site, new Cookie("pulse", "invented"));
            Assert.Equal(HttpStatusCode.Unauthorized, (await ada.Browser.GetAsync("/auth/me")).Status);
        },
        [AuditEvents.AccessRefused] = async (ada, _) =>
        {
            await ada.SignInAsync();
            Assert.Equal(HttpStatusCode.NotFound, (await ada.DeleteAsync($"/auth/sessions/{Guid.NewGuid()}")).Status);
        },
        [AuditEvents.CrossSiteRefused] = async (ada, _) =>
        {
            await ada.SignInAsync();
            var answer = await ada.Browser.SendAsync(new(HttpMethod.Post, "/auth/signout") { Headers = { { "Sec-Fetch-Site", "cross-site" } } });
            Assert.Equal(HttpStatusCode.Forbidden, answer.Status);
        },
        [AuditEvents.RateLimited] = async (ada, _) =>
        {
            for (var i = 0; i < 4; i++) await ada.AskAsync("no address");
            Assert.Equal(HttpStatusCode.TooManyRequests, (await ada.AskAsync("no address")).Status);
        },
        [AuditEvents.ConnectRefused] = async (ada, _) =>
        {
            await using var hub = ada.Hub(AuditClient.TrustedToken($"{Guid.NewGuid()}", ada.Email));
            var closed = new TaskCompletionSource();
            hub.Closed += _ =>
            {
                closed.TrySetResult();
                return Task.CompletedTask;
            };
            await hub.StartAsync();
            await closed.Task.WaitAsync(TimeSpan.FromSeconds(30));
        },
        [AuditEvents.ConnectionCutOff] = async (ada, _) =>
        {
            await using var hub = ada.Hub(TestTokens.Hs256(TestTokens.Claims(Guid.CreateVersion7())));
            await hub.StartAsync();
            try
            {
                while (true) await Task.WhenAll(Enumerable.Range(0, 500).Select(_ => hub.SendAsync("Heartbeat")));
            }
            catch (Exception exception) when (hub.State != HubConnectionState.Connected && exception is not OutOfMemoryException)
            {
            }
        },
        [AuditEvents.UserErased] = async (ada, _) =>
        {
            await ada.SignInAsync();
            Assert.True((await ada.DeleteAsync("/auth/me")).Response.IsSuccessStatusCode);
        },
        [AuditEvents.UserExported] = async (ada, _) =>
        {
            await ada.SignInAsync();
            Assert.Equal(HttpStatusCode.OK, (await ada.Browser.GetAsync("/auth/me/export")).Status);
        },
        [AuditEvents.AdminKeyRefused] = async (ada, _) =>
            Assert.Equal(HttpStatusCode.Unauthorized, (await ada.WithTokenAsync(HttpMethod.Get, "/admin/users", "another-key-than-that-one")).Status),
        [AuditEvents.AdminRead] = async (ada, _) => await ada.AdminAsync(HttpMethod.Get, $"/admin/users?email={ada.Email}"),
        [AuditEvents.AdminRefused] = async (ada, _) => Assert.Equal(
            HttpStatusCode.NotFound, (await ada.WithTokenAsync(HttpMethod.Get, $"/admin/users/{Guid.NewGuid()}", AuditApplication.AdminKey)).Status),
        [AuditEvents.AdminErased] = async (ada, _) =>
        {
            await ada.SignInAsync();
            await ada.AdminAsync(HttpMethod.Delete, $"/admin/users/{await ada.Browser.WhoAmIAsync()}");
        },
        [AuditEvents.AdminDisabled] = async (ada, _) =>
        {
            await ada.SignInAsync();
            await ada.AdminAsync(HttpMethod.Post, $"/admin/users/{await ada.Browser.WhoAmIAsync()}/disable");
        },
        [AuditEvents.AdminEnabled] = async (ada, _) =>
        {
            await ada.SignInAsync();
            await ada.AdminAsync(HttpMethod.Post, $"/admin/users/{await ada.Browser.WhoAmIAsync()}/enable");
        },
        [AuditEvents.AdminSessionEnded] = async (ada, second) =>
        {
            await ada.SignInAsync();
            await second.SignInAsync(ada.Email);
            await ada.AdminAsync(HttpMethod.Delete, $"/admin/users/{await ada.Browser.WhoAmIAsync()}/sessions/{await ada.OtherSessionAsync()}");
        },
        [AuditEvents.AdminConnectionClosed] = async (ada, _) =>
        {
            var userId = await SyncAsync(ada, TestTokens.Hs256(TestTokens.Claims(Guid.CreateVersion7(), ada.Email)));
            await using var hub = ada.Hub(TestTokens.Hs256(TestTokens.Claims(userId)));
            var connected = new TaskCompletionSource<string>();
            hub.On<JsonElement>("Connected", message => connected.TrySetResult(message.GetProperty("connectionId").GetString()!));
            await hub.StartAsync();
            await ada.AdminAsync(HttpMethod.Delete, $"/admin/users/{userId}/connections/{await connected.Task.WaitAsync(TimeSpan.FromSeconds(30))}");
        },
        [AuditEvents.UserRefused] = async (ada, _) =>
        {
            var token = AuditClient.TrustedToken($"{Guid.NewGuid()}", ada.Email);
            await ada.AdminAsync(HttpMethod.Post, $"/admin/users/{await SyncAsync(ada, token)}/disable");
            Assert.NotEqual(HttpStatusCode.OK, (await ada.WithTokenAsync(HttpMethod.Get, "/auth/me", token)).Status);
        },
        [AuditEvents.AdminKeysRotated] = async (ada, _) => await ada.AdminAsync(HttpMethod.Post, "/admin/keys/rotate"),
        // The program's own start causes the event.
        [AuditEvents.KeyRingChanged] = (_, _) => Task.CompletedTask,
    };

    public static TheoryData<string> Names => [.. All.Select(kind => kind.Name)];

    private static AuditEvent[] All =>
        [.. typeof(AuditEvents).GetFields(BindingFlags.Static | BindingFlags.Public).Select(member => member.GetValue(null)).OfType<AuditEvent>()];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Event_IsOneLine_WithAllItsFields_AndNoSecret(string name)
    {
        var kind = All.Single(kind => kind.Name == name);
        var address = pulse.NewAddress();
        using var ada = new AuditClient(pulse, address);
        using var second = new AuditClient(pulse, address);

        await s_cases[kind](ada, second);

        LogLine[] Find() => [.. kind.Fields.HasFlag(AuditFields.Client) ? pulse.LinesOf(address).Where(Is) : pulse.Log.Lines.Where(Is)];
        bool Is(LogLine line) => line.Category == AuditLog.Category && line["EventName"] as string == name;

        // The line of a hub connection is written after its client has seen the end.
        if (kind == AuditEvents.ConnectionCutOff || kind == AuditEvents.ConnectRefused) await Eventually.AsyncTrue("a line", () => Task.FromResult(Find().Length > 0));
        var lines = Find();
        if (kind.Fields.HasFlag(AuditFields.Client)) Assert.Single(lines);
        else Assert.Equal(lines.Length, lines.Select(found => found["Reason"]).Distinct().Count());
        var line = lines[0];
        Assert.Equal(kind.Outcome, line["Outcome"]);
        Assert.Equal(1, line["Count"]);
        foreach (var field in Enum.GetValues<AuditFields>().Where(field => field is not AuditFields.None and not AuditFields.Caller && kind.Fields.HasFlag(field)))
            Assert.True(line[Column(field)] is not null, $"{name} has no {Column(field)}: {line.Text}");
        AssertNoSecret(ada, second);
    }

    [Fact]
    public async Task EqualEvents_AreEachInTheMetric_ByNameAndOutcome()
    {
        var counted = new ConcurrentQueue<string>();
        var factory = pulse.Pulse.Services.GetRequiredService<IMeterFactory>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Scope == factory && instrument.Name == "pulse.audit.events") listener.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>((_, value, tags, _) => counted.Enqueue($"{value} {string.Join(' ', tags.ToArray().Select(tag => $"{tag.Key}={tag.Value}"))}"));
        listener.Start();

        for (var i = 0; i < 3; i++)
            Assert.Equal(HttpStatusCode.Unauthorized, (await new AuditClient(pulse, pulse.NewAddress()).WithTokenAsync(HttpMethod.Get, "/admin/users", "wrong")).Status);

        Assert.Equal(Enumerable.Repeat("1 pulse.audit.event=admin-key-refused pulse.audit.outcome=refused", 3), counted.Where(one => one.Contains("admin-key", StringComparison.Ordinal)));
    }

    [Fact]
    public void Event_HasANameOfItsOwn() => Assert.Equal(All.Length, All.Select(kind => kind.Name).Distinct().Count());

    [Fact]
    public void Documentation_ListsTheSameEventsAndFields()
    {
        var documented = File.ReadLines(Path.Combine(Repository(), "docs", "audit.md"))
            .Select(line => line.Split('|', StringSplitOptions.TrimEntries))
            .Where(cells => cells.Length > 4 && cells[1].StartsWith('`') && cells[2] is "success" or "refused")
            .Select(cells => (cells[1].Trim('`'), cells[2], cells[3]))
            .Order();

        Assert.Equal(All.Select(kind => (kind.Name, kind.Outcome.ToString().ToLowerInvariant(), Describe(kind))).Order(), documented);
    }

    /// <summary>The fields as the documentation writes them.</summary>
    private static string Describe(AuditEvent kind) => string.Join(", ", Enum.GetValues<AuditFields>()
        .Where(field => field != AuditFields.None && kind.Fields.HasFlag(field))
        .Select(field => field == AuditFields.Caller ? "caller" : Column(field)));

    private static string Column(AuditFields field) => field switch
    {
        AuditFields.User => "UserId",
        AuditFields.Session => "SessionId",
        _ => field.ToString(),
    };

    private void AssertNoSecret(params AuditClient[] clients)
    {
        foreach (var secret in clients.SelectMany(client => client.Secrets))
            Assert.DoesNotContain(pulse.Log.Lines, line => line.Text.Contains(secret, StringComparison.OrdinalIgnoreCase));
    }

    private static async Task<Guid> SyncAsync(AuditClient client, string token)
    {
        var answer = await client.WithTokenAsync(HttpMethod.Post, "/auth/sync", token);
        Assert.Equal(HttpStatusCode.Created, answer.Status);
        return JsonDocument.Parse(answer.Body).RootElement.GetProperty("id").GetGuid();
    }

    private static async Task AskForAddressAsync(AuditClient client, string email)
    {
        await client.SignInAsync();
        var answer = await client.Browser.PostAsync("/dashboard/email", ("formToken", await client.FormTokenAsync()), ("email", email));
        Assert.Equal("/dashboard?done=address-asked", answer.Path);
    }

    private static string Repository()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Pulse.sln"))) folder = folder.Parent!;
        return folder.FullName;
    }
}
