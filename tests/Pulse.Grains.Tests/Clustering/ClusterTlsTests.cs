using System.Diagnostics;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Orleans.Configuration;
using Orleans.Connections.Security;
using Orleans.Runtime;
using Pulse.Silo;
using Pulse.Silo.Clustering;
using Pulse.Silo.Startup;
using Pulse.Users;
using Xunit;
using Xunit.Sdk;

namespace Pulse.Grains.Tests.Clustering;

/// <summary>TLS among silos and between clients and silos, with the certificates of deploy/local/certificates.sh.</summary>
public sealed class ClusterTlsTests(ClusterTlsTests.Fixture cluster) : IClassFixture<ClusterTlsTests.Fixture>
{
    internal enum Port
    {
        Silo,
        Gateway,
    }

    internal enum Certificate
    {
        NoTls,
        None,
        OfAnotherAuthority,
        WithAnotherName,
        Good,
    }

    [Fact]
    public async Task Clients_WithoutAGoodCertificate_AreRefusedOnBothPorts()
    {
        var clock = Stopwatch.StartNew();
        using var good = cluster.NewClient(Port.Gateway, Certificate.Good);
        await good.StartAsync();

        // A refused client retries. It counts as refused if it is still unconnected after more than twice the time that a good one takes.
        using var bound = new CancellationTokenSource(clock.Elapsed * 2 + TimeSpan.FromSeconds(4));
        var refused =
            from port in Enum.GetValues<Port>()
            from certificate in Enum.GetValues<Certificate>()
            where certificate != Certificate.Good
            select (Name: $"{certificate} on {port}", Client: cluster.NewClient(port, certificate));
        var started = await Task.WhenAll(refused.ToArray().Select(async client =>
        {
            try
            {
                await client.Client.StartAsync(bound.Token).WaitAsync(bound.Token);
                return client.Name;
            }
            catch (Exception exception) when (exception is OrleansException or OperationCanceledException or TimeoutException)
            {
                return "";
            }
        }));

        Assert.All(started, name => Assert.Equal("", name));
        await good.StopAsync();
    }

    /// <summary>Below Orleans, whose own protocol also refuses clients on the silo port.</summary>
    [Theory]
    [InlineData(nameof(Port.Silo))]
    [InlineData(nameof(Port.Gateway))]
    public async Task Connections_WithoutAGoodCertificate_AreClosed(string name)
    {
        var port = Enum.Parse<Port>(name);
        using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await using var good = await cluster.ConnectAsync(port, Certificate.Good, bound.Token);
        var read = good.ReadAsync(new byte[1], bound.Token).AsTask();

        foreach (var certificate in Enum.GetValues<Certificate>().Where(certificate => certificate != Certificate.Good))
        {
            try
            {
                await using var stream = await cluster.ConnectAsync(port, certificate, bound.Token);

                // The beginning of an Orleans connection: the length of what follows. A silo without TLS waits for the rest.
                if (certificate == Certificate.NoTls) await stream.WriteAsync(BitConverter.GetBytes(64), bound.Token);
                while (await stream.ReadAsync(new byte[64], bound.Token) > 0)
                {
                }
            }
            catch (Exception closed) when (closed is IOException or AuthenticationException)
            {
            }
            catch (OperationCanceledException)
            {
                throw new XunitException($"{port}: a connection with certificate '{certificate}' stays open.");
            }
        }

        // A silo port greets, a gateway waits for the client.
        Assert.True(!read.IsCompleted || await read > 0, $"{port}: the connection with a good certificate is closed too.");
    }

    [Fact]
    public async Task TwoSilosAndAClient_TalkOverTls()
    {
        using var second = await cluster.StartSiloAsync();
        using var client = cluster.NewClient(Port.Gateway, Certificate.Good);
        await client.StartAsync();
        var grains = client.Services.GetRequiredService<IGrainFactory>();

        await Eventually.AsyncEqual(2, async () => (await grains.GetGrain<IManagementGrain>(0).GetHosts(onlyActive: true)).Count);
        var silos = new HashSet<SiloAddress>();
        await Eventually.AsyncEqual(2, async () =>
        {
            var user = grains.GetGrain<IUserGrain>(Guid.CreateVersion7());
            Assert.Null(await user.GetProfileAsync());
            if (await grains.GetGrain<IManagementGrain>(0).GetActivationAddress(user) is { } silo) silos.Add(silo);
            return silos.Count;
        });

        await client.StopAsync();
        await second.StopAsync();
    }

    [Fact]
    public void RenewedCertificate_IsUsed_BrokenCertificateIsIgnored()
    {
        var directory = Directory.CreateTempSubdirectory("pulse-tls-");
        try
        {
            Fixture.MakeCertificates(directory.FullName, "pulse");
            using var certificates = new ClusterCertificates(SettingsIn(directory.FullName), TimeProvider.System, NullLogger<ClusterCertificates>.Instance);
            var first = certificates.Current.Own.Thumbprint;

            File.WriteAllText(Path.Combine(directory.FullName, "pulse.pem"), "half written");
            certificates.Refresh();
            Assert.Equal(first, certificates.Current.Own.Thumbprint);

            Fixture.MakeCertificates(directory.FullName, "pulse");
            certificates.Refresh();
            Assert.NotEqual(first, certificates.Current.Own.Thumbprint);
            Assert.True(certificates.Current.Trusts(certificates.Current.Own, sent: null));
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    // Kubernetes gives a secret as links into the folder ..data, which is itself a link, and replaces only the latter.
    [Fact]
    public void RenewedCertificate_BehindALink_IsUsed()
    {
        var directory = Directory.CreateTempSubdirectory("pulse-tls-").FullName;
        try
        {
            foreach (var version in (string[])["1", "2"]) Fixture.MakeCertificates(Directory.CreateDirectory(Path.Combine(directory, version)).FullName, "pulse");
            var data = Path.Combine(directory, "..data");
            Directory.CreateSymbolicLink(data, "1");
            foreach (var file in (string[])["pulse.pem", "pulse.key", "ca.pem"]) File.CreateSymbolicLink(Path.Combine(directory, file), $"..data/{file}");
            using var certificates = new ClusterCertificates(SettingsIn(directory), TimeProvider.System, NullLogger<ClusterCertificates>.Instance);
            var first = certificates.Current.Own.Thumbprint;

            Directory.Delete(data);
            Directory.CreateSymbolicLink(data, "2");
            certificates.Refresh();

            Assert.NotEqual(first, certificates.Current.Own.Thumbprint);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Fact]
    public void CertificateThatEndsSoon_IsReportedOnceADay()
    {
        var (log, time) = (new EventLog(), new FakeTimeProvider());
        using var certificates = new ClusterCertificates(SettingsIn(cluster.Own), time, log);
        time.SetUtcNow(certificates.Current.Own.NotAfter.ToUniversalTime() - TimeSpan.FromDays(8));
        certificates.Refresh();
        Assert.Empty(log.Events);

        for (var hour = 0; hour < 47; hour++)
        {
            time.Advance(TimeSpan.FromHours(1));
            certificates.Refresh();
        }

        Assert.Equal([(LogLevel.Warning, 3222)], log.Events);
        time.Advance(TimeSpan.FromHours(1));
        certificates.Refresh();
        Assert.Equal([(LogLevel.Warning, 3222), (LogLevel.Warning, 3222)], log.Events);
    }

    private sealed class EventLog : ILogger<ClusterCertificates>
    {
        public List<(LogLevel Level, int Id)> Events { get; } = [];

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Events.Add((logLevel, eventId.Id));
    }

    [Theory]
    [InlineData("CaFile is not set", "CaFile", null)]
    [InlineData("CertificateFile is not set", "CertificateFile", null)]
    [InlineData("CaFile is '/nowhere/ca.pem', which cannot be read", "CaFile", "/nowhere/ca.pem")]
    [InlineData("KeyFile", "KeyFile", "{other}/pulse.key")]
    [InlineData("does not come from an authority", "CaFile", "{other}/ca.pem")]
    [InlineData("in which there is no certificate", "CaFile", "{own}/pulse.key")]
    [InlineData("none of the DNS names", "AllowedNames:0", "elsewhere")]
    public void UnacceptableCertificate_IsOneFault(string fault, string setting, string? value)
    {
        var settings = new Dictionary<string, string?>
        {
            ["CertificateFile"] = $"{cluster.Own}/pulse.pem",
            ["KeyFile"] = $"{cluster.Own}/pulse.key",
            ["CaFile"] = $"{cluster.Own}/ca.pem",
        };
        var validator = new ClusterTlsValidator(TimeProvider.System);
        Assert.True(validator.Validate(null, Bind(settings)).Succeeded);

        settings[setting] = value?.Replace("{own}", cluster.Own, StringComparison.Ordinal).Replace("{other}", cluster.Other, StringComparison.Ordinal);
        var message = Assert.Single(validator.Validate(null, Bind(settings)).Failures!);

        Assert.StartsWith("Pulse:Cluster:Tls:", message, StringComparison.Ordinal);
        Assert.Contains(fault, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    private static ClusterTlsSettings Bind(Dictionary<string, string?> settings)
    {
        var bound = new ClusterTlsSettings();
        new ConfigurationBuilder().AddInMemoryCollection(settings).Build().Bind(bound);
        return bound;
    }

    private static ClusterTlsSettings SettingsIn(string directory) => new()
    {
        CertificateFile = Path.Combine(directory, "pulse.pem"),
        KeyFile = Path.Combine(directory, "pulse.key"),
        CaFile = Path.Combine(directory, "ca.pem"),
    };

    /// <summary>A silo with TLS, and certificates of its authority and of another one.</summary>
    public sealed class Fixture : IAsyncLifetime
    {
        private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("pulse-tls-");
        private readonly string _clusterId = $"tls-{Guid.NewGuid():N}";
        private PostgresTestDatabase _database = null!;
        private IHost _silo = null!;

        public string Own => Path.Combine(_directory.FullName, "own");

        public string Other => Path.Combine(_directory.FullName, "other");

        public async Task InitializeAsync()
        {
            MakeCertificates(Own, "pulse", "stranger");
            MakeCertificates(Other, "pulse");
            _database = await PostgresTestDatabase.CreateAsync();
            _silo = await StartSiloAsync();
        }

        public async Task DisposeAsync()
        {
            await _silo.StopAsync();
            _silo.Dispose();
            await _database.DisposeAsync();
            _directory.Delete(recursive: true);
        }

        public static void MakeCertificates(string directory, params string[] names)
        {
            var script = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(Here())!, "../../../deploy/local/certificates.sh"));
            using var process = Process.Start(new ProcessStartInfo(script, [directory, .. names]) { RedirectStandardError = true })!;
            process.WaitForExit();
            Assert.True(process.ExitCode == 0, process.StandardError.ReadToEnd());
        }

        public async Task<IHost> StartSiloAsync()
        {
            var builder = Host.CreateApplicationBuilder();
            builder.Logging.ClearProviders();
            builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
            {
                ["ConnectionStrings:Postgres"] = _database.ConnectionString,
                ["ConnectionStrings:Redis"] = TestServers.Redis,
                ["Pulse:Cluster:ClusterId"] = _clusterId,
                ["Pulse:Cluster:SiloPort"] = "0",
                ["Pulse:Cluster:GatewayPort"] = "0",
                ["Pulse:Cluster:AdvertisedAddress"] = "127.0.0.1",
                ["Pulse:Cluster:Tls:CertificateFile"] = Path.Combine(Own, "pulse.pem"),
                ["Pulse:Cluster:Tls:KeyFile"] = Path.Combine(Own, "pulse.key"),
                ["Pulse:Cluster:Tls:CaFile"] = Path.Combine(Own, "ca.pem"),
                ["Pulse:Cluster:Tls:AllowedNames:0"] = "pulse",
            });
            builder.AddPulseSilo();
            var silo = builder.Build();
            await silo.StartAsync();
            return silo;
        }

        internal IHost NewClient(Port port, Certificate certificate)
        {
            var builder = Host.CreateApplicationBuilder();
            builder.Logging.ClearProviders();
            builder.UseOrleansClient(client =>
            {
                client.Configure<ClusterOptions>(options => (options.ClusterId, options.ServiceId) = (_clusterId, "pulse"));
                client.Configure<ConnectionOptions>(options => options.OpenConnectionTimeout = TimeSpan.FromSeconds(2));
                client.UseStaticClustering(AddressOf(port));
                if (certificate == Certificate.NoTls) return;
                client.UseTls(tls =>
                {
                    tls.AllowAnyRemoteCertificate();
                    tls.ClientCertificateMode = RemoteCertificateMode.AllowCertificate;
                    tls.OnAuthenticateAsClient = (_, options) => options.TargetHost = "pulse";
                    tls.LocalCertificate = Load(certificate);
                });
            });
            return builder.Build();
        }

        /// <summary>A connection without Orleans. TLS 1.3 tells a client of its refusal after the handshake, at the first read.</summary>
        internal async Task<Stream> ConnectAsync(Port port, Certificate certificate, CancellationToken cancellation)
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(AddressOf(port), cancellation);
            var stream = new NetworkStream(socket, ownsSocket: true);
            if (certificate == Certificate.NoTls) return stream;

            var tls = new SslStream(stream);
            try
            {
                var own = Load(certificate);
                await tls.AuthenticateAsClientAsync(
                    new SslClientAuthenticationOptions
                    {
                        TargetHost = "pulse",
                        RemoteCertificateValidationCallback = (_, silos, _, _) => silos is not null,
                        LocalCertificateSelectionCallback = (_, _, _, _, _) => own!,
                    },
                    cancellation);
                return tls;
            }
            catch
            {
                await tls.DisposeAsync();
                throw;
            }
        }

        private IPEndPoint AddressOf(Port port)
        {
            var endpoint = _silo.Services.GetRequiredService<IOptions<EndpointOptions>>().Value;
            return new(IPAddress.Loopback, port == Port.Silo ? endpoint.SiloPort : endpoint.GatewayPort);
        }

        private X509Certificate2? Load(Certificate certificate) => certificate switch
        {
            Certificate.OfAnotherAuthority => Load(Other, "pulse"),
            Certificate.WithAnotherName => Load(Own, "stranger"),
            Certificate.Good => Load(Own, "pulse"),
            _ => null,
        };

        private static X509Certificate2 Load(string directory, string name) =>
            X509Certificate2.CreateFromPemFile(Path.Combine(directory, $"{name}.pem"), Path.Combine(directory, $"{name}.key"));

        private static string Here([CallerFilePath] string path = "") => path;
    }
}
