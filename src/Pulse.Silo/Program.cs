using Pulse.Silo;
using Pulse.Silo.Health;

var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = ContentRoot.Of(args) });
builder.AddPulseSilo();

var app = builder.Build();
app.MapPulseHealth();
app.Run();
