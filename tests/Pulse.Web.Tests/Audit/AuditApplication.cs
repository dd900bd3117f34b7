using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Pulse.Web.Audit;
using Pulse.Web.Mail;
using Pulse.Web.Tests.SignIn;

namespace Pulse.Web.Tests.Audit;

/// <summary>
/// Pulse with all its log lines, behind a proxy on this machine, so that each test is a client with an address of its own.
/// </summary>
public sealed class AuditApplication : IAsyncLifetime
{
    /// <summary>Opens <c>/admin</c>.</summary>
    public const string AdminKey = "admin-key-of-the-audit-tests-0123456789";

    private Application _pulse = null!;
    private int _clients;

    internal LogSink Log { get; } = new();

    internal HostileProvider Hostile { get; private set; } = null!;

    internal PulseApplication Pulse => _pulse;

    internal DevMailbox Mailbox => (DevMailbox)_pulse.Services.GetRequiredService<IMailSender>();

    public async Task InitializeAsync()
    {
        Hostile = await HostileProvider.StartAsync();
        _pulse = new(Log, [
            new("Pulse:Http:TrustedProxies:0", "127.0.0.1"),
            new("Pulse:Http:TrustedProxies:1", "::1"),
            new("Pulse:Auth:Providers:hostile:ClientId", HostileProvider.ClientId),
            new("Pulse:Auth:Providers:hostile:ClientSecret", HostileProvider.ClientSecret),
            new("Pulse:Auth:Providers:hostile:Authority", Hostile.Url),
            new("Pulse:Mail:RequestsPerMinute", "4"),
            new("Pulse:Admin:Key", AdminKey),
        ]);
        await _pulse.InitializeAsync();
    }

    public async Task DisposeAsync()
    {
        await _pulse.DisposeAsync();
        await Hostile.DisposeAsync();
    }

    /// <summary>An address that is unique to one client, in a network of its own.</summary>
    internal string NewAddress() => $"10.1.{Interlocked.Increment(ref _clients)}.1";

    /// <summary>The audit lines about that client.</summary>
    internal LogLine[] LinesOf(string client) => [.. Log.Lines.Where(line => line.Category == AuditLog.Category && line["Client"] as string == client)];

    private sealed class Application(LogSink log, IEnumerable<KeyValuePair<string, string>> settings) : PulseApplication(settings)
    {
        private protected override void Adjust(IServiceCollection services) => services.AddSingleton<ILoggerProvider>(log);
    }
}
