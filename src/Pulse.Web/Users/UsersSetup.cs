using Pulse.Web.Http;

namespace Pulse.Web.Users;

/// <summary>Registers the services for whole users.</summary>
internal static class UsersSetup
{
    /// <summary>Adds erasing, disabling and exporting users.</summary>
    public static void AddUsers(this IHostApplicationBuilder builder)
    {
        builder.Services.AddJson(UserJson.Default);
        builder.Services.AddSingleton<UserErasure>();
        builder.Services.AddSingleton<UserExports>();
    }
}
