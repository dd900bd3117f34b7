using System.Diagnostics;
using OpenTelemetry;

namespace Pulse.Silo.Telemetry;

/// <summary>Removes e-mail addresses from the traces of Orleans, whose tags have the keys of grains.</summary>
internal sealed class AddressRedaction : BaseProcessor<Activity>
{
    private const string Sources = "Microsoft.Orleans.";

    public override void OnEnd(Activity data)
    {
        if (!data.Source.Name.StartsWith(Sources, StringComparison.Ordinal)) return;
        foreach (var (key, value) in data.TagObjects.ToArray())
        {
            if (value is string text && MailAddresses.Redact(text) is var redacted && !ReferenceEquals(redacted, text)) data.SetTag(key, redacted);
        }

        if (data.StatusDescription is { } description && MailAddresses.Redact(description) is var known && known != description) data.SetStatus(data.Status, known);
    }
}
