using Microsoft.Extensions.Configuration;
using Npgsql;
using Pulse.Silo.Startup;
using Xunit;

namespace Pulse.Grains.Tests;

/// <summary>
/// Connection strings in the forms of hosting platforms. Refused ones are tested in Pulse.Web.Tests, on the built programs.
/// </summary>
public sealed class ConnectionStringsTests
{
    [Theory]
    [InlineData("postgres://ada:p%40ss%3B%3D%22@db.example:6432/pulse", "Host=db.example;Port=6432;Username=ada;Password='p@ss;=\"';Database=pulse")]
    [InlineData("postgresql://ada@db/pulse?sslmode=verify-full&application_name=x", "Host=db;Username=ada;Database=pulse;SSL Mode=VerifyFull;Application Name=x")]
    [InlineData("Host=db;Username=ada;Password='a;b=c'\n", "Host=db;Username=ada;Password='a;b=c'")]
    public void Postgres_AsAUrlOrAsPairs_IsWhatNpgsqlTakes(string given, string expected)
    {
        var read = Read(given, "localhost");

        Assert.Empty(read.Faults);
        Assert.Equal(new NpgsqlConnectionStringBuilder(expected).ConnectionString, read.Postgres, ignoreCase: true);
    }

    [Theory]
    [InlineData("redis://localhost", "localhost:6379")]
    [InlineData("redis://ada:p%2Css@cache.example:6380/2", "cache.example:6380,user=ada,password=p,ss,defaultDatabase=2")]
    [InlineData("rediss://:secret@cache.example", "cache.example:6379,password=secret,ssl=True,sslHost=cache.example")]
    [InlineData("localhost:6379,password=secret,abortConnect=false\r\n", "localhost:6379,password=secret,abortConnect=False")]
    public void Redis_AsAUrlOrAsPairs_IsWhatTheDriverTakes(string given, string expected)
    {
        var read = Read("Host=db", given);

        Assert.Empty(read.Faults);
        Assert.Equal(expected.Split(',').Order(), read.Redis!.ToString(includePassword: true).Split(',').Order());
    }

    private static ConnectionStrings Read(string postgres, string redis) => ConnectionStrings.From(new ConfigurationBuilder().AddInMemoryCollection(
        new Dictionary<string, string?> { ["ConnectionStrings:Postgres"] = postgres, ["ConnectionStrings:Redis"] = redis }).Build(), hostsSilo: true);
}
