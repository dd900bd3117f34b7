using System.Text.Encodings.Web;
using Microsoft.Extensions.Logging.Console;

namespace Pulse.Silo.Startup;

/// <summary>The format of log lines: readable text in Development, JSON elsewhere.</summary>
internal static class LogFormat
{
    private const string Setting = "Logging:Console:FormatterName";

    // ISO 8601, UTC.
    private const string TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";

    /// <summary>
    /// Outside Development each line is one JSON object with its time in UTC, unless <c>Logging:Console:FormatterName</c> is set.
    /// </summary>
    public static void AddLogFormat(this IHostApplicationBuilder builder)
    {
        if (builder.Environment.IsDevelopment()) return;

        builder.Services.Configure<JsonConsoleFormatterOptions>(json =>
        {
            json.UseUtcTimestamp = true;
            json.TimestampFormat = TimestampFormat;
            // A log is not a web page. The default encoder would replace every quote and plus sign of a message by six characters.
            json.JsonWriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
        });
        if (string.IsNullOrEmpty(builder.Configuration[Setting]))
            builder.Services.Configure<ConsoleLoggerOptions>(console => console.FormatterName = ConsoleFormatterNames.Json);
    }
}
