using Microsoft.AspNetCore.HostFiltering;
using Microsoft.Extensions.Options;

namespace Pulse.Web.Http;

/// <summary>Gives every request the origin of this site: links, redirect URIs, cookies and the same-origin check all read it there.</summary>
internal static class SiteSetup
{
    // Every spelling of this machine for itself. A page of another host whose name has been made to point here (DNS rebinding) has another one.
    private static readonly string[] s_loopback = ["localhost", "127.0.0.1", "[::1]", "*.localhost"];

    /// <summary>Adds <see cref="SiteOptions"/>, HSTS, and in Development the host names that are answered.</summary>
    public static void AddSite(this IHostApplicationBuilder builder)
    {
        builder.Services.AddOptions<SiteOptions>()
            .Configure<IConfiguration>((site, settings) => site.PublicUrl = NonEmpty(settings[SiteOptions.Setting]) ?? NonEmpty(settings[SiteOptions.FormerSetting]))
            .ValidateOnStart();
        builder.Services.AddSingleton<IValidateOptions<SiteOptions>, SiteOptionsValidator>();
        builder.Services.AddOptions<PathOptions>().BindConfiguration(PathOptions.SectionName).ValidateOnStart();
        builder.Services.AddSingleton<IValidateOptions<PathOptions>, PathOptionsValidator>();
        builder.Services.AddSingleton<SitePaths>();

        // Without subdomains and preloading: what else is below this name is not Pulse's to decide.
        builder.Services.AddHsts(hsts => hsts.MaxAge = TimeSpan.FromDays(365));
        if (builder.Environment.IsDevelopment())
        {
            builder.Services.PostConfigure<HostFilteringOptions>(filter =>
                filter.AllowedHosts = [.. s_loopback, .. filter.AllowedHosts?.Where(host => host != "*") ?? []]);
        }
    }

    /// <summary>To be called after the proxies' headers are applied and before anything reads scheme or host.</summary>
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
                // Also without the prefix: health checks ask this process itself, and some proxies take it away.
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

    // RFC 3986 section 6.2.3: with and without the scheme's own port is one origin, but providers compare redirect URIs as text.
    private static HostString WithoutDefaultPort(HttpRequest request) =>
        request.Host.Port == (request.IsHttps ? 443 : 80) ? new(request.Host.Host) : request.Host;

    private static string? NonEmpty(string? text) => string.IsNullOrWhiteSpace(text) ? null : text;
}
