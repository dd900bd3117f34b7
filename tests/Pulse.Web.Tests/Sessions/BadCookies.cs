namespace Pulse.Web.Tests.Sessions;

/// <summary>What may become of a session cookie on its way.</summary>
internal static class BadCookies
{
    public static TheoryData<string> Changes =>
        ["cut", "cut to the user", "longer", "padded", "changed", "spaces", "other alphabet", "not base64", "very long", "quoted", "unknown"];

    public static string Apply(string change, string good) => change switch
    {
        "cut" => good[..^1],
        "cut to the user" => good[..22],
        "longer" => good + "A",
        "padded" => good[..^2] + "==",
        "changed" => good[..^1] + (good[^1] == 'A' ? 'B' : 'A'),
        "spaces" => good[..^2] + "%20%20",
        "other alphabet" => good[..^2] + "+/",
        "not base64" => new string('!', good.Length),
        "very long" => new string('A', 4000),
        "quoted" => $"\"{good[..^2]}\"",
        "unknown" => Pulse.Web.Sessions.SessionSecret.Create(Guid.CreateVersion7()).Text,
        _ => throw new ArgumentOutOfRangeException(nameof(change), change, "No such change."),
    };
}
