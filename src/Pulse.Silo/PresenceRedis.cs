using StackExchange.Redis;

namespace Pulse.Silo;

/// <summary>Behaviour of the connection for presence keys while Redis is unavailable.</summary>
internal static class PresenceRedis
{
    // Maximum time that a connecting client waits for its key. The sweep sets the key later.
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
