// Two silos on PostgreSQL and Redis, and the application of samples/dotnet-host as their front end, with the dashboard of Aspire.
var builder = DistributedApplication.CreateBuilder(args);

var postgres = builder.AddPostgres("database-server").WithDataVolume().AddDatabase("database", "pulse");
var redis = builder.AddRedis("redis");

var silos = builder.AddProject<Projects.Pulse_Silo>("silo")
    .WithReplicas(2)
    .WithHttpEndpoint()
    .WithHttpHealthCheck("/health/ready")
    // Pulse reads ConnectionStrings:Postgres and ConnectionStrings:Redis.
    .WithReference(postgres, "Postgres")
    .WithReference(redis, "Redis")
    // The silos share this machine, so each takes free ports.
    .WithEnvironment("Pulse__Cluster__SiloPort", "0")
    .WithEnvironment("Pulse__Cluster__GatewayPort", "0")
    .WaitFor(postgres)
    .WaitFor(redis);

builder.AddProject<Projects.Pulse_Samples_Host>("host")
    .WithExternalHttpEndpoints()
    .WithHttpHealthCheck("/health/ready")
    // The front end finds the silos in Redis, and leaves the database to them.
    .WithReference(redis, "Redis")
    .WithEnvironment("Pulse__Silo", "External")
    .WaitFor(silos);

await builder.Build().RunAsync();
