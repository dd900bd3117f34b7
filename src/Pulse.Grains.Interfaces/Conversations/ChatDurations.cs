namespace Pulse.Conversations;

/// <summary>The bounds of the histograms of meter <c>Pulse.Chat</c>.</summary>
public static class ChatDurations
{
    /// <summary>In seconds. The default bounds of OpenTelemetry are for milliseconds.</summary>
    public static IReadOnlyList<double> Seconds { get; } = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
}
