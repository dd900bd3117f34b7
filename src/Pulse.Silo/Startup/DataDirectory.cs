namespace Pulse.Silo.Startup;

/// <summary>The directory of the embedded stores and of the front end's development key.</summary>
public static class DataDirectory
{
    /// <summary>The full path of <c>Pulse:DataDirectory</c>, by default <c>data</c> in the working directory.</summary>
    public static string Of(IConfiguration? configuration) =>
        Path.TrimEndingDirectorySeparator(Path.GetFullPath(configuration?["Pulse:DataDirectory"] is { Length: > 0 } directory ? directory : "data"));
}
