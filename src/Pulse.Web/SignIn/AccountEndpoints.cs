using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http.HttpResults;
using Pulse.Accounts;
using Pulse.Users;
using Pulse.Web.Audit;
using Pulse.Web.Http;
using Pulse.Web.Tokens;

namespace Pulse.Web.SignIn;

/// <summary>A linked account, as its owner sees it.</summary>
/// <param name="Id">The id for <c>DELETE /auth/accounts/{account}</c>. <see langword="null"/> for an account of an early version.</param>
/// <param name="Provider">The provider's name, or a trusted issuer's URL.</param>
/// <param name="DisplayName">The provider's readable name.</param>
/// <param name="Email">The address at the provider, or <see langword="null"/>.</param>
/// <param name="LinkedAt">When it was linked, or <see langword="null"/> if that is unknown.</param>
internal sealed record AccountResponse(
    Guid? Id, string Provider, string DisplayName, string? Email, [property: JsonConverter(typeof(UtcTimeConverter))] DateTimeOffset? LinkedAt);

/// <summary>The caller's linked accounts.</summary>
internal static class AccountEndpoints
{
    /// <summary>
    /// Maps <c>GET /auth/accounts</c> and <c>DELETE /auth/accounts/{account}</c>. Both require a caller, and the second a recent sign-in.
    /// </summary>
    public static void MapAccounts(this IEndpointRouteBuilder app)
    {
        var group = app.MapGroup("/auth/accounts").WithTags("Accounts").RequireAuthorization();
        group.MapGet("", ListAsync).WithSummary("List the caller's linked accounts");
        group.MapDelete("/{account}", UnlinkAsync).WithSummary("Unlink an account")
            .WithDescription("Needs a session that was opened within the last 10 minutes. Ends the sessions that the account opened.")
            .Path("account", "Id of the account, or the name of its provider.")
            .Refuses(ProblemTypes.Forbidden, ProblemTypes.SignInTooOld, ProblemTypes.AccountNotLinked, ProblemTypes.LastWayIn);
    }

    private static async Task<Results<Ok<AccountResponse[]>, ProblemHttpResult>> ListAsync(
        HttpContext context, SignedInUser user, IGrainFactory grains, SignInProviders providers)
    {
        // RFC 9111 section 5.2.2.5: personal data must stay out of caches.
        context.Response.Headers.CacheControl = "no-store";
        var accounts = await grains.GetGrain<IUserGrain>(user.Id).ListAccountsAsync();
        return TypedResults.Ok(accounts.Select(account => new AccountResponse(
            account.LinkId, account.Provider, providers.DisplayName(account.Provider).ToString(), account.Email, account.LinkedAt)).ToArray());
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> UnlinkAsync(
        string account, HttpContext context, SignedInUser user, AccountUnlinking unlinking, RecentSignIn recentSignIn)
    {
        // A trusted issuer may act only for its own account among the user's accounts.
        if (user.IsFromTrustedIssuer) return context.Refuse(ProblemTypes.Forbidden, "Use a session of Pulse: a trusted issuer's token cannot unlink accounts.");
        if (!recentSignIn.IsRecent(user.Caller)) return context.Refuse(ProblemTypes.SignInTooOld);

        // Routing leaves %2F encoded, and a trusted issuer's name is a URL.
        return await unlinking.UnlinkAsync(context, user, Uri.UnescapeDataString(account)) switch
        {
            AccountLinkOutcome.Unlinked => TypedResults.NoContent(),
            AccountLinkOutcome.LastWayIn => ProblemTypes.LastWayIn.ToResult(),
            _ => ProblemTypes.AccountNotLinked.ToResult(),
        };
    }
}
