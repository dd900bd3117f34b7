using System.Collections.Concurrent;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Pulse.Web.Connections;
using Pulse.Web.Presence;
using Pulse.Web.Tests.Auth;

namespace Pulse.Web.Tests.Presence;

/// <summary>The log lines of failed calls.</summary>
public sealed class HubLoggingTests(HubLoggingTests.Application pulse) : IClassFixture<HubLoggingTests.Application>
{
    [Fact]
    public async Task ClientErrors_AreNotLogged_ServerFaultsAre()
    {
        await using var ada = await HubClient.ConnectAsync(pulse.Address, TestTokens.Hs256(TestTokens.Claims(Guid.CreateVersion7())));

        await Assert.ThrowsAsync<HubException>(() => ada.Connection.InvokeAsync("SetStatus", "asleep"));
        await Assert.ThrowsAsync<HubException>(() => ada.Connection.InvokeAsync("WatchPresence", Array.Empty<string>()));
        await Assert.ThrowsAsync<HubException>(() => ada.Connection.InvokeAsync("Nothing"));
        Assert.Empty(pulse.Logged);

        await Assert.ThrowsAsync<HubException>(() => ada.Connection.InvokeAsync("WatchPresence", new[] { Application.Faulty }));
        var (category, level, text) = Assert.Single(pulse.Logged);
        Assert.Equal((typeof(UnavailableFilter).FullName, LogLevel.Error), (category, level));
        Assert.Contains("Out of order", text, StringComparison.Ordinal);
    }

    public sealed class Application : PulseApplication, ILoggerProvider
    {
        public static Guid Faulty { get; } = Guid.CreateVersion7();

        /// <summary>The log lines about sockets, at Warning or above.</summary>
        public ConcurrentQueue<(string Category, LogLevel Level, string Text)> Logged { get; } = new();

        public ILogger CreateLogger(string categoryName) => new Logger(categoryName, Logged);

        void IDisposable.Dispose()
        {
        }

        private protected override void Adjust(IServiceCollection services)
        {
            services.AddSingleton<ILoggerProvider>(this);
            services.AddSingleton<IPresencePolicy>(new Policy());
        }

        private sealed class Policy : IPresencePolicy
        {
            public ValueTask<bool> MaySeeAsync(Guid viewerId, Guid userId, CancellationToken cancellationToken = default) =>
                userId == Faulty ? throw new InvalidOperationException("Out of order.") : new(true);
        }

        private static readonly string[] s_ofSockets = ["Pulse.Web.Connections", "Pulse.Web.Hubs", "Pulse.Web.Presence"];

        private sealed class Logger(string category, ConcurrentQueue<(string Category, LogLevel Level, string Text)> logged) : ILogger
        {
            public IDisposable? BeginScope<TState>(TState state)
                where TState : notnull => null;

            public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning
                && (category.Contains("SignalR", StringComparison.Ordinal) || s_ofSockets.Any(part => category.StartsWith(part, StringComparison.Ordinal)));

            public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
            {
                if (IsEnabled(logLevel)) logged.Enqueue((category, logLevel, $"{formatter(state, exception)} {exception}"));
            }
        }
    }
}
