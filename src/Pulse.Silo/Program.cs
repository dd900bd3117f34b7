using Pulse.Silo;
using Pulse.Silo.Health;
using Pulse.Silo.Startup;
using Pulse.Silo.Telemetry;

return await Launch.RunAsync(args, path: "/health/ready", build: static args =>
{
    var builder = Launch.NewBuilder(args, "http://localhost:5000");
    builder.AddPulseSilo();
    builder.AddPulseTelemetry();

    var app = builder.BuildChecked();
    app.MapPulseHealth();
    return app;
});
