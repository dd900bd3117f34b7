using System.Text.Json;
using System.Text.Json.Serialization;

namespace Pulse.Web.Http;

/// <summary>Writes instants as ISO 8601 in UTC with a <c>Z</c>, to the precision that they have: <c>2026-01-02T03:04:05.678Z</c>.</summary>
internal sealed class UtcTimeConverter : JsonConverter<DateTimeOffset>
{
    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.GetDateTimeOffset().ToUniversalTime();

    // A DateTime of kind Utc is written with Z, a DateTimeOffset with +00:00.
    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.UtcDateTime);
}
