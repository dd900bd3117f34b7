using StackExchange.Redis;

namespace Pulse.Silo;

/// <summary>How the connection for presence keys behaves when Redis does not.</summary>
internal static class PresenceRedis
{
    // A connect waits for its key at most this long; the sweep sets it later.
    private const int CommandTimeoutMs = 1_000;

    public static ConfigurationOptions Configure(ConfigurationOptions redis)
    {
        var options = redis.Clone();
        options.ClientName ??= "pulse-presence";
        options.AbortOnConnectFail = false; // Redis may start after Pulse.
        options.BacklogPolicy = BacklogPolicy.FailFast; // Late SETs after an outage would be about the past; the sweep knows the present.
        options.SocketManager = SocketManager.ThreadPool; // The driver's own threads would have to be woken for every command.
        options.AsyncTimeout = CommandTimeoutMs;
        options.ConnectTimeout = CommandTimeoutMs * 2;
        return options;
    }
}
