using Pulse.Silo.Startup;
using Pulse.Web;
using Pulse.Web.Demo;

// Each fault at start, from the first setting to the last port, becomes one line.
return await Launch.RunAsync(args, static args =>
{
    var builder = Launch.NewBuilder(DemoSetup.ReadSwitch(args), "http://localhost:5080");
    builder.AddPulse();

    var app = builder.BuildChecked();
    app.UsePulse();
    app.MapPulse();
    return app;
});
