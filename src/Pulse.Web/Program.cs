using Microsoft.Extensions.Options;
using Pulse.Silo;
using Pulse.Silo.Health;
using Pulse.Web.Auth;
using Pulse.Web.Http;
using Pulse.Web.Pages;
using Pulse.Web.Presence;
using Pulse.Web.SignIn;
using Pulse.Web.Users;

var builder = WebApplication.CreateBuilder(args);

// Limits, JSON and error answers for everything below.
builder.AddPulseHttp();
// Which other sites' pages may call.
builder.AddPulseCors();
// Whose access tokens are accepted, and how Pulse makes its own.
builder.AddPulseAuth();
// How people sign in: OpenID Connect providers, links by mail.
builder.AddPulseSignIn();
// What people see.
builder.AddPulsePages();
// The sockets of this process.
builder.Services.AddPresenceHub();
// The silo in this process: grains, stores, presence keys, and their health checks.
builder.AddPulseSilo();

var app = builder.Build();

// Every fault of every setting at once, before anything reads one.
app.Services.GetRequiredService<IStartupValidator>().Validate();

// Outermost, so that every answer has them. Forwarded headers, once there is a proxy to trust, go above this line.
app.UseSecurityHeaders();
// Around all that can fail.
app.UseProblems();
// What pages load.
app.UsePageAssets();
// Before authentication: a preflight request carries no token.
app.UseCors();
app.UseAuthentication();
app.UseAuthorization();
// After routing has found the endpoint that is limited.
app.UseRateLimiter();

// Pages: /, /signin, /dashboard, /example.
app.MapPages();
// Profiles: /auth/sync, /auth/me, /users/{id}.
app.MapUsers();
// Presence for those who ask once: /presence.
app.MapPresence();
// Presence for those who stay: /hubs/pulse.
app.MapPresenceHub();
// Signing in: /auth/signin/*, /auth/callback/*, /auth/accounts.
app.MapPulseSignIn();
// A token for anyone, in Development only: /auth/dev.
app.MapDevSignIn();
// For orchestrators: /health/live, /health/ready.
app.MapPulseHealth();

app.Run();
