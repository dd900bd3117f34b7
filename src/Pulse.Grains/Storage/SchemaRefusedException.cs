namespace Pulse.Grains.Storage;

/// <summary>The database refuses Pulse's schema. A retry is useless. The message names the setting and the remedy.</summary>
internal sealed class SchemaRefusedException(string message, Exception? inner = null) : Exception(message, inner);
