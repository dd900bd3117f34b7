// An application that hosts Pulse: Pulse's routes, hub and pages beside its own route, with its own rules about users.
using System.Security.Claims;
using Pulse.Samples.Host;
using Pulse.Web;
using Pulse.Web.Conversations;
using Pulse.Web.Presence;

var builder = WebApplication.CreateBuilder(args);

// Before AddPulse, which adds its own policies only where none is there.
builder.Services.AddMemoryCache();
builder.Services.AddSingleton<Companies>();
builder.Services.AddSingleton<IPresencePolicy, CompanyPolicy>();
builder.Services.AddSingleton<IConversationPolicy, CompanyPolicy>();
builder.AddPulse();

var app = builder.Build();
app.UsePulse();
app.MapPulse();

// UsePulse has authenticated the caller. In Pulse's own tokens and sessions, `sub` is the user id.
app.MapGet("/company", async (ClaimsPrincipal caller, Companies companies) =>
    Guid.TryParse(caller.FindFirstValue("sub"), out var userId) && await companies.OfAsync(userId) is { } company
        ? Results.Ok(new { company })
        : Results.NotFound()).RequireAuthorization();

await app.RunAsync();
