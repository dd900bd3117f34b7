using Pulse.Silo.Startup;

namespace Pulse.Web.Demo;

/// <summary><c>--demo</c>: simulated people, so that there is somebody to watch. Development only.</summary>
internal static class DemoSetup
{
    private const string Switch = "--demo";
    private const string Setting = "Pulse:Demo";

    /// <summary>The arguments with <c>--demo</c> in the form in which the host reads settings: it would take the next argument for its value.</summary>
    public static string[] ReadSwitch(string[] args) => Array.ConvertAll(args, arg => arg == Switch ? $"--{Setting}=true" : arg);

    /// <summary>Adds the people if they are asked for. To be called after the silo is added, so that they leave before it stops.</summary>
    /// <exception cref="StartException">They are asked for outside Development, or where the database is another process's.</exception>
    public static void AddDemo(this IHostApplicationBuilder builder)
    {
        var isAsked = builder.Configuration.GetValue<bool>(Setting);
        if (builder.Environment.IsDevelopment())
            builder.Services.AddSingleton(new PassingUsers([.. DemoPerson.Everybody.Select(person => person.Id)], AreHere: isAsked));
        if (!isAsked) return;
        if (!builder.Environment.IsDevelopment())
        {
            throw new StartException(
                $"{Switch} ({Setting}) works in Development alone, and this is {builder.Environment.EnvironmentName}: its {DemoPerson.Everybody.Count} made-up people "
                + "would stay among your users. Leave it out, or set ASPNETCORE_ENVIRONMENT=Development.");
        }

        if (string.Equals(builder.Configuration["Pulse:Silo"], "External", StringComparison.OrdinalIgnoreCase))
        {
            throw new StartException(
                $"{Switch} ({Setting}) works where the silo is in this process, and Pulse:Silo is External: the made-up people could not leave the database again. "
                + "Leave one of the two out.");
        }

        builder.Services.AddHostedService<DemoPeople>();
    }
}
