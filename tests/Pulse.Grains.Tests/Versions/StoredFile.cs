namespace Pulse.Grains.Tests.Versions;

/// <summary>What an earlier version wrote, as it lies beside these tests.</summary>
internal static class StoredFile
{
    /// <summary>Its text without the last line break; <see langword="null"/> when there is none.</summary>
    public static string? Read(string name)
    {
        var path = Path.Combine(AppContext.BaseDirectory, "Versions", name);
        return File.Exists(path) ? File.ReadAllText(path).TrimEnd('\n') : null;
    }
}
