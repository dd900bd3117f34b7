using Microsoft.Extensions.Options;

namespace Pulse.Silo.Clustering;

/// <summary>Refuses certificates that every other process would reject.</summary>
internal sealed class ClusterTlsValidator(TimeProvider time) : IValidateOptions<ClusterTlsSettings>
{
    private const string Section = ClusterTlsSettings.SectionName;

    public ValidateOptionsResult Validate(string? name, ClusterTlsSettings options)
    {
        if (!options.IsOn)
        {
            return options.KeyFile is null && options.CaFile is null && options.AllowedNames.Count == 0
                ? ValidateOptionsResult.Success
                : ValidateOptionsResult.Fail($"{Section}:CertificateFile is not set, but other settings of {Section} are. Set it, or remove those.");
        }

        if (string.IsNullOrEmpty(options.CaFile))
            return ValidateOptionsResult.Fail($"{Section}:CaFile is not set. Name the file of the certificate authorities that the other processes' certificates come from.");

        try
        {
            using var loaded = ClusterCertificateSet.Load(options);
            return loaded.FaultOf(time.GetUtcNow()) is { } fault ? ValidateOptionsResult.Fail(fault) : ValidateOptionsResult.Success;
        }
        catch (ClusterCertificateException exception)
        {
            return ValidateOptionsResult.Fail(exception.Message);
        }
    }
}
