using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace Pulse.Web.Pages;

/// <summary>An English text for a page, with its values apart, so that <see cref="PageTexts"/> can translate it.</summary>
/// <remarks>
/// Written as a string: <c>"Try again."</c>, or <c>$"{provider} is not available"</c>. A value may be such a text too. Other values are shown
/// as they are, so a name without a translation is <c>$"{name}"</c>.
/// </remarks>
[InterpolatedStringHandler]
public readonly struct Words
{
    private readonly StringBuilder? _building;
    private readonly string? _text;
    private readonly List<object?> _values = [];

    /// <summary>Called by the compiler for an interpolated string.</summary>
    public Words(int literalLength, int formattedCount) => _building = new(literalLength + (3 * formattedCount));

    private Words(string text) => _text = text;

    /// <summary>The text, with {0} for the first value.</summary>
    public string Format => _text ?? _building?.ToString() ?? "";

    /// <summary>The values.</summary>
    public IReadOnlyList<object?> Values => _values ?? [];

    /// <summary>A text without values.</summary>
    public static implicit operator Words(string text) => new(text);

    /// <summary>Called by the compiler for an interpolated string.</summary>
    public void AppendLiteral(string text) => _building!.Append(text);

    /// <summary>Called by the compiler for an interpolated string.</summary>
    public void AppendFormatted<T>(T value)
    {
        _building!.Append(CultureInfo.InvariantCulture, $"{{{_values.Count}}}");
        _values.Add(value);
    }

    /// <inheritdoc/>
    public override string ToString() => Values.Count == 0 ? Format : string.Format(CultureInfo.InvariantCulture, Format, [.. Values]);
}
