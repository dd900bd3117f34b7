using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.Extensions.Options;

namespace Pulse.Web.Http;

/// <summary>Takes the client's address and scheme from the headers of trusted proxies.</summary>
internal static class ProxySetup
{
    /// <summary>Configures the framework's forwarded headers from <see cref="ProxyOptions"/>.</summary>
    public static void AddTrustedProxies(this IHostApplicationBuilder builder)
    {
        builder.Services.AddOptions<ProxyOptions>().BindConfiguration(ProxyOptions.SectionName).ValidateOnStart();
        builder.Services.AddSingleton<IValidateOptions<ProxyOptions>, ProxyOptionsValidator>();
        builder.Services.AddOptions<ForwardedHeadersOptions>().Configure<IOptions<ProxyOptions>>((forwarded, pulse) =>
        {
            forwarded.ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto;

            // Any number of proxies in a row. Each must be trusted, and the first untrusted address is the client.
            forwarded.ForwardLimit = null;
            forwarded.KnownProxies.Clear();
            forwarded.KnownIPNetworks.Clear();
            foreach (var text in pulse.Value.TrustedProxies)
            {
                if (ProxyOptions.TryParse(text, out var network)) forwarded.KnownIPNetworks.Add(network);
            }
        });
    }

    /// <summary>Applies the headers. Does nothing if the list is empty, because the framework then trusts every client.</summary>
    public static void UseTrustedProxies(this IApplicationBuilder app)
    {
        if (app.ApplicationServices.GetRequiredService<IOptions<ProxyOptions>>().Value.TrustedProxies.Count > 0) app.UseForwardedHeaders();
    }
}
