using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;
using Pulse.Accounts;
using Pulse.Identity;
using Pulse.Users;
using Pulse.Web.Auth;
using Pulse.Web.Http;
using Pulse.Web.Profiles;
using Pulse.Web.Tokens;

namespace Pulse.Web.SignIn;

/// <summary>Body of <c>POST /auth/dev</c>.</summary>
/// <param name="Email">The user's address.</param>
/// <param name="Name">The display name. Stored if given.</param>
internal sealed record DevSignInRequest([property: Required] string? Email = null, string? Name = null);

/// <summary><c>POST /auth/dev</c>: issues a token for any user without proof, so that a checkout can be tried at once.</summary>
internal static class DevSignInEndpoint
{
    private const string Provider = "dev";

    /// <summary>Maps the route, but only in Development with <c>Pulse:Auth:DevSignIn</c>.</summary>
    public static void MapDevSignIn(this WebApplication app)
    {
        // Options validation refuses DevSignIn outside Development. The second check is here because the route gives access to every user.
        if (!app.Environment.IsDevelopment() || !app.Services.GetRequiredService<IOptions<AuthOptions>>().Value.DevSignIn) return;
        app.MapPost("/auth/dev", SignInAsync).AllowAnonymous().WithTags("Development")
            .WithSummary("Issue a token for any user").WithDescription("In Development only.").Reads(typeof(DevSignInRequest))
            .Refuses(ProblemTypes.Validation, ProblemTypes.AccountExists, ProblemTypes.SignUpRefused);
    }

    private static async Task<Results<Ok<AccessToken>, ProblemHttpResult>> SignInAsync(
        HttpContext context, IGrainFactory grains, TokenIssuer tokens)
    {
        var body = await RequestBody.ReadAsync(context, SignInRequestJson.Default.DevSignInRequest);
        if (body.Problem is { } unreadable) return unreadable;

        var request = body.Value ?? new DevSignInRequest();
        var errors = new ValidationErrors();
        if (!EmailAddress.TryNormalize(request.Email, out var email)) errors.Add("email", ProfileRules.EmailMessage);
        if (ProfileRules.NameFault(request.Name) is { } fault) errors.Add("name", fault);
        if (errors.Any) return errors.ToProblem();

        var account = grains.GetGrain<IAccountGrain>(new AccountKey(Provider, email!).ToString());
        var synced = await account.SyncProfileAsync(new ProfileUpdate { Email = email, EmailVerified = true, JoinsByEmail = true, Name = request.Name }, Provider);
        if (synced.Profile is not { } user) return SyncProblems.For(synced.Outcome);

        context.Response.Headers.CacheControl = "no-store";
        return TypedResults.Ok(tokens.Issue(user));
    }
}
