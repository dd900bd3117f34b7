using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Pulse.Web.Audit;
using Pulse.Web.Auth;
using Pulse.Web.Http;
using Pulse.Web.SignIn;

namespace Pulse.Web.Tests.Auth;

/// <summary>
/// The authentication services with some settings, separate from the rest of Pulse. Sessions come from <see cref="TestSessions"/>.
/// </summary>
internal static class AuthHost
{
    /// <param name="environment">Environment name.</param>
    /// <param name="settings">Below <c>Pulse:Auth:</c>.</param>
    public static ServiceProvider Create(string environment, params (string Key, string? Value)[] settings)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { EnvironmentName = environment });
        builder.Configuration.AddInMemoryCollection(settings.ToDictionary(s => $"Pulse:Auth:{s.Key}", s => s.Value));
        builder.AddPulseAuth();
        builder.Services.AddSingleton<IValidateOptions<AuthOptions>, IssuerNameValidator>();
        builder.Services.AddSingleton<IConfiguration>(builder.Configuration);
        builder.Services.AddLogging();
        builder.Services.AddJson(ProblemJson.Default);
        builder.Services.AddSingleton<IProblemDetailsWriter, ProblemWriter>();
        builder.Services.AddProblemDetails();
        builder.Services.AddAuditLog();
        builder.Services.AddTestSessions();
        return builder.Services.BuildServiceProvider();
    }

    /// <summary>With Pulse's own key, for the tokens of <see cref="TestTokens"/>.</summary>
    public static ServiceProvider CreateWithKey(params (string Key, string? Value)[] settings) =>
        Create("Development", [("SigningKey", TestTokens.Key), .. settings]);
}
