using Npgsql;

namespace Pulse.Grains.Tests;

/// <summary>The servers that <c>./test.sh</c> starts and names in the environment.</summary>
internal static class TestServers
{
    /// <summary>A PostgreSQL server where tests may create databases.</summary>
    public static NpgsqlConnectionStringBuilder Postgres => new(Variable("PULSE_TEST_POSTGRES", "an Npgsql connection string of a PostgreSQL where tests may create databases"));

    /// <summary>A Redis that tests share. Each test uses keys of its own.</summary>
    public static string Redis => Variable("PULSE_TEST_REDIS", "the host:port of a Redis for tests");

    private static string Variable(string name, string meaning) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } value
            ? value
            : throw new InvalidOperationException($"{name} is not set. Run the tests with ./test.sh, which starts the servers they need, or set it to {meaning}.");
}
