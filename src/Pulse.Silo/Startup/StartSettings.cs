using System.Text;
using Microsoft.Extensions.Options;

namespace Pulse.Silo.Startup;

/// <summary>Represents the settings as a whole, so that their faults are reported together with those of each section.</summary>
internal sealed class StartSettings;

/// <summary>Finds faults outside of any section: unused names, white space, connection strings, the platform.</summary>
internal sealed class StartSettingsValidator(IConfiguration configuration, IHostEnvironment environment, ConnectionStrings? connections = null) : IValidateOptions<StartSettings>
{
    private const string InvariantVariable = "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT";

    public ValidateOptionsResult Validate(string? name, StartSettings options)
    {
        var faults = PlatformFaults()
            // Only a process with a silo has registered connection strings. Another process reads them here.
            .Concat((connections ?? ConnectionStrings.From(configuration, hostsSilo: false)).Faults)
            .Concat(KnownSettings.Faults(configuration, environment.ApplicationName))
            .Concat(WhiteSpaceFaults())
            .ToArray();
        return faults.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }

    // E-mail addresses are compared in one spelling (NFKC). If ICU is missing, the normalization does nothing, and one person could have
    // several addresses.
    private static IEnumerable<string> PlatformFaults()
    {
        if ("\uFF21".Normalize(NormalizationForm.FormKC) == "A") yield break;
        yield return $"{InvariantVariable} is '{Environment.GetEnvironmentVariable(InvariantVariable)}': Pulse needs Unicode normalisation for e-mail addresses. "
            + $"Set {InvariantVariable}=0 and install ICU (libicu; icu-libs and icu-data-full on Alpine).";
    }

    // A secret from a file often ends in a line break, which would become part of the secret, but only in Pulse.
    private IEnumerable<string> WhiteSpaceFaults() =>
        from setting in configuration.GetSection(KnownSettings.Root).AsEnumerable()
        where !string.IsNullOrEmpty(setting.Value) && setting.Value.Trim() != setting.Value
        select $"{setting.Key} begins or ends with white space, such as a line break. Remove it.";
}
