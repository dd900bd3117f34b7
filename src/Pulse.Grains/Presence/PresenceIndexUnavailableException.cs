namespace Pulse.Grains.Presence;

/// <summary>The presence index is unavailable. Presence works all the same.</summary>
internal sealed class PresenceIndexUnavailableException(string cause) : Exception($"The presence index is unavailable: {cause}");
