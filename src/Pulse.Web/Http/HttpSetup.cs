using System.Text.Json.Serialization;

namespace Pulse.Web.Http;

/// <summary>Limits and error answers of all HTTP routes.</summary>
internal static class HttpSetup
{
    // Enough for 200 user ids in GET /presence, or a token of the maximum size in a hub's query.
    private const int MaxRequestLineBytes = 16 * 1024;

    /// <summary>Adds Kestrel's limits, JSON and problem details.</summary>
    public static void AddPulseHttp(this WebApplicationBuilder builder)
    {
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = RequestBody.MaxBytes;
            kestrel.Limits.MaxRequestLineSize = MaxRequestLineBytes;
        });

        // The framework logs each request's URL in this category, and a hub's URL may contain an access token. The level is
        // None instead of Warning, because the category has only these logs. When tracing is off, only None also avoids an activity for each
        // request and socket.
        builder.Logging.AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None);

        builder.Services.AddJson(ProblemJson.Default);
        // Registered before AddProblemDetails, because the first suitable writer is used.
        builder.Services.AddSingleton<IProblemDetailsWriter, ProblemWriter>();
        builder.Services.AddProblemDetails();
        builder.Services.AddExceptionHandler<ProblemExceptionHandler>();
    }

    /// <summary>Adds the serialization of one feature's answers.</summary>
    public static void AddJson(this IServiceCollection services, JsonSerializerContext answers) =>
        services.ConfigureHttpJsonOptions(json => json.SerializerOptions.TypeInfoResolverChain.Insert(0, answers));

    /// <summary>Answers every error with problem details: exceptions of endpoints, and the bare statuses of routing.</summary>
    public static void UseProblems(this IApplicationBuilder app)
    {
        app.UseExceptionHandler();
        app.UseStatusCodePages();
    }
}
