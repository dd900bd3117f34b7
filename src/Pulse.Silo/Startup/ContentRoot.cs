namespace Pulse.Silo.Startup;

/// <summary>Where a process finds its <c>appsettings.json</c> and <c>wwwroot</c>, from whichever directory it is started.</summary>
public static class ContentRoot
{
    /// <summary>
    /// The program's own directory when it is started from one that has no settings, as by <c>dotnet /opt/pulse/Pulse.Web.dll</c>; else
    /// <see langword="null"/>, which leaves it to the host: the working directory, or what <c>--contentRoot</c> names.
    /// </summary>
    public static string? Of(string[] args) =>
        File.Exists("appsettings.json") || args.Any(arg => arg.StartsWith("--contentRoot", StringComparison.OrdinalIgnoreCase))
            ? null
            : AppContext.BaseDirectory;
}
