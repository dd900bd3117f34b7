using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Connections;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Options;
using Pulse.Grains.Storage;
using StackExchange.Redis;

namespace Pulse.Silo.Startup;

/// <summary>Translates exceptions at start into lines for an operator.</summary>
internal static partial class StartFaults
{
    private const string BinderSource = "Microsoft.Extensions.Configuration.Binder";

    /// <summary>One line for each fault. <see langword="null"/> if an operator cannot correct the exception.</summary>
    public static IReadOnlyList<string>? Explain(Exception fault, IConfiguration? configuration)
    {
        switch (fault)
        {
            case AggregateException several:
                var parts = several.Flatten().InnerExceptions.Select(inner => Explain(inner, configuration)).ToArray();
                return Array.TrueForAll(parts, part => part is not null) ? [.. parts.SelectMany(part => part!).Distinct()] : null;
            case StartException start:
                return start.Lines;
            case OptionsValidationException options:
                return [.. options.Failures.Select(failure => OptionsFault(failure, options.OptionsType, configuration))];
            case SchemaVersionException or SchemaRefusedException:
                return [fault.Message];
            case InvalidOperationException { Source: BinderSource }:
                return [$"{fault.Message.TrimEnd('.')}.{Example(fault.Message)}"];
            // Redis was lost again between the wait for it and its first use.
            case RedisException or RedisCommandException:
                return [$"{ConnectionStrings.RedisSetting}: Redis failed while Pulse started: {fault.Message.Split('\n')[0]}"];
            case StoreUnavailableException:
                return [$"{ConnectionStrings.PostgresSetting}: {fault.Message}"];
            // appsettings.json is not valid JSON.
            case InvalidDataException:
                return [$"{fault.Message.TrimEnd('.')}: {Innermost(fault).Message}"];
            case SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse }:
                return ["A port is in use by another process. Choose others: --urls, Pulse:Cluster:SiloPort and Pulse:Cluster:GatewayPort (0 for a free one)."];
            case IOException { InnerException: AddressInUseException }:
                return [$"urls: {fault.Message.TrimEnd('.')}. Choose another address, such as --urls http://localhost:5081 (or ASPNETCORE_URLS)."];
            case InvalidOperationException or IOException or CryptographicException when IsOfKestrel(fault):
                return [$"The web server cannot listen as configured: {fault.Message.Split('\n')[0].TrimEnd('.', '\r')}. See Kestrel:Certificates, Kestrel:Endpoints and urls."];
            case SqliteException:
            case UnauthorizedAccessException or IOException when IsAbout(DataDirectory.Of(configuration), fault.Message):
                return [$"Pulse:DataDirectory is '{DataDirectory.Of(configuration)}': {fault.Message.TrimEnd('.')}. Name a directory that this process may write."];
            case UnauthorizedAccessException or IOException:
                return [fault.Message];
            // Pulse writes its own exceptions about unusable states for an operator.
            case InvalidOperationException or TimeoutException when fault.Source?.StartsWith("Pulse.", StringComparison.Ordinal) is true:
                return [fault.Message];
            default:
                return fault.InnerException is { } inner ? Explain(inner, configuration) : null;
        }
    }

    /// <summary>Adds the setting's name, which Pulse's validators include and data annotations omit.</summary>
    private static string OptionsFault(string failure, Type options, IConfiguration? configuration)
    {
        var annotation = AnnotationFault().Match(failure);
        if (!annotation.Success) return failure;
        var (member, error) = (annotation.Groups["member"].Value, annotation.Groups["error"].Value);
        if (member.Length == 0 || KnownSettings.SectionOf(options) is not { } section) return error;
        return $"{section}:{member} is '{configuration?[$"{section}:{member}"]}': {error}";
    }

    private static string Example(string message) => message.TrimEnd('.', '\'') switch
    {
        var text when text.EndsWith("System.TimeSpan", StringComparison.Ordinal) => " Write a time such as 00:01:00.",
        var text when text.EndsWith("System.Boolean", StringComparison.Ordinal) => " Write true or false.",
        var text when text.EndsWith("System.Int32", StringComparison.Ordinal) => " Write a whole number.",
        _ => "",
    };

    // If a parent of the directory cannot be created, the message has the parent's path.
    private static bool IsAbout(string directory, string message)
    {
        if (message.Contains(directory, StringComparison.Ordinal)) return true;
        for (var parent = Path.GetDirectoryName(directory); parent is { Length: > 1 }; parent = Path.GetDirectoryName(parent))
        {
            if (message.Contains($"'{parent}'", StringComparison.Ordinal)) return true;
        }

        return false;
    }

    private static bool IsOfKestrel(Exception fault) => fault.StackTrace?.Contains("Microsoft.AspNetCore.Server.Kestrel", StringComparison.Ordinal) is true;

    private static Exception Innermost(Exception exception) => exception.InnerException is { } inner ? Innermost(inner) : exception;

    [GeneratedRegex("""^DataAnnotation validation failed for '\w*' members: '(?<member>\w*)' with the error: '(?<error>.*)'\.$""", RegexOptions.Singleline)]
    private static partial Regex AnnotationFault();
}
