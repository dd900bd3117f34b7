using Microsoft.Extensions.Options;
using Pulse.Silo.Health;
using Pulse.Silo.Startup;
using Pulse.Silo.Telemetry;
using Pulse.Web;
using Pulse.Web.Admin;
using Pulse.Web.Audit;
using Pulse.Web.Connections;
using Pulse.Web.Demo;
using Pulse.Web.Http;
using Pulse.Web.Keys;
using Pulse.Web.Pages;
using Pulse.Web.Presence;
using Pulse.Web.Sessions;
using Pulse.Web.SignIn;
using Pulse.Web.Silos;
using Pulse.Web.Users;

// Faults at start, from the first setting to the last port, become one line each.
return await Launch.RunAsync(args, static args =>
{
    var builder = Launch.NewBuilder(DemoSetup.ReadSwitch(args), "http://localhost:5080");

    // The silo in this process, or those elsewhere. First, so that what starts after it may call grains.
    builder.AddSilos();
    // Simulated people, in Development with --demo.
    builder.AddDemo();
    // Keys that all front ends share.
    builder.AddPulseKeyRing();
    // Limits, JSON and error answers for everything below.
    builder.AddPulseHttp();
    // Who may say which client they speak for.
    builder.AddTrustedProxies();
    // Where browsers reach this site.
    builder.AddSite();
    // Which other sites' pages may call.
    builder.AddPulseCors();
    // Security events, under the log category Pulse.Audit.
    builder.Services.AddAuditLog();
    // Whose access tokens and cookies are accepted, and how Pulse makes its own.
    builder.AddPulseAuth();
    // How people sign in: OpenID Connect providers, links by mail.
    builder.AddPulseSignIn();
    // What is stored about users.
    builder.AddUsers();
    // What operators do for users.
    builder.AddAdmin();
    // What people see.
    builder.AddPulsePages();
    // The sockets of this process.
    builder.Services.AddPresenceHub();
    // How it leaves.
    builder.Services.AddDraining();
    // What it tells of itself.
    builder.AddPulseTelemetry();

    var app = builder.BuildChecked();

    // Before all that asks for the client's address or scheme.
    app.UseTrustedProxies();
    app.UseSite();
    // By the path without Pulse:Http:PathBase; without this line the framework routes before everything else.
    app.UseRouting();
    // Outermost, so that every answer has what they set.
    app.UseSecurityHeaders(app.Services.GetRequiredService<IOptions<PagesOptions>>().Value.PictureSources);
    app.UseDraining();
    // Around all that can fail.
    app.UseProblems();
    // What pages load.
    app.UsePageAssets();
    // Before authentication: a preflight request carries no token.
    app.UseCors();
    // Before the hub: how each socket ends.
    app.UsePresenceHub();
    // Before authentication, which asks grains too.
    app.UseSilos();
    app.UseAuthentication();
    app.UseAuthorization();
    // Disabled and erased users do nothing, whatever token they have.
    app.UseUserAccess();
    // How many sockets may come in at once, of those that may come in at all.
    app.UseHubAdmission();
    // After routing has found the endpoint that is limited.
    app.UseRateLimiter();
    // Other sites' pages do nothing here in somebody's name.
    app.UseSameOriginGuard();

    // Pages: /, /signin, /dashboard, /example.
    app.MapPages();
    // Data, for other origins too.
    var data = app.MapGroup("").RequireCors(CorsSetup.Data);
    // What other programs verify Pulse's tokens with: /.well-known/jwks.json.
    data.MapTokenKeys();
    // Profiles: /auth/sync, /auth/me, /users/{id}.
    data.MapUsers();
    // Sign-ins: /auth/token, /auth/sessions, /auth/signout.
    data.MapSessions();
    // Tickets for the hub, so that no token stands in its address: /auth/hub-ticket.
    data.MapHubTickets();
    // Presence for those who ask once: /presence.
    data.MapPresence();
    // Presence for those who stay: /hubs/pulse.
    app.MapPresenceHub(CorsSetup.Hub);
    // Operators: /admin/*.
    app.MapAdmin();
    // Signing in: /auth/signin/*, /auth/callback/*, /auth/accounts.
    app.MapPulseSignIn();
    // A token for anyone, in Development only: /auth/dev.
    app.MapDevSignIn();
    // For orchestrators: /health/live, /health/ready.
    app.MapPulseHealth();

    return app;
});
