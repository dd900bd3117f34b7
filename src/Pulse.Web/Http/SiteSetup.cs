using Microsoft.AspNetCore.HostFiltering;
using Microsoft.Extensions.Options;

namespace Pulse.Web.Http;

/// <summary>
/// Sets the origin of this site in every request, because links, redirect URIs, cookies and the same-origin check read it there.
/// </summary>
internal static class SiteSetup
{
    // All names of this machine. If an attacker has made the name of another host point here (DNS rebinding), that name is missing in the
    // list.
    private static readonly string[] s_loopback = ["localhost", "127.0.0.1", "[::1]", "*.localhost"];

    /// <summary>Adds <see cref="SiteOptions"/>, HSTS, and in Development the accepted host names.</summary>
    public static void AddSite(this IHostApplicationBuilder builder)
    {
        builder.Services.AddOptions<SiteOptions>()
            .Configure<IConfiguration>((site, settings) => site.PublicUrl = NonEmpty(settings[SiteOptions.Setting]) ?? NonEmpty(settings[SiteOptions.FormerSetting]))
            .ValidateOnStart();
        builder.Services.AddSingleton<IValidateOptions<SiteOptions>, SiteOptionsValidator>();
        builder.Services.AddOptions<PathOptions>().BindConfiguration(PathOptions.SectionName).ValidateOnStart();
        builder.Services.AddSingleton<IValidateOptions<PathOptions>, PathOptionsValidator>();
        builder.Services.AddSingleton<SitePaths>();

        // Subdomains and preloading are excluded, because Pulse must not decide about other sites below this name.
        builder.Services.AddHsts(hsts => hsts.MaxAge = TimeSpan.FromDays(365));
        if (builder.Environment.IsDevelopment())
        {
            builder.Services.PostConfigure<HostFilteringOptions>(filter =>
                filter.AllowedHosts = [.. s_loopback, .. filter.AllowedHosts?.Where(host => host != "*") ?? []]);
        }
    }

    /// <summary>Call it after the proxies' headers are applied and before any use of scheme or host.</summary>
    public static void UseSite(this WebApplication app)
    {
        var site = app.Services.GetRequiredService<IOptions<SiteOptions>>().Value.PublicUrl is { } url ? new Uri(url) : null;
        var host = site is null ? default : new HostString(site.Authority);
        var pathBase = new PathString(app.Services.GetRequiredService<SitePaths>().Base);
        app.Use((context, next) =>
        {
            var request = context.Request;
            if (pathBase.HasValue)
            {
                // The prefix is optional, because health checks call this process directly, and some proxies remove it.
                if (request.Path.StartsWithSegments(pathBase, StringComparison.Ordinal, out var rest)) request.Path = rest;
                request.PathBase = pathBase;
            }

            if (site is null)
            {
                request.Host = WithoutDefaultPort(request);
            }
            else
            {
                request.Scheme = site.Scheme;
                request.Host = host;
            }

            return next(context);
        });

        if (!app.Environment.IsDevelopment()) app.UseHsts();
    }

    // RFC 3986 section 6.2.3: with and without the scheme's own port is the same origin, but providers compare redirect URIs as texts.
    private static HostString WithoutDefaultPort(HttpRequest request) =>
        request.Host.Port == (request.IsHttps ? 443 : 80) ? new(request.Host.Host) : request.Host;

    private static string? NonEmpty(string? text) => string.IsNullOrWhiteSpace(text) ? null : text;
}
