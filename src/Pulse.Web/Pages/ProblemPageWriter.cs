using Pulse.Web.Http;

namespace Pulse.Web.Pages;

/// <summary>Writes error answers as pages, for browsers that want one.</summary>
internal sealed class ProblemPageWriter : IProblemDetailsWriter
{
    public bool CanWrite(ProblemDetailsContext context) => ErrorPages.WantsHtml(context.HttpContext.Request);

    public async ValueTask WriteAsync(ProblemDetailsContext context) =>
        await ErrorPages.WriteAsync(context.HttpContext, ProblemWriter.Begin(context));
}
