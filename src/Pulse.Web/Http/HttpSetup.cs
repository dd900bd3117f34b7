using System.Text.Json.Serialization;

namespace Pulse.Web.Http;

/// <summary>Limits and error answers for the whole HTTP surface.</summary>
internal static class HttpSetup
{
    // 200 user ids in GET /presence, or a token of the longest accepted size in a hub's query.
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

        // The framework logs each request's URL there, and a hub's URL may hold an access token. None and not Warning: nothing else comes from there, and
        // only with None does it make no activity for each request, and each socket, that nobody traces.
        builder.Logging.AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None);

        builder.Services.AddJson(ProblemJson.Default);
        // Before AddProblemDetails: the first writer that can, writes.
        builder.Services.AddSingleton<IProblemDetailsWriter, ProblemWriter>();
        builder.Services.AddProblemDetails();
        builder.Services.AddExceptionHandler<ProblemExceptionHandler>();
    }

    /// <summary>Adds how one feature's answers are written.</summary>
    public static void AddJson(this IServiceCollection services, JsonSerializerContext answers) =>
        services.ConfigureHttpJsonOptions(json => json.SerializerOptions.TypeInfoResolverChain.Insert(0, answers));

    /// <summary>Answers every error with problem details: what endpoints throw, and the bare statuses of routing.</summary>
    public static void UseProblems(this IApplicationBuilder app)
    {
        app.UseExceptionHandler();
        app.UseStatusCodePages();
    }
}
