namespace Pulse.Silo;

/// <summary>The two connection strings that choose the stores: both (PostgreSQL and Redis), or neither (embedded).</summary>
internal sealed record ConnectionStrings(string? Postgres, string? Redis)
{
    /// <summary>Reads them; an empty one counts as absent.</summary>
    /// <exception cref="InvalidOperationException">One is there without the other.</exception>
    public static ConnectionStrings From(IConfiguration configuration)
    {
        var postgres = NullIfBlank(configuration.GetConnectionString("Postgres"));
        var redis = NullIfBlank(configuration.GetConnectionString("Redis"));
        return (postgres, redis) switch
        {
            (not null, null) => throw Missing("Redis", "Postgres"),
            (null, not null) => throw Missing("Postgres", "Redis"),
            _ => new(postgres, redis),
        };
    }

    private static string? NullIfBlank(string? value) => string.IsNullOrWhiteSpace(value) ? null : value;

    private static InvalidOperationException Missing(string missing, string given) => new(
        $"ConnectionStrings:{given} is set but ConnectionStrings:{missing} is not. Set both to run on PostgreSQL and Redis, or neither to run on embedded stores.");
}
