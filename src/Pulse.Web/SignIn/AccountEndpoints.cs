using System.Security.Claims;
using Microsoft.AspNetCore.Http.HttpResults;
using Pulse.Identity;
using Pulse.Users;
using Pulse.Web.Auth;

namespace Pulse.Web.SignIn;

/// <summary>A linked account, as its owner sees it.</summary>
/// <param name="Provider">See <see cref="ExternalAccount.Provider"/>.</param>
/// <param name="DisplayName">What people call the provider.</param>
internal sealed record AccountResponse(string Provider, string DisplayName);

/// <summary>The caller's linked accounts.</summary>
internal static class AccountEndpoints
{
    /// <summary>Maps <c>GET /auth/accounts</c> and <c>DELETE /auth/accounts/{provider}</c>; both need a caller.</summary>
    public static void MapAccounts(this IEndpointRouteBuilder app)
    {
        var group = app.MapGroup("/auth/accounts").WithTags("Accounts").RequireAuthorization();
        group.MapGet("", ListAsync);
        group.MapDelete("/{provider}", UnlinkAsync);
    }

    private static async Task<Results<Ok<AccountResponse[]>, ProblemHttpResult>> ListAsync(
        HttpContext context, ClaimsPrincipal principal, Callers callers, IGrainFactory grains, SignInProviders providers)
    {
        if (await callers.FindUserIdAsync(callers.Read(principal)) is not { } userId) return ProblemTypes.NotSynced.ToResult();

        // RFC 9111 section 5.2.2.5: personal, so in no cache.
        context.Response.Headers.CacheControl = "no-store";
        var accounts = await grains.GetGrain<IUserGrain>(userId).ListAccountsAsync();
        return TypedResults.Ok(accounts.Select(account => new AccountResponse(account.Provider, providers.DisplayName(account.Provider))).ToArray());
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> UnlinkAsync(
        string provider, ClaimsPrincipal principal, Callers callers, IGrainFactory grains)
    {
        if (await callers.FindUserIdAsync(callers.Read(principal)) is not { } userId) return ProblemTypes.NotSynced.ToResult();

        // Routing leaves %2F as it is, and a trusted issuer's name is a URL. Of two accounts at one provider the later one goes first.
        var name = Uri.UnescapeDataString(provider);
        var accounts = await grains.GetGrain<IUserGrain>(userId).ListAccountsAsync();
        if (accounts.LastOrDefault(account => account.Provider == name) is not { } account) return ProblemTypes.AccountNotLinked.ToResult();

        return await grains.GetGrain<IAccountGrain>(new AccountKey(account.Provider, account.ProviderAccountId).ToString()).UnlinkAsync(userId) switch
        {
            AccountLinkOutcome.Unlinked => TypedResults.NoContent(),
            AccountLinkOutcome.LastWayIn => ProblemTypes.LastWayIn.ToResult(),
            _ => ProblemTypes.AccountNotLinked.ToResult(),
        };
    }
}
