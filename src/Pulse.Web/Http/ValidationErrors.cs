using Microsoft.AspNetCore.Http.HttpResults;

namespace Pulse.Web.Http;

/// <summary>Collects the broken rules of a request's members, so that one answer names them all.</summary>
internal sealed class ValidationErrors
{
    private readonly Dictionary<string, string[]> _byMember = new(StringComparer.Ordinal);

    /// <summary>Whether the collection has a fault.</summary>
    public bool Any => _byMember.Count > 0;

    /// <summary>Adds a fault.</summary>
    /// <param name="member">The member's name on the wire.</param>
    /// <param name="message">A sentence with the rule.</param>
    public void Add(string member, string message) =>
        _byMember[member] = [.. _byMember.GetValueOrDefault(member, []), message];

    /// <summary>The faults by member.</summary>
    public IReadOnlyDictionary<string, string[]> ByMember => _byMember;

    /// <summary>The answer: 400 with <c>errors</c>.</summary>
    public ProblemHttpResult ToProblem() => ProblemTypes.Validation.ToResult(errors: _byMember);
}
