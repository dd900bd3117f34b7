using Microsoft.Extensions.Options;

namespace Pulse.Web.Http;

/// <summary>Lets pages of the listed origins call routes that accept a token. Endpoints without a policy refuse other origins.</summary>
internal static class CorsSetup
{
    /// <summary>The policy of routes that return data.</summary>
    public const string Data = "pulse-data";

    /// <summary>
    /// The policy of the hub. SignalR's client sends every request with credentials, and a browser refuses an answer that does not allow
    /// them.
    /// </summary>
    public const string Hub = "pulse-hub";

    /// <summary>Adds both policies from <see cref="CorsOptions"/>.</summary>
    public static void AddPulseCors(this IHostApplicationBuilder builder)
    {
        builder.Services.AddOptions<CorsOptions>().BindConfiguration(CorsOptions.SectionName).ValidateOnStart();
        builder.Services.AddSingleton<IValidateOptions<CorsOptions>, CorsOptionsValidator>();
        builder.Services.AddCors();
        builder.Services.AddOptions<Microsoft.AspNetCore.Cors.Infrastructure.CorsOptions>().Configure<IOptions<CorsOptions>>((framework, pulse) =>
        {
            string[] origins = [.. pulse.Value.Origins];
            framework.AddPolicy(Data, policy => policy.WithOrigins(origins).AllowAnyHeader().AllowAnyMethod()
                .WithExposedHeaders("WWW-Authenticate", "Retry-After", "Location"));
            framework.AddPolicy(Hub, policy => policy.WithOrigins(origins).AllowAnyHeader().AllowAnyMethod().AllowCredentials());
        });
    }
}
