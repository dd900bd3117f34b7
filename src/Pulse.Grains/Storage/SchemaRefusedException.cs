namespace Pulse.Grains.Storage;

/// <summary>The database does not take Pulse's schema. Trying again does not help; the message names the setting and says what does.</summary>
internal sealed class SchemaRefusedException(string message, Exception? inner = null) : Exception(message, inner);
