using Pulse.Silo;
using Pulse.Silo.Health;
using Pulse.Silo.Telemetry;

if (HealthProbe.Run(args) is { } exitCode) return exitCode;

var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = ContentRoot.Of(args) });
builder.AddPulseSilo();
builder.AddPulseTelemetry();

var app = builder.Build();
app.MapPulseHealth();
app.Run();
return Environment.ExitCode;
