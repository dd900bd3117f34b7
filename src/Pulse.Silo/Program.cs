using Pulse.Silo;
using Pulse.Silo.Health;

var builder = WebApplication.CreateBuilder(args);
builder.AddPulseSilo();

var app = builder.Build();
app.MapPulseHealth();
app.Run();
