using Pulse.Silo.Startup;

namespace Pulse.Web.Demo;

/// <summary><c>--demo</c>: simulated people to watch and to talk with. Development only.</summary>
internal static class DemoSetup
{
    private const string Switch = "--demo";
    private const string Setting = "Pulse:Demo";

    /// <summary>
    /// Rewrites <c>--demo</c> to the host's format of a setting. Otherwise the host would use the next argument as its value.
    /// </summary>
    public static string[] ReadSwitch(string[] args) => Array.ConvertAll(args, arg => arg == Switch ? $"--{Setting}=true" : arg);

    /// <summary>Adds the people if requested. Call it after the silo is added, so that they disconnect before the silo stops.</summary>
    /// <exception cref="StartException">They are requested outside Development, or other processes may use the same database.</exception>
    public static void AddDemo(this IHostApplicationBuilder builder)
    {
        var isAsked = builder.Configuration.GetValue<bool>(Setting);
        if (builder.Environment.IsDevelopment())
            builder.Services.AddSingleton(new PassingUsers([.. DemoPerson.Everybody.Select(person => person.Id)], AreHere: isAsked));
        if (!isAsked) return;
        if (!builder.Environment.IsDevelopment())
        {
            throw new StartException(
                $"{Switch} ({Setting}) works in Development alone, and this is {builder.Environment.EnvironmentName}: its {DemoPerson.Everybody.Count} simulated people "
                + "would stay among your users. Leave it out, or set ASPNETCORE_ENVIRONMENT=Development.");
        }

        if (string.Equals(builder.Configuration["Pulse:Silo"], "External", StringComparison.OrdinalIgnoreCase))
        {
            throw new StartException(
                $"{Switch} ({Setting}) works where the silo is in this process, and Pulse:Silo is External: the simulated people could not be deleted from the database. "
                + "Leave one of the two out.");
        }

        // Two demos would answer each message twice, and the end of the first would delete the people of the other.
        if (!string.IsNullOrWhiteSpace(builder.Configuration.GetConnectionString("Postgres")))
        {
            throw new StartException(
                $"{Switch} ({Setting}) works on the embedded stores alone, and ConnectionStrings:Postgres is set: other processes may use that database, with the "
                + "simulated people and their conversations, when this one deletes them at its end. Leave out the one, or both connection strings.");
        }

        builder.Services.AddSingleton<DemoPeople>();
        builder.Services.AddHostedService(services => services.GetRequiredService<DemoPeople>());
        builder.Services.AddSingleton(DemoPace.Natural);
        builder.Services.AddHostedService<DemoConversations>();
    }
}
