// The cost of the framework only: Kestrel answering GET /auth/me with fixed JSON, and an empty SignalR hub. Both check the token's
// signature and expiry by hand. Database, Redis and grains are left out.
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.SignalR;
using Pulse.Limits;

var builder = WebApplication.CreateSlimBuilder(args);
builder.Logging.ClearProviders();
builder.Services.ConfigureHttpJsonOptions(json => json.SerializerOptions.TypeInfoResolverChain.Insert(0, LimitsJson.Default));
var hub = args.Contains("hub");
if (hub) builder.Services.AddSignalR();

var app = builder.Build();
var tokens = new Hs256(Environment.GetEnvironmentVariable("BENCH_SECRET") ?? throw new InvalidOperationException("BENCH_SECRET is not set."));
if (hub)
{
    app.UseWebSockets();
    app.Use((context, next) =>
    {
        if (tokens.Subject(context.Request.Query["access_token"].ToString()) is { } subject)
        {
            context.Items[BareHub.Subject] = subject;
            return next(context);
        }

        context.Response.StatusCode = StatusCodes.Status401Unauthorized;
        return Task.CompletedTask;
    });
    app.MapHub<BareHub>("/hubs/pulse");
}
else
{
    var me = new Profile("00000000-0000-4000-8000-000000000000", "user0@bench.test", "User 0", "https://bench.test/avatars/0.png");
    app.MapGet("/auth/me", (HttpRequest request) =>
        request.Headers.Authorization is [{ } header] && header.StartsWith("Bearer ", StringComparison.Ordinal) && tokens.Subject(header.AsSpan(7)) is not null
            ? Results.Ok(me)
            : Results.Unauthorized());
}

app.Run();

internal sealed record Profile(string Id, string Email, string Name, string Avatar);

internal sealed record Connected(string UserId);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(Profile))]
internal sealed partial class LimitsJson : JsonSerializerContext;

internal sealed class BareHub : Hub
{
    public const string Subject = "sub";

    public override Task OnConnectedAsync() =>
        Clients.Caller.SendAsync("Connected", new Connected((string)Context.GetHttpContext()!.Items[Subject]!));

    public void Heartbeat()
    {
    }
}
