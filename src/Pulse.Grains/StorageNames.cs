namespace Pulse.Grains;

/// <summary>Names that grains and the silo's set-up must agree on.</summary>
internal static class StorageNames
{
    /// <summary>The grain storage provider (ADO.NET) for state without a row of its own.</summary>
    public const string Grains = "pulse";
}
