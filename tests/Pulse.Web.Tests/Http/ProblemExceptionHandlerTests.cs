using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Orleans.Runtime;
using Pulse.Web.Http;

namespace Pulse.Web.Tests.Http;

public sealed class ProblemExceptionHandlerTests
{
    public static TheoryData<string, int, string> Failures => new()
    {
        { nameof(StoreUnavailableException), 503, "unavailable" },
        { nameof(SiloUnavailableException), 503, "unavailable" },
        { nameof(GatewayTooBusyException), 503, "unavailable" },
        { nameof(TimeoutException), 503, "unavailable" },
        { nameof(BadHttpRequestException), 413, "too-large" },
        { nameof(InvalidOperationException), 500, "internal" },
    };

    [Theory]
    [MemberData(nameof(Failures))]
    public async Task Endpoint_Throws_IsAnsweredWithAProblemAndNoSecret(string name, int status, string kind)
    {
        const string Secret = "Host=db;Password=hunter2";
        await using var app = await StartAsync(name switch
        {
            nameof(StoreUnavailableException) => new StoreUnavailableException(Secret),
            nameof(SiloUnavailableException) => new SiloUnavailableException(Secret),
            nameof(GatewayTooBusyException) => new GatewayTooBusyException(Secret),
            nameof(TimeoutException) => new TimeoutException(Secret),
            nameof(BadHttpRequestException) => new BadHttpRequestException(Secret, StatusCodes.Status413PayloadTooLarge),
            _ => new InvalidOperationException(Secret),
        });
        using var client = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };

        using var response = await client.GetAsync("/");

        var problem = await response.ReadProblemAsync((HttpStatusCode)status, kind);
        Assert.DoesNotContain("hunter2", problem.ToJsonString(), StringComparison.Ordinal);
        Assert.Equal(status == 503, response.Headers.RetryAfter is not null);
    }

    private static async Task<WebApplication> StartAsync(Exception failure)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.AddPulseHttp();
        builder.Logging.ClearProviders();
        var app = builder.Build();
        app.UseSecurityHeaders("https:");
        app.UseProblems();
        app.MapGet("/", void () => throw failure);
        await app.StartAsync();
        return app;
    }
}
