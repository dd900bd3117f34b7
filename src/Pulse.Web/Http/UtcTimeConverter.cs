using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Pulse.Web.Http;

/// <summary>Writes instants as ISO 8601 in UTC with exactly three decimals and a <c>Z</c>: <c>2026-01-02T03:04:05.678Z</c>.</summary>
/// <remarks>The format of JavaScript's <c>toISOString</c>. Further digits are truncated, so that a time never becomes later.</remarks>
internal sealed class UtcTimeConverter : JsonConverter<DateTimeOffset>
{
    private const string Format = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";

    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.GetDateTimeOffset().ToUniversalTime();

    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options)
    {
        Span<byte> text = stackalloc byte[24];
        value.UtcDateTime.TryFormat(text, out var length, Format, CultureInfo.InvariantCulture);
        writer.WriteStringValue(text[..length]);
    }
}
