using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Net.Http.Headers;

namespace Pulse.Web.Http;

/// <summary>A request body, or the answer to an unreadable one.</summary>
/// <param name="Value">The body. <see langword="null"/> if it was missing or the JSON <c>null</c>.</param>
/// <param name="Problem">400 or 415.</param>
internal readonly record struct RequestBody<T>(T? Value, ProblemHttpResult? Problem) where T : class;

/// <summary>
/// Reads JSON bodies. The framework's binding omits the wrong member, and outside Development it omits the whole reason.
/// </summary>
internal static class RequestBody
{
    /// <summary>
    /// Maximum body of a REST request, in bytes. Kestrel enforces it, with or without a Content-Length, and the answer is 413.
    /// </summary>
    public const int MaxBytes = 16 * 1024;

    /// <summary>Reads the body, which may be missing.</summary>
    /// <exception cref="BadHttpRequestException">The body is too large or incomplete.</exception>
    public static async Task<RequestBody<T>> ReadAsync<T>(HttpContext context, JsonTypeInfo<T> type) where T : class
    {
        // Whether a chunked body is empty is known only after reading. The first buffer therefore decides, and an empty body needs no
        // content type.
        var reader = context.Request.BodyReader;
        var first = await reader.ReadAsync(context.RequestAborted);
        reader.AdvanceTo(first.Buffer.Start);
        if (first.Buffer.IsEmpty && first.IsCompleted) return default;
        if (!IsUtf8Json(context.Request.ContentType)) return new(null, ProblemTypes.UnsupportedMediaType.ToResult());

        try
        {
            return new(await JsonSerializer.DeserializeAsync(reader, type, context.RequestAborted), null);
        }
        catch (JsonException exception)
        {
            return new(null, Explain(exception));
        }
    }

    private static bool IsUtf8Json(string? contentType) =>
        MediaTypeHeaderValue.TryParse(contentType, out var type)
        && (type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase) || type.Suffix.Equals("json", StringComparison.OrdinalIgnoreCase))
        && (!type.Charset.HasValue || type.Charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase));

    // The exception's own message names .NET types, so the caller gets only its path.
    private static ProblemHttpResult Explain(JsonException exception)
    {
        var errors = new ValidationErrors();
        if (exception.Path is ['$', '.', .. var member])
            errors.Add(member, "This member is unknown, given twice, or of the wrong type.");
        else
            errors.Add("body", exception.LineNumber is null
                ? "The body must be one JSON object."
                : $"The body must be one JSON object; reading stopped at line {exception.LineNumber + 1}, byte {exception.BytePositionInLine + 1}.");
        return errors.ToProblem();
    }
}
