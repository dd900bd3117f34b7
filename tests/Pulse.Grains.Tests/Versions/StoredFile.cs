namespace Pulse.Grains.Tests.Versions;

/// <summary>The data that an earlier version wrote, stored beside these tests.</summary>
internal static class StoredFile
{
    /// <summary>Its text without the last line break; <see langword="null"/> if the file is missing.</summary>
    public static string? Read(string name)
    {
        var path = Path.Combine(AppContext.BaseDirectory, "Versions", name);
        return File.Exists(path) ? File.ReadAllText(path).TrimEnd('\n') : null;
    }
}
