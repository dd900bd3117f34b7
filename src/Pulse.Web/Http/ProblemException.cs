namespace Pulse.Web.Http;

/// <summary>
/// Answers with a problem from code that cannot return one, because the framework's binding of parameters has no result for it.
/// </summary>
internal sealed class ProblemException(ProblemType problem) : Exception(problem.Title)
{
    /// <summary>The answer.</summary>
    public ProblemType Problem => problem;
}
