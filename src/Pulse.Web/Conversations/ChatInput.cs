using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using System.Globalization;
using System.Text;
using System.Text.Json.Serialization.Metadata;
using System.Text.Unicode;
using Pulse.Conversations;
using Pulse.Web.Auth;
using Pulse.Web.Http;

namespace Pulse.Web.Conversations;

/// <summary>The rules for what clients send, the same for REST and the hub.</summary>
internal static class ChatInput
{
    /// <summary>The largest body of a chat request, bytes: a text of the longest accepted length with every character escaped fits.</summary>
    public const int MaxBytes = 64 * 1024;

    /// <summary>The most mentions of one message.</summary>
    public const int MaxMentions = 50;

    /// <summary>The longest title of a group or channel, characters.</summary>
    public const int MaxTitleLength = 200;

    /// <summary>The longest text to search for, characters.</summary>
    public const int MaxQueryLength = 200;

    // White space around a text is stored as sent, so it needs a bound of its own.
    private const int MaxSpace = 1_000;
    private const int MaxEmojiBytes = 32;

    /// <summary>Reads a JSON body.</summary>
    public static async Task<T> ReadAsync<T>(HttpContext context, JsonTypeInfo<T> type) where T : class =>
        await ReadOptionalAsync(context, type) ?? throw Invalid("The body must be one JSON object.");

    /// <summary>As <see cref="ReadAsync"/>; <see langword="null"/> without a body.</summary>
    public static async Task<T?> ReadOptionalAsync<T>(HttpContext context, JsonTypeInfo<T> type) where T : class
    {
        var body = await RequestBody.ReadAsync(context, type);
        if (body.Problem is { } problem)
        {
            // 415 has its own type. What the JSON breaks is named as for every other value.
            if (problem.StatusCode != StatusCodes.Status400BadRequest) throw new ChatRefusedException(ProblemTypes.UnsupportedMediaType);
            var errors = (problem.ProblemDetails as HttpValidationProblemDetails)?.Errors;
            throw Invalid(errors is null ? "The body must be one JSON object." : string.Join(" ", errors.Select(error => $"{error.Key}: {string.Join(" ", error.Value)}")));
        }

        return body.Value;
    }

    /// <summary>A refusal that names the broken rule.</summary>
    public static ChatRefusedException Invalid(string detail) => new(ProblemTypes.InvalidArgument, detail);

    /// <summary>A conversation's id. Any text but a UUID is refused as an unknown conversation.</summary>
    public static Guid ConversationIdOf(string? text) => Caller.ParseUserId(text) ?? throw new ChatRefusedException(ProblemTypes.ConversationNotFound);

    /// <summary>A hyphenated UUID.</summary>
    public static Guid Id(string? text, string member) => Caller.ParseUserId(text) ?? throw Invalid($"{member} must be a hyphenated UUID.");

    /// <summary>A position in a log, from a route or a query.</summary>
    public static long Seq(string? text, string member) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seq) ? seq : throw Invalid($"{member} must be a whole number, 0 or more.");

    /// <summary>As <see cref="Seq(string, string)"/>; <see langword="null"/> for none.</summary>
    public static long? OptionalSeq(string? text, string member) => string.IsNullOrEmpty(text) ? null : Seq(text, member);

    /// <summary>A page size.</summary>
    public static int Limit(string? text, int standard, int most) =>
        string.IsNullOrEmpty(text) ? standard
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) && limit >= 1 && limit <= most ? limit
        : throw Invalid($"limit must be a whole number from 1 to {most}.");

    /// <summary>A message's text.</summary>
    public static string Text(string? text, ChatOptions options)
    {
        if (string.IsNullOrWhiteSpace(text)) throw Invalid("text must hold something other than white space.");
        if (text.AsSpan().Trim().Length > options.MaxTextLength || text.Length > options.MaxTextLength + MaxSpace)
        {
            throw new ChatRefusedException(
                ProblemTypes.TooLong, $"A text has at most {options.MaxTextLength} characters (UTF-16 code units), and {MaxSpace} of white space around it. Send a shorter text, or several messages.");
        }

        return HasControls(text)
            ? throw Invalid("text must not hold control characters other than line breaks and tabs, or surrogates that are not a pair.")
            : text;
    }

    /// <summary>The title of a group or channel.</summary>
    public static string Title(string? title)
    {
        if (string.IsNullOrWhiteSpace(title)) throw Invalid("title must hold something other than white space.");
        if (title.Length > MaxTitleLength) throw Invalid($"title has at most {MaxTitleLength} characters.");
        return HasControls(title) || title.AsSpan().IndexOfAny('\n', '\r', '\t') >= 0
            ? throw Invalid("title must not hold control characters or line breaks.")
            : title;
    }

    /// <summary>The users that a text mentions, each once.</summary>
    public static Guid[] Mentions(string[]? mentions)
    {
        if (mentions is null) return [];
        if (mentions.Length > MaxMentions) throw Invalid($"A message has at most {MaxMentions} mentions; there are {mentions.Length}.");
        return [.. mentions.Select(mention => Id(mention, "Each of mentions")).Distinct()];
    }

    /// <summary>An emoji: one grapheme.</summary>
    public static string Emoji(string? emoji)
    {
        if (string.IsNullOrWhiteSpace(emoji) || HasControls(emoji) || Encoding.UTF8.GetByteCount(emoji) > MaxEmojiBytes
            || StringInfo.GetNextTextElementLength(emoji) != emoji.Length)
        {
            throw Invalid($"emoji must be one character as people count them (a grapheme), at most {MaxEmojiBytes} bytes in UTF-8.");
        }

        return emoji;
    }

    /// <summary>A cursor of <c>GET /conversations</c>.</summary>
    public static ListCursor? Cursor(string? text)
    {
        if (string.IsNullOrEmpty(text)) return null;
        Span<byte> bytes = stackalloc byte[24];
        if (Base64Url.DecodeFromChars(text, bytes, out _, out var written) != OperationStatus.Done || written != bytes.Length) throw NotACursor();
        var ticks = BitConverter.ToInt64(bytes);
        if (ticks < 0 || ticks > DateTimeOffset.MaxValue.Ticks) throw NotACursor();
        return new(new(ticks, TimeSpan.Zero), new(bytes[8..]));

        static ChatRefusedException NotACursor() => Invalid("before must be the 'before' of an earlier answer.");
    }

    /// <summary>The cursor as clients carry it.</summary>
    public static string ToText(ListCursor cursor)
    {
        Span<byte> bytes = stackalloc byte[24];
        BitConverter.TryWriteBytes(bytes, cursor.At.UtcTicks);
        cursor.Id.TryWriteBytes(bytes[8..]);
        return Base64Url.EncodeToString(bytes);
    }

    /// <summary>A cursor of <c>GET /search</c>.</summary>
    public static SearchCursor? SearchCursor(string? text)
    {
        if (string.IsNullOrEmpty(text)) return null;
        Span<byte> bytes = stackalloc byte[32];
        if (Base64Url.DecodeFromChars(text, bytes, out _, out var written) != OperationStatus.Done || written != bytes.Length) throw NotACursor();
        var ticks = BinaryPrimitives.ReadInt64LittleEndian(bytes);
        var seq = BinaryPrimitives.ReadInt64LittleEndian(bytes[8..]);
        if (ticks < 0 || ticks > DateTimeOffset.MaxValue.Ticks || seq < 0) throw NotACursor();
        return new(new(ticks, TimeSpan.Zero), new(bytes[16..]), seq);

        static ChatRefusedException NotACursor() => Invalid("before must be the 'before' of an earlier answer.");
    }

    /// <summary>The cursor as clients carry it.</summary>
    public static string ToText(SearchCursor cursor)
    {
        Span<byte> bytes = stackalloc byte[32];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, cursor.At.UtcTicks);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[8..], cursor.Seq);
        cursor.ConversationId.TryWriteBytes(bytes[16..]);
        return Base64Url.EncodeToString(bytes);
    }

    /// <summary>A cursor of <c>GET /channels</c>.</summary>
    public static ChannelCursor? ChannelCursor(string? text)
    {
        if (string.IsNullOrEmpty(text)) return null;
        if (text.Length > 2_000 || !Base64Url.IsValid(text)) throw NotAChannelCursor();
        var bytes = Base64Url.DecodeFromChars(text);
        if (bytes.Length <= 16 || !Utf8.IsValid(bytes.AsSpan(16)) || bytes.AsSpan(16).Contains((byte)0)) throw NotAChannelCursor();
        return new(Encoding.UTF8.GetString(bytes.AsSpan(16)), new(bytes.AsSpan(0, 16)));
    }

    /// <summary>The refusal of a text that is no cursor of <c>GET /channels</c>.</summary>
    public static ChatRefusedException NotAChannelCursor() => Invalid("after must be the 'after' of an earlier answer.");

    /// <summary>The cursor as clients carry it.</summary>
    public static string ToText(ChannelCursor cursor) => Base64Url.EncodeToString([.. cursor.Id.ToByteArray(), .. Encoding.UTF8.GetBytes(cursor.Title)]);

    /// <summary>What a user searches for: 1 to 200 characters.</summary>
    public static string Query(string? text)
    {
        if (string.IsNullOrWhiteSpace(text)) throw Invalid("q must hold something other than white space.");
        if (text.Length > MaxQueryLength) throw Invalid($"q has at most {MaxQueryLength} characters.");
        return HasControls(text) ? throw Invalid("q must not hold control characters or surrogates that are not a pair.") : text;
    }

    private static bool HasControls(ReadOnlySpan<char> text)
    {
        while (!text.IsEmpty)
        {
            if (Rune.DecodeFromUtf16(text, out var rune, out var length) != OperationStatus.Done) return true;
            if (rune.Value is not ('\n' or '\r' or '\t') && Rune.GetUnicodeCategory(rune) == UnicodeCategory.Control) return true;
            text = text[length..];
        }

        return false;
    }
}
