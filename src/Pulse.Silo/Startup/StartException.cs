namespace Pulse.Silo.Startup;

/// <summary>A fault at start that an operator can correct.</summary>
/// <remarks>Each line names the setting, its value unless secret, and the value to write instead.</remarks>
public sealed class StartException : Exception
{
    /// <summary>Creates an exception for one fault.</summary>
    public StartException(string line) : this([line])
    {
    }

    /// <summary>Creates an exception for several faults, one line each.</summary>
    public StartException(IReadOnlyList<string> lines) : base(string.Join(Environment.NewLine, lines)) => Lines = lines;

    /// <summary>One line for each fault.</summary>
    public IReadOnlyList<string> Lines { get; }
}
