using System.ComponentModel;
using System.Data.Common;
using System.Reflection;
using Npgsql;
using StackExchange.Redis;

namespace Pulse.Silo.Startup;

/// <summary>The two connection strings that select the stores: both (PostgreSQL and Redis), or neither (embedded).</summary>
/// <param name="Postgres">For Npgsql. <see langword="null"/> if it is missing or faulty.</param>
/// <param name="Redis">For StackExchange.Redis, likewise. A connection that changes it must clone it.</param>
/// <param name="Faults">One line for each fault, with the setting's name but free of secrets.</param>
internal sealed record ConnectionStrings(string? Postgres, ConfigurationOptions? Redis, IReadOnlyList<string> Faults)
{
    public const string PostgresSetting = "ConnectionStrings:Postgres";
    public const string RedisSetting = "ConnectionStrings:Redis";

    private const string PostgresExample = "Host=localhost;Username=pulse;Password=…;Database=pulse";
    private const string RedisExample = "localhost:6379,password=…";

    // Words of other drivers and platforms that users copy. Any other unknown word may be a part of a password, and is not repeated.
    private static readonly string[] s_foreignWords =
    [
        "channel_binding", "charset", "connection_limit", "connect_timeout", "currentSchema", "pgbouncer", "pool_timeout", "prepareThreshold", "schema",
        "ssl_mode", "sslaccept", "sslcert", "sslkey", "sslrootcert", "statement_cache_size", "statement_timeout", "target_session_attrs", "uselibpqcompat",
        "family", "max_retries", "socket_timeout", "ssl_cert_reqs", "tls",
    ];

    private static readonly Dictionary<string, string> s_libpqWords = new()
    {
        ["connect_timeout"] = "Timeout",
        ["sslcert"] = "SSL Certificate",
        ["sslrootcert"] = "Root Certificate",
        ["target_session_attrs"] = "Target Session Attributes",
        ["user"] = "Username",
    };

    private static readonly string[] s_postgresWords =
        [.. typeof(NpgsqlConnectionStringBuilder).GetProperties().Select(property => property.GetCustomAttribute<DisplayNameAttribute>()?.DisplayName).OfType<string>()];

    private static readonly string[] s_redisWords =
    [
        "abortConnect", "allowAdmin", "channelPrefix", "checkCertificateRevocation", "configChannel", "connectRetry", "connectTimeout", "defaultDatabase",
        "keepAlive", "name", "password", "proxy", "resolveDns", "serviceName", "ssl", "sslHost", "sslProtocols", "syncTimeout", "asyncTimeout", "tiebreaker",
        "user", "version",
    ];

    /// <summary>Reads both. An empty string counts as missing.</summary>
    /// <param name="configuration">The settings.</param>
    /// <param name="hostsSilo">Whether the process hosts a silo, so that one of the two alone is a fault.</param>
    public static ConnectionStrings From(IConfiguration configuration, bool hostsSilo)
    {
        var faults = new List<string>();
        var postgres = Clean(configuration.GetConnectionString("Postgres"));
        var redis = Clean(configuration.GetConnectionString("Redis"));
        if (hostsSilo && postgres is not null && redis is null) faults.Add(Missing(RedisSetting, PostgresSetting));
        if (hostsSilo && redis is not null && postgres is null) faults.Add(Missing(PostgresSetting, RedisSetting));
        return new(
            postgres is null ? null : Read(postgres, PostgresSetting, PostgresExample, ReadPostgres, faults),
            redis is null ? null : Read(redis, RedisSetting, RedisExample, ReadRedis, faults),
            faults);
    }

    // Secrets that come from files often end in a line break.
    private static string? Clean(string? value) => string.IsNullOrWhiteSpace(value) ? null : value.Trim();

    private static string Missing(string missing, string given) =>
        $"{given} is set but {missing} is not. Set both to run on PostgreSQL and Redis, or neither to run on embedded stores.";

    private static T? Read<T>(string text, string setting, string example, Func<string, T> read, List<string> faults) where T : class
    {
        try
        {
            if (text[0] is '"' or '\'') throw new FormatException("is in quotation marks. Write it without them");
            return read(text);
        }
        catch (FormatException fault)
        {
            faults.Add($"{setting} {fault.Message}: {example}.");
            return null;
        }
    }

    private static string ReadPostgres(string text)
    {
        var settings = new NpgsqlConnectionStringBuilder();
        if (ConnectionUrl.TryParse(text, ["postgres", "postgresql"], out var url))
        {
            settings.Host = url.Host;
            if (url.Port is { } port) settings.Port = port;
            if (url.User is { } user) settings.Username = user;
            if (url.Password is { } password) settings.Password = password;
            if (url.Path is { } database) settings.Database = database;
            foreach (var (word, value) in url.Query)
            {
                // URLs use the words of libpq (PostgreSQL's documentation, 34.1.2), and verify-full for Npgsql's VerifyFull.
                var name = s_libpqWords.GetValueOrDefault(word, word.Replace("_", "", StringComparison.Ordinal));
                Set(settings, word, word == "sslmode" ? value.Replace("-", "", StringComparison.Ordinal) : value, 0, name);
            }
        }
        else
        {
            var number = 0;
            foreach (var (word, value) in Words(text)) Set(settings, word, value, ++number);
        }

        if (string.IsNullOrEmpty(settings.Host)) throw new FormatException("names no Host. Write it as");
        return settings.ConnectionString;
    }

    /// <summary>The pairs by the rules of ADO.NET: a value with ; or = is in quotes.</summary>
    private static IEnumerable<(string Word, string Value)> Words(string text)
    {
        var parsed = new DbConnectionStringBuilder();
        try
        {
            parsed.ConnectionString = text;
        }
        catch (ArgumentException)
        {
            throw new FormatException("is no list of keyword=value pairs with ; between them. Write it as");
        }

        return parsed.Keys.Cast<string>().Select(word => (word, parsed[word].ToString() ?? ""));
    }

    private static void Set(NpgsqlConnectionStringBuilder settings, string word, string value, int number, string? name = null)
    {
        try
        {
            settings[name ?? word] = value;
        }
        catch (ArgumentException fault) when (fault.InnerException is KeyNotFoundException)
        {
            throw Unknown(word, number, "put the password in quotes", s_postgresWords);
        }
        catch (Exception fault) when (fault is ArgumentException or FormatException or InvalidCastException or OverflowException)
        {
            throw new FormatException($"has a value for {word} that PostgreSQL's driver does not take. Write it as");
        }
    }

    private static ConfigurationOptions ReadRedis(string text)
    {
        if (ConnectionUrl.TryParse(text, ["redis", "rediss"], out var url))
        {
            var given = new ConfigurationOptions { User = url.User, Password = url.Password };
            given.EndPoints.Add(url.Host, url.Port ?? 6379);
            if (url.Scheme == "rediss") (given.Ssl, given.SslHost) = (true, url.Host);
            if (url.Path is { } database)
                given.DefaultDatabase = int.TryParse(database, out var number) ? number : throw new FormatException("has a path that is no number of a database. Write it as");
            if (url.Query.Count > 0) throw Unknown(url.Query[0].Word, 0, "", s_redisWords);
            return given;
        }

        foreach (var (index, part) in text.Split(',').Index())
        {
            var word = part.Split('=')[0].Trim();
            if (!part.Contains('=', StringComparison.Ordinal) || word.StartsWith('$')) continue;
            if (!s_redisWords.Contains(word, StringComparer.OrdinalIgnoreCase) && !IsKnownToDriver(word)) throw Unknown(word, index + 1, "write redis://:password@host:6379 with the password percent-encoded", s_redisWords);
        }

        try
        {
            var parsed = ConfigurationOptions.Parse(text);
            return parsed.EndPoints.Count > 0 ? parsed : throw new FormatException("names no host. Write it as");
        }
        catch (ArgumentException)
        {
            throw new FormatException("has a value that Redis' driver does not take. Write it as");
        }
    }

    private static bool IsKnownToDriver(string word)
    {
        try
        {
            ConfigurationOptions.Parse($"{word}=");
            return true;
        }
        catch (ArgumentException fault)
        {
            return !fault.Message.StartsWith($"Keyword '{word}' is not supported", StringComparison.Ordinal);
        }
    }

    private static FormatException Unknown(string word, int number, string separate, IEnumerable<string> known)
    {
        if (s_foreignWords.Contains(word, StringComparer.OrdinalIgnoreCase))
            return new($"has the word '{word}', which belongs to another driver. Remove it, and write the rest as");
        if (KnownSettings.Nearest(word, known) is { } nearest) return new($"has the word '{word}'. Did you mean '{nearest}'? Write it as");

        // The word may be a part of a password.
        return new(number == 0
            ? "has a query with a word that the driver does not know. Remove it, or write the connection as"
            : $"has a word in part {number} that the driver does not know. If it is a part of a password, {separate}. Otherwise remove it, and write the rest as");
    }
}
