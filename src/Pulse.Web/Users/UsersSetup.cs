using Pulse.Web.Http;

namespace Pulse.Web.Users;

/// <summary>Sets up what routes do with users as a whole.</summary>
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
