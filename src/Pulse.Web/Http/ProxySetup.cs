using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.Extensions.Options;

namespace Pulse.Web.Http;

/// <summary>Lets trusted proxies say which client they speak for, and over which scheme it came.</summary>
internal static class ProxySetup
{
    /// <summary>Adds the framework's forwarded headers as <see cref="ProxyOptions"/> says.</summary>
    public static void AddTrustedProxies(this IHostApplicationBuilder builder)
    {
        builder.Services.AddOptions<ProxyOptions>().BindConfiguration(ProxyOptions.SectionName).ValidateOnStart();
        builder.Services.AddSingleton<IValidateOptions<ProxyOptions>, ProxyOptionsValidator>();
        builder.Services.AddOptions<ForwardedHeadersOptions>().Configure<IOptions<ProxyOptions>>((forwarded, pulse) =>
        {
            forwarded.ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto;

            // However many proxies in a row: each must be trusted, and the first that is not is the client.
            forwarded.ForwardLimit = null;
            forwarded.KnownProxies.Clear();
            forwarded.KnownIPNetworks.Clear();
            foreach (var text in pulse.Value.TrustedProxies)
            {
                if (ProxyOptions.TryParse(text, out var network)) forwarded.KnownIPNetworks.Add(network);
            }
        });
    }

    /// <summary>Applies them; nothing at all when nobody is trusted, for with an empty list the framework trusts everybody.</summary>
    public static void UseTrustedProxies(this IApplicationBuilder app)
    {
        if (app.ApplicationServices.GetRequiredService<IOptions<ProxyOptions>>().Value.TrustedProxies.Count > 0) app.UseForwardedHeaders();
    }
}
