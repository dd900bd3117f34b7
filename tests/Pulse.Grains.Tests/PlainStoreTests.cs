using Npgsql;
using Pulse.Silo.Startup;
using StackExchange.Redis;
using Xunit;

namespace Pulse.Grains.Tests;

/// <summary>Which stores count as reached over a network without TLS.</summary>
public sealed class PlainStoreTests
{
    [Theory]
    [InlineData("Host=db.example.com", true)]
    [InlineData("Host=db.example.com;SSL Mode=Prefer", true)]
    [InlineData("Host=db.example.com;SSL Mode=Disable", true)]
    [InlineData("Host=localhost,db.example.com:5433", true)]
    [InlineData("Host=db.example.com;SSL Mode=Require", false)]
    [InlineData("Host=db.example.com;SSL Mode=VerifyFull", false)]
    [InlineData("Host=127.0.0.1", false)]
    [InlineData("Host=localhost:5433", false)]
    [InlineData("Host=::1", false)]
    [InlineData("Host=/var/run/postgresql", false)]
    public void Postgres(string connectionString, bool isPlain) =>
        Assert.Equal(isPlain, PlainStoreWarnings.IsPlain(new NpgsqlConnectionStringBuilder(connectionString)));

    [Theory]
    [InlineData("redis.example.com:6379", true)]
    [InlineData("localhost:6379,10.0.0.7:6379", true)]
    [InlineData("redis.example.com:6380,ssl=true", false)]
    [InlineData("127.0.0.1:6379", false)]
    [InlineData("localhost", false)]
    public void Redis(string configuration, bool isPlain) => Assert.Equal(isPlain, PlainStoreWarnings.IsPlain(ConfigurationOptions.Parse(configuration)));
}
