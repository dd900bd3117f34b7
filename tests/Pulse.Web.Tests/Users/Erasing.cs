using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Pulse.Web.Audit;
using Pulse.Web.Users;

namespace Pulse.Web.Tests.Users;

internal static class Erasing
{
    /// <summary>Erases the user, as an operator's request does.</summary>
    public static Task<bool> EraseUserAsync(this IServiceProvider services, Guid userId) => services.GetRequiredService<UserErasure>()
        .EraseAsync(new DefaultHttpContext { RequestServices = services }, userId, AuditEvents.AdminErased);

    /// <summary>Disables or enables the user, as an operator's request does.</summary>
    public static Task<bool> SetUserDisabledAsync(this IServiceProvider services, Guid userId, bool disabled) => services.GetRequiredService<UserErasure>()
        .SetDisabledAsync(new DefaultHttpContext { RequestServices = services }, userId, disabled);
}
