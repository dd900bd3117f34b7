namespace Pulse.Grains.Storage;

/// <summary>A newer Pulse has upgraded the database. A retry is useless. The message names the remedy.</summary>
internal sealed class SchemaVersionException(string database, IEnumerable<string> unknownScripts) : Exception(
    $"The {database} database has schema scripts that this version of Pulse ({typeof(SchemaVersionException).Assembly.GetName().Version?.ToString(3)}) "
    + $"does not have: {string.Join(", ", unknownScripts)}. A newer Pulse has upgraded it. Start that version or a later one, or restore the backup "
    + "that was taken before the upgrade. Nothing was changed.");
