namespace Pulse.Silo.Startup;

/// <summary>A fault at start that an operator can mend.</summary>
/// <remarks>Each line names the setting, its value where that is no secret, and the value to write instead.</remarks>
public sealed class StartException : Exception
{
    /// <summary>One fault.</summary>
    public StartException(string line) : this([line])
    {
    }

    /// <summary>Several faults, one line each.</summary>
    public StartException(IReadOnlyList<string> lines) : base(string.Join(Environment.NewLine, lines)) => Lines = lines;

    /// <summary>One line for each fault.</summary>
    public IReadOnlyList<string> Lines { get; }
}
