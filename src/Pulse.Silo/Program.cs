using Pulse.Silo;

var builder = WebApplication.CreateBuilder(args);
builder.AddPulseSilo();

var app = builder.Build();
app.Run();
