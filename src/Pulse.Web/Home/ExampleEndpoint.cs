using Pulse.Users;
using Pulse.Web.Pages;
using Pulse.Web.Sessions;
using Pulse.Web.Tokens;

namespace Pulse.Web.Home;

/// <summary>A minimal page for signed-in people, as a template for applications.</summary>
internal static class ExampleEndpoint
{
    // Shown on the page. A test compares it with the lines below.
    internal const string Code =
        """
        app.MapGet("/example", ShowAsync).RequireSignIn();

        private static async Task<IResult> ShowAsync(SignedInUser user, IGrainFactory grains)
        {
            var profile = await grains.GetGrain<IUserGrain>(user.Id).GetProfileAsync();
        """;

    /// <summary>Maps <c>GET /example</c>. Only Development has it, because its reader is a developer.</summary>
    public static void MapExample(this IEndpointRouteBuilder app) =>
        app.MapGet("/example", ShowAsync).RequireSignIn();

    private static async Task<IResult> ShowAsync(SignedInUser user, IGrainFactory grains)
    {
        var profile = await grains.GetGrain<IUserGrain>(user.Id).GetProfileAsync();
        return Page.Of<ExamplePage>(new() { [nameof(ExamplePage.Name)] = profile?.Name ?? "whoever you are", [nameof(ExamplePage.Code)] = Code });
    }
}
