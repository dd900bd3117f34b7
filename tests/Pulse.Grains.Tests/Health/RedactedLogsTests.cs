using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Pulse.Silo.Telemetry;
using Xunit;

namespace Pulse.Grains.Tests.Health;

/// <summary>Log lines of Orleans, which name the grain of a mailbox by its address.</summary>
public sealed class RedactedLogsTests
{
    [Theory]
    [InlineData("Response did not arrive on time for Request [S127.0.0.1:1:2 user/abc]->[account/email\nada.lovelace@example.com] IAccountGrain.SignInAsync()", "account/email\n[address]]")]
    [InlineData("Long turn of signinlinks/ada+x@xn--bcher-kva.example#GrainType=Pulse", "signinlinks/[address]#GrainType=Pulse")]
    [InlineData("[Activation: S10.0.0.1:11111:421/user/7d1f@6a0f0c1b2d3e#GrainType=Pulse.Grains.Users.UserGrain]", "user/7d1f@6a0f0c1b2d3e#")]
    [InlineData("Silo 10.0.0.1:11111@421 is dead", "10.0.0.1:11111@421")]
    public void Line_KeepsIdsAndLosesAddresses(string line, string expected)
    {
        var sink = new Sink();
        using var services = new ServiceCollection().AddLogging(logging => logging.AddProvider(sink)).AddRedacted().BuildServiceProvider();
        var logger = services.GetRequiredService<ILoggerFactory>().CreateLogger("Orleans.Runtime.CallbackData");

        Write(logger, line, exception: null);
        Write(logger, "A call failed", new TimeoutException(line));

        Assert.Equal(2, sink.Lines.Count);
        Assert.All(sink.Lines, text => Assert.Contains(expected, text, StringComparison.Ordinal));
        Assert.DoesNotContain(sink.Lines, text => text.Contains("example", StringComparison.Ordinal));
    }

    [Fact]
    public void OtherCategories_AreUnchanged()
    {
        var sink = new Sink();
        using var services = new ServiceCollection().AddLogging(logging => logging.AddProvider(sink)).AddRedacted().BuildServiceProvider();

        Write(services.GetRequiredService<ILogger<RedactedLogsTests>>(), "ada@example.com", exception: null);

        Assert.Contains("ada@example.com", Assert.Single(sink.Lines), StringComparison.Ordinal);
    }

    private static void Write(ILogger logger, string line, Exception? exception) => logger.Log(LogLevel.Warning, default, line, exception, static (text, _) => text);

    private sealed class Sink : ILoggerProvider, ILogger
    {
        public ConcurrentQueue<string> Lines { get; } = new();

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Enqueue($"{formatter(state, exception)} {exception}");

        public void Dispose()
        {
        }
    }
}

file static class Services
{
    public static IServiceCollection AddRedacted(this IServiceCollection services)
    {
        services.AddRedactedLogs();
        return services;
    }
}
