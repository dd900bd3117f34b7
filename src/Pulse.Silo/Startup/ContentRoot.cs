namespace Pulse.Silo.Startup;

/// <summary>Finds a process's <c>appsettings.json</c> and <c>wwwroot</c>, whatever its working directory.</summary>
public static class ContentRoot
{
    /// <summary>
    /// The program's own directory if the working directory has no settings, as with <c>dotnet /opt/pulse/Pulse.Web.dll</c>. Otherwise
    /// <see langword="null"/>, so that the host uses the working directory or the value of <c>--contentRoot</c>.
    /// </summary>
    public static string? Of(string[] args) =>
        File.Exists("appsettings.json") || args.Any(arg => arg.StartsWith("--contentRoot", StringComparison.OrdinalIgnoreCase))
            ? null
            : AppContext.BaseDirectory;
}
