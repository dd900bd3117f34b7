using System.Text.RegularExpressions;

namespace Pulse.Silo.Telemetry;

/// <summary>Removes e-mail addresses from texts of Orleans, which name the grains of mailboxes by their keys.</summary>
internal static partial class MailAddresses
{
    private const string Redacted = "[address]";

    /// <summary>The text with each address replaced; the same string if it has none.</summary>
    public static string Redact(string text) => text.Contains('@', StringComparison.Ordinal) ? Address().Replace(text, Redacted) : text;

    // A domain has a dot, unlike the ids of activations and the generations of silos, which follow the same sign.
    [GeneratedRegex("""[^\s/"\\,;:<>()\[\]@]+@[^\s/"'\\=,;:<>()\[\]{}#@]+\.\p{L}[^\s/"'\\=,;:<>()\[\]{}#@]*""")]
    private static partial Regex Address();
}
