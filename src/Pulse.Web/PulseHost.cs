using Microsoft.Extensions.Options;
using Pulse.Silo.Health;
using Pulse.Silo.Startup;
using Pulse.Silo.Telemetry;
using Pulse.Web.Admin;
using Pulse.Web.Audit;
using Pulse.Web.Connections;
using Pulse.Web.Conversations;
using Pulse.Web.Demo;
using Pulse.Web.Http;
using Pulse.Web.Keys;
using Pulse.Web.OpenApi;
using Pulse.Web.Pages;
using Pulse.Web.Presence;
using Pulse.Web.Sessions;
using Pulse.Web.SignIn;
using Pulse.Web.Silos;
using Pulse.Web.Users;

namespace Pulse.Web;

/// <summary>
/// All of Pulse's front end, for this program and for applications that host it: <see cref="AddPulse"/>, <see cref="UsePulse"/> and
/// <see cref="MapPulse"/>, in this order. docs/dotnet/host.md has an example.
/// </summary>
public static class PulseHost
{
    /// <summary>
    /// Adds Pulse's services, with the settings of docs/settings.md. An <see cref="IPresencePolicy"/> or
    /// <see cref="IConversationPolicy"/> that the application has added before takes the place of Pulse's own. Pulse's other services
    /// cannot be replaced.
    /// </summary>
    /// <exception cref="StartException">Settings that decide about services are faulty.</exception>
    public static void AddPulse(this WebApplicationBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        // Adds the check of all settings at start.
        builder.AddStartChecks();
        // Hosts a silo in this process, or connects to external ones. First, so that later services may call grains.
        builder.AddSilos();
        // Adds simulated people, in Development with --demo.
        builder.AddDemo();
        // Adds the keys that all front ends share.
        builder.AddPulseKeyRing();
        // Adds limits, JSON and error answers of all routes.
        builder.AddPulseHttp();
        // Adds the proxies whose forwarded headers are trusted.
        builder.AddTrustedProxies();
        // Adds the public URL of this site.
        builder.AddSite();
        // Adds the other origins whose pages may call Pulse.
        builder.AddPulseCors();
        // Adds security events, under the log category Pulse.Audit.
        builder.Services.AddAuditLog();
        // Adds authentication by access tokens and cookies, and the issue of tokens.
        builder.AddPulseAuth();
        // Adds sign-in with OpenID Connect providers and links by mail.
        builder.AddPulseSignIn();
        // Adds erasing, disabling and exporting users.
        builder.AddUsers();
        // Adds conversations and messages.
        builder.AddChat();
        // Adds the operators' routes.
        builder.AddAdmin();
        // Adds the OpenAPI document.
        builder.AddApiDocument();
        // Adds the pages for people.
        builder.AddPulsePages();
        // Adds the hub and its sockets.
        builder.Services.AddPresenceHub();
        // Adds the drain before this process stops.
        builder.Services.AddDraining();
        // Adds metrics and traces.
        builder.AddPulseTelemetry();
    }

    /// <summary>
    /// Adds Pulse's middleware, which authenticates the callers of the application's own endpoints too. Middleware that needs the caller
    /// comes after this call.
    /// </summary>
    public static void UsePulse(this WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);
        // Runs before all code that reads the client's address or scheme.
        app.UseTrustedProxies();
        app.UseSite();
        // Routes by the path below Pulse:Http:PathBase. Otherwise the framework routes before all other middleware.
        app.UseRouting();
        // Outermost, so that every answer has their headers.
        app.UseSecurityHeaders(app.Services.GetRequiredService<IOptions<PagesOptions>>().Value.PictureSources);
        app.UseDraining();
        // Chooses the language before all code that renders a page, error pages included.
        app.UsePageLanguages();
        // Surrounds all code that can fail.
        app.UseProblems();
        // Serves the pages' scripts, styles and pictures.
        app.UsePageAssets();
        // Runs before authentication, because a preflight request lacks a token.
        app.UseCors();
        // Runs before the hub, to observe the end of each socket.
        app.UsePresenceHub();
        // Runs before authentication, which calls grains too.
        app.UseSilos();
        // Starts the deadline of the routes that have one, before the calls of authentication.
        app.UseRequestTimeouts();
        app.UseAuthentication();
        app.UseAuthorization();
        // Refuses disabled and erased users, whatever token they have.
        app.UseUserAccess();
        // Limits the rate of new sockets, after authorization has refused other clients.
        app.UseHubAdmission();
        // Runs after routing, which finds the endpoint's limit.
        app.UseRateLimiter();
        // Refuses requests that other sites' pages send in a user's name.
        app.UseSameOriginGuard();
    }

    /// <summary>Maps Pulse's routes, its hub and its pages.</summary>
    public static void MapPulse(this WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);
        // Maps the pages: /, /signin, /dashboard, /chat, and in Development /example.
        app.MapPages();
        // Groups the data routes, which listed origins may call.
        var data = app.MapGroup("").RequireCors(CorsSetup.Data);
        // Maps the keys for the verification of Pulse's tokens by other programs: /.well-known/jwks.json.
        data.MapTokenKeys();
        // Maps profiles: /auth/sync, /auth/me, /users/{id}.
        data.MapUsers();
        // Maps sessions: /auth/token, /auth/sessions, /auth/signout.
        data.MapSessions();
        // Maps tickets for the hub, so that its URL contains no token: /auth/hub-ticket.
        data.MapHubTickets();
        // Maps single reads of presence: /presence.
        data.MapPresence();
        // Maps conversations, messages and members: /conversations, /users/{id}/block.
        data.MapConversations();
        // Maps live presence: /hubs/pulse.
        app.MapPresenceHub(CorsSetup.Hub);
        // Maps the operators' routes: /admin/*.
        app.MapAdmin();
        // Maps sign-in: /auth/signin/*, /auth/callback/*, /auth/accounts.
        app.MapPulseSignIn();
        // Maps a token for any user, in Development only: /auth/dev.
        app.MapDevSignIn();
        // Maps the OpenAPI document: /openapi/v1.json, and in Development a page to try the routes: /scalar.
        app.MapApiDocument();
        // Maps the routes for orchestrators: /health/live, /health/ready.
        app.MapPulseHealth();
    }
}
