using Microsoft.Extensions.Options;

namespace Pulse.Web.Http;

/// <summary>Lets the listed origins' pages call Pulse, with their credentials.</summary>
internal static class CorsSetup
{
    /// <summary>Adds the default policy from <see cref="CorsOptions"/>.</summary>
    public static void AddPulseCors(this IHostApplicationBuilder builder)
    {
        builder.Services.AddOptions<CorsOptions>().BindConfiguration(CorsOptions.SectionName).ValidateOnStart();
        builder.Services.AddSingleton<IValidateOptions<CorsOptions>, CorsOptionsValidator>();
        builder.Services.AddCors();
        builder.Services.AddOptions<Microsoft.AspNetCore.Cors.Infrastructure.CorsOptions>().Configure<IOptions<CorsOptions>>((framework, pulse) =>
        {
            if (pulse.Value.Origins.Count == 0)
                framework.AddDefaultPolicy(_ => { });
            else
                framework.AddDefaultPolicy(policy => policy.WithOrigins([.. pulse.Value.Origins]).AllowAnyHeader().AllowAnyMethod().AllowCredentials()
                    .WithExposedHeaders("WWW-Authenticate", "Retry-After", "Location"));
        });
    }
}
