using System.Net.Http.Headers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Pulse.Web.Audit;
using Pulse.Web.Tests.Audit;

namespace Pulse.Web.Tests.Admin;

/// <summary>An application with an admin key, whose calls to grains a test can make fail, with all its audit lines.</summary>
public sealed class AdminPulse() : PulseApplication([new("Pulse:Admin:Key", Key)])
{
    public const string Key = "an-admin-key-that-is-for-tests-alone-0123456789";

    private readonly LogSink _log = new();

    internal FaultyCalls Calls { get; } = new();

    internal IEnumerable<LogLine> AuditLines => _log.Lines.Where(line => line.Category == AuditLog.Category);

    /// <summary>A client with the key.</summary>
    public HttpClient Operator()
    {
        var client = new HttpClient { BaseAddress = Address };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Key);
        return client;
    }

    private protected override void Adjust(IServiceCollection services) =>
        services.AddSingleton<ILoggerProvider>(_log).AddSingleton<IIncomingGrainCallFilter>(Calls);
}
