using Microsoft.AspNetCore.Http.HttpResults;
using Pulse.Web.Http;

namespace Pulse.Web.Audit;

/// <summary>Registers the audit log, and writes requests' events to it.</summary>
internal static class AuditSetup
{
    /// <summary>Adds <see cref="AuditLog"/>.</summary>
    public static void AddAuditLog(this IServiceCollection services)
    {
        services.AddSingleton<MailboxHash>();
        services.AddSingleton<AuditLog>();
    }

    /// <inheritdoc cref="AuditLog.Write"/>
    /// <remarks>Uses the request's services, so that endpoints can omit a parameter for the log.</remarks>
    public static void Audit(
        this HttpContext context, AuditEvent kind, Guid? userId = null, Guid? sessionId = null, string? provider = null, string? email = null,
        string? reason = null) =>
        context.RequestServices.GetRequiredService<AuditLog>().Write(context, kind, userId, sessionId, provider, email, reason);

    /// <summary>Makes a change, and writes its event with <see cref="AuditReasons.OutcomeUnknown"/> if a part of Pulse is unavailable.</summary>
    /// <param name="context">The request.</param>
    /// <param name="kind">The kind of event.</param>
    /// <param name="userId">The user, if the event has one.</param>
    /// <param name="sessionId">The session, if the event has one.</param>
    /// <param name="change">Makes the change.</param>
    public static async Task<T> AuditUnknownAsync<T>(this HttpContext context, AuditEvent kind, Guid? userId, Guid? sessionId, Func<Task<T>> change)
    {
        try
        {
            return await change();
        }
        catch (Exception e) when (TransientErrors.IsTransient(e))
        {
            context.Audit(kind, userId, sessionId, reason: AuditReasons.OutcomeUnknown);
            throw;
        }
    }

    /// <summary>Writes <see cref="AuditEvents.AccessRefused"/> and answers with the problem.</summary>
    public static ProblemHttpResult Refuse(this HttpContext context, ProblemType problem, string? detail = null)
    {
        context.Audit(AuditEvents.AccessRefused, reason: problem.Name);
        return problem.ToResult(detail);
    }
}
