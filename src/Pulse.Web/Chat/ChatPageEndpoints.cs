using Pulse.Users;
using Pulse.Web.Dashboard;
using Pulse.Web.Http;
using Pulse.Web.Pages;
using Pulse.Web.Sessions;
using Pulse.Web.Tokens;

namespace Pulse.Web.Chat;

/// <summary>The chat page. Its script calls the routes of conversations as every other client does.</summary>
internal static class ChatPageEndpoints
{
    private const string Path = "/chat";

    /// <summary>Maps <c>GET /chat</c> and <c>GET /chat/people</c>.</summary>
    public static void MapChatPage(this IEndpointRouteBuilder app)
    {
        var pages = app.MapGroup(Path).RequireSignIn().ExcludeFromDescription();
        pages.MapGet("", ShowAsync);
        pages.MapGet("/people", ListPeopleAsync);
    }

    private static async Task<IResult> ShowAsync(SignedInUser user, IGrainFactory grains) =>
        await grains.GetGrain<IUserGrain>(user.Id).GetProfileAsync() is { } profile
            ? Page.Of<ChatPage>(new() { [nameof(ChatPage.User)] = profile })
            : Page.Error(
                StatusCodes.Status404NotFound, "Your profile is missing", "You are signed in, but your user no longer exists.",
                "Sign in again.", SignInRedirect.SignInPath, "Sign in");

    /// <summary>The users that the page offers for a new conversation: those of the dashboard's list.</summary>
    private static async Task<IResult> ListPeopleAsync(SignedInUser user, PeopleReader reader, CancellationToken stop) =>
        await reader.ReadAsync(user.Id, stop) is { } people
            ? TypedResults.Json(
                new ChatPeopleResponse([.. people.Select(person => new ChatPerson(person.Id, person.Name, person.Avatar))]),
                ChatPageJson.Default.ChatPeopleResponse)
            : ProblemTypes.NotFound.ToResult("People are not listed here: Pulse:Pages:ListPeople is off.");
}
