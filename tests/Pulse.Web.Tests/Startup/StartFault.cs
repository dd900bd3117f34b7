namespace Pulse.Web.Tests.Startup;

/// <summary>A start that must fail: one line on standard error that names the setting.</summary>
/// <param name="Names">The words that the line must have: the setting first.</param>
/// <param name="Settings">The environment. <c>{busy}</c> is a port in use, <c>{postgres}</c> and <c>{redis}</c> are the test
/// servers.</param>
internal sealed record StartFault(string[] Names, params (string Key, string Value)[] Settings)
{
    /// <summary>Part of the settings of every fault that has a secret.</summary>
    public const string Secret = "hunter2-0123456789-0123456789-0123456789";

    private const string AnyPostgres = "Host=127.0.0.1;Port=1;Username=pulse;Database=pulse";
    private const string AnyRedis = "127.0.0.1:1";

    public string Program { get; init; } = "Pulse.Web";

    public string[] Arguments { get; init; } = [];

    /// <summary>Prepares a PostgreSQL database, which <c>{postgres}</c> then names.</summary>
    public string[]? Sql { get; init; }

    /// <summary>Written into the working directory.</summary>
    public string? AppSettings { get; init; }

    public static IReadOnlyDictionary<string, StartFault> All { get; } = new Dictionary<string, StartFault>
    {
        ["port in use"] = new(["urls", "http://127.0.0.1:{busy}", "--urls"], ("ASPNETCORE_URLS", "http://127.0.0.1:{busy}")),
        ["health port of a silo in use"] = Silo(["urls", "{busy}"], ("ASPNETCORE_URLS", "http://127.0.0.1:{busy}")),
        ["address that is none"] = new(["urls", "'5080'"], ("ASPNETCORE_URLS", "5080")),
        ["address with a port that is none"] = new(["urls", "'http://localhost:99999'"], ("ASPNETCORE_URLS", "http://localhost:99999")),
        ["certificate of the web server that is not there"] = new(["Kestrel:Certificates", "/nowhere.pem"],
            ("Kestrel__Certificates__Default__Path", "/nowhere.pem"), ("ASPNETCORE_URLS", "https://127.0.0.1:0")),
        ["address of another machine"] = new(["urls", "192.0.2.1"], ("ASPNETCORE_URLS", "http://192.0.2.1:5080")),
        ["silo port in use"] = new(["Pulse:Cluster:SiloPort", "{busy}", "0 for a free one"],
            ("ConnectionStrings__Postgres", AnyPostgres), ("ConnectionStrings__Redis", AnyRedis), ("Pulse__Cluster__AdvertisedAddress", "127.0.0.1"),
            ("Pulse__Cluster__SiloPort", "{busy}"), ("Pulse__Cluster__GatewayPort", "0")),
        ["gateway port in use"] = Silo(["Pulse:Cluster:GatewayPort", "{busy}"],
            ("Pulse__Cluster__AdvertisedAddress", "127.0.0.1"), ("Pulse__Cluster__SiloPort", "0"), ("Pulse__Cluster__GatewayPort", "{busy}")),
        ["advertised address that is a name"] = Silo(["Pulse:Cluster:AdvertisedAddress", "'silo-1.example.com'"], ("Pulse__Cluster__AdvertisedAddress", "silo-1.example.com")),
        ["front end without a cluster"] = new(["ClusterId"], ("ConnectionStrings__Redis", AnyRedis), ("Pulse__Silo", "External"), ("Pulse__Cluster__ClusterId", "")),
        ["silo with a front end's setting and one store"] = new(["ConnectionStrings:Postgres", "ConnectionStrings:Redis"],
            ("ConnectionStrings__Postgres", AnyPostgres), ("Pulse__Silo", "External")) { Program = "Pulse.Silo" },
        ["advertised address of another machine"] = Silo(["Pulse:Cluster:AdvertisedAddress", "192.0.2.1"], ("Pulse__Cluster__AdvertisedAddress", "192.0.2.1")),

        ["TLS without authorities"] = Silo(["Pulse:Cluster:Tls:CaFile"], ("Pulse__Cluster__Tls__CertificateFile", "/nowhere/pulse.pem")),
        ["TLS with a file that is not there"] = Silo(["Pulse:Cluster:Tls:CaFile", "/nowhere/ca.pem"],
            ("Pulse__Cluster__Tls__CertificateFile", "/nowhere/pulse.pem"), ("Pulse__Cluster__Tls__CaFile", "/nowhere/ca.pem")),
        ["TLS with a file that is not there, of a front end"] = new(["Pulse:Cluster:Tls:CaFile", "/nowhere/ca.pem"],
            ("ConnectionStrings__Redis", AnyRedis), ("Pulse__Silo", "External"),
            ("Pulse__Cluster__Tls__CertificateFile", "/nowhere/pulse.pem"), ("Pulse__Cluster__Tls__CaFile", "/nowhere/ca.pem")),
        ["misspelt setting of TLS"] = Silo(["Pulse:Cluster:Tls:KeyFiel", "KeyFile"], ("Pulse__Cluster__Tls__KeyFiel", "/nowhere/pulse.key")),
        ["colour of pages without contrast"] = new(["Pulse:Pages:Accent", "4.5", "'#ffee00'"], ("Pulse__Pages__Accent", "#ffee00"), ("Pulse__Pages__AccentDark", "#ffee00")),
        ["health details for no address"] = Silo(["Pulse:Health:DetailsFor:0", "'everybody'"], ("Pulse__Health__DetailsFor__0", "everybody")),

        ["PostgreSQL in quotation marks"] = Stores(["ConnectionStrings:Postgres", "quotation marks"], postgres: $"\"Host=db;Password={Secret}\""),
        ["PostgreSQL with another driver's word"] = Stores(["ConnectionStrings:Postgres", "'pgbouncer'"], postgres: $"{AnyPostgres};Password={Secret};pgbouncer=true"),
        ["PostgreSQL with a misspelt word"] = Stores(["ConnectionStrings:Postgres", "'databse'", "'Database'"], postgres: $"Host=db;Databse=pulse;Password={Secret}"),
        ["PostgreSQL with ; in the password"] = Stores(["ConnectionStrings:Postgres", "part 2"], postgres: $"Password=a;{Secret}=b;Host=db"),
        ["PostgreSQL with a value that is none"] = Stores(["ConnectionStrings:Postgres", "port"], postgres: $"Host=db;Port=x{Secret}"),
        ["PostgreSQL without a host"] = Stores(["ConnectionStrings:Postgres", "Host"], postgres: $"Username=pulse;Password={Secret}"),
        ["PostgreSQL as another URL"] = Stores(["ConnectionStrings:Postgres", "mysql://", "postgres://"], postgres: $"mysql://pulse:{Secret}@db/pulse"),
        ["PostgreSQL as a broken URL"] = Stores(["ConnectionStrings:Postgres", "percent-encode"], postgres: $"postgres://pulse:{Secret}/#@db:x/pulse"),
        ["PostgreSQL URL with another driver's word"] = Stores(["ConnectionStrings:Postgres", "'connection_limit'"], postgres: $"postgres://u:{Secret}@db/pulse?connection_limit=1"),
        ["Redis in quotation marks"] = Stores(["ConnectionStrings:Redis", "quotation marks"], redis: $"'localhost:6379,password={Secret}'"),
        ["Redis with a foreign word"] = Stores(["ConnectionStrings:Redis", "'family'"], redis: $"localhost:6379,password={Secret},family=0"),
        ["Redis with a comma in the password"] = Stores(["ConnectionStrings:Redis", "part 3"], redis: $"localhost:6379,password=a,{Secret}=b"),
        ["Redis as another URL"] = Stores(["ConnectionStrings:Redis", "http://", "redis://"], redis: $"http://:{Secret}@localhost:6379"),
        ["Redis without a host"] = Stores(["ConnectionStrings:Redis", "host"], redis: $"password={Secret}"),
        ["PostgreSQL without Redis"] = new(["ConnectionStrings:Postgres", "ConnectionStrings:Redis"], ("ConnectionStrings__Postgres", AnyPostgres)),
        ["Redis without PostgreSQL"] = Silo(["ConnectionStrings:Redis", "ConnectionStrings:Postgres"], ("ConnectionStrings__Postgres", "")),
        ["both in quotation marks"] = Stores(["ConnectionStrings:Postgres"], postgres: "'Host=db'", redis: "'localhost'") with { Lines = 2 },

        ["database in LATIN1"] = Database(["ConnectionStrings:Postgres", "LATIN1", "UTF8"]) with { Encoding = "LATIN1" },
        ["tables of another program"] = Database(["ConnectionStrings:Postgres", "42P07", "Search Path"], "CREATE TABLE users (login text)"),
        ["journal of another program"] = Database(["ConnectionStrings:Postgres", "42703", "Search Path"], "CREATE TABLE schema_versions (version int)"),
        ["no right to make tables"] = Database(["ConnectionStrings:Postgres", "42501", "Search Path"], "REVOKE CREATE ON SCHEMA public FROM PUBLIC") with { AsLimitedRole = true },
        ["schema that is not there"] = Database(["ConnectionStrings:Postgres", "Search Path", "'nowhere'"]) with { Suffix = ";Search Path=nowhere" },

        ["no Unicode normalisation"] = new(["DOTNET_SYSTEM_GLOBALIZATION_INVARIANT", "ICU"], ("DOTNET_SYSTEM_GLOBALIZATION_INVARIANT", "1")),
        ["no Unicode normalisation in a silo"] = Silo(["DOTNET_SYSTEM_GLOBALIZATION_INVARIANT", "ICU"], ("DOTNET_SYSTEM_GLOBALIZATION_INVARIANT", "1")),
        ["line break after a secret"] = new(["Pulse:Auth:SigningKey", "white space"], ("Pulse__Auth__SigningKey", $"{Secret}\n")),
        ["misspelt setting"] = new(["Pulse:Auth:SigningKy", "Pulse:Auth:SigningKey"], ("Pulse__Auth__SigningKy", Secret)),
        ["setting in the wrong section"] = new(["Pulse:Auth:Google:Secret"], ("Pulse__Auth__Google__Secret", Secret)),
        ["misspelt setting of a list"] = new(["Pulse:Auth:TrustedIssuers:0:Isuer", "Issuer"],
            ("Pulse__Auth__TrustedIssuers__0__Isuer", "x"), ("Pulse__Auth__TrustedIssuers__0__Issuer", "x"), ("Pulse__Auth__TrustedIssuers__0__Audience", "x"),
            ("Pulse__Auth__TrustedIssuers__0__SigningKey", Secret)),
        ["list as a single value"] = new(["Pulse:Http:TrustedProxies", "Pulse:Http:TrustedProxies:0"], ("Pulse__Http__TrustedProxies", "10.0.0.0/8")),
        ["list of secrets as a single value"] = new(["Pulse:Auth:PreviousSigningKeys:0"], ("Pulse__Auth__PreviousSigningKeys", Secret)),
        ["list of a silo as a single value"] = Silo(["Pulse:Cluster:Tls:AllowedNames:0"], ("Pulse__Cluster__Tls__AllowedNames", "pulse")),
        ["group as a single value"] = new(["Pulse:Mail", "several values"], ("Pulse__Mail", "smtp.example.com")),
        ["invented setting"] = new(["Pulse:Colour"], ("Pulse__Colour", "blue")),
        ["misspelt setting of a silo"] = Silo(["Pulse:Presence:TimeToLife", "Pulse:Presence:TimeToLive"], ("Pulse__Presence__TimeToLife", "00:01:00")),
        ["time that is none"] = new(["Pulse:Presence:TimeToLive", "'soon'", "00:01:00"], ("Pulse__Presence__TimeToLive", "soon")),
        ["number out of range"] = Silo(["Pulse:Presence:MaxConnectionsPerUser", "'0'", "between 1 and 1000"], ("Pulse__Presence__MaxConnectionsPerUser", "0")),
        ["no signing key in Production"] = new(["Pulse:Auth:SigningKey", "32 bytes"], ("ASPNETCORE_ENVIRONMENT", "Production")),
        ["short signing key"] = new(["Pulse:Auth:SigningKey", "32 bytes"], ("Pulse__Auth__SigningKey", Secret[..8])),
        ["--demo in Production"] = new(["--demo", "Pulse:Demo"], ("ASPNETCORE_ENVIRONMENT", "Production"), ("Pulse__Auth__SigningKey", Secret)) { Arguments = ["--demo"] },
        ["--demo on a database of several processes"] = Stores(["--demo", "Pulse:Demo", "ConnectionStrings:Postgres"]) with { Arguments = ["--demo"] },
        ["--demo with silos elsewhere"] = new(["--demo", "Pulse:Silo"], ("ConnectionStrings__Redis", AnyRedis), ("Pulse__Silo", "External")) { Arguments = ["--demo"] },
        ["silos elsewhere, without Redis"] = new(["Pulse:Silo", "ConnectionStrings:Redis"], ("Pulse__Silo", "External")),
        ["data directory that is none"] = new(["Pulse:DataDirectory", "/dev/null/data"], ("Pulse__DataDirectory", "/dev/null/data"), ("Pulse__Auth__SigningKey", Secret)),
        ["appsettings.json that is no JSON"] = new(["appsettings.json"]) { AppSettings = "{ \"Pulse\": " },
    };

    public int Lines { get; init; } = 1;

    public string Encoding { get; init; } = "UTF8";

    public bool AsLimitedRole { get; init; }

    public string Suffix { get; init; } = "";

    private static StartFault Silo(string[] names, params (string, string)[] settings) =>
        new(names, [("ConnectionStrings__Postgres", AnyPostgres), ("ConnectionStrings__Redis", AnyRedis), .. settings]) { Program = "Pulse.Silo" };

    private static StartFault Stores(string[] names, string postgres = AnyPostgres, string redis = AnyRedis) =>
        new(names, ("ConnectionStrings__Postgres", postgres), ("ConnectionStrings__Redis", redis));

    private static StartFault Database(string[] names, params string[] sql) =>
        new(names, ("ConnectionStrings__Postgres", "{postgres}"), ("ConnectionStrings__Redis", "{redis}"),
            ("Pulse__Cluster__SiloPort", "0"), ("Pulse__Cluster__GatewayPort", "0")) { Sql = sql, Program = "Pulse.Silo" };
}
