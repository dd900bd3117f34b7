namespace Pulse.Grains.Presence;

/// <summary>The presence index did not answer. Presence works without it.</summary>
internal sealed class PresenceIndexUnavailableException(string cause) : Exception($"The presence index is unavailable: {cause}");
