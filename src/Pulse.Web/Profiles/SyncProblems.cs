using Microsoft.AspNetCore.Http.HttpResults;
using Pulse.Users;
using Pulse.Web.Http;

namespace Pulse.Web.Profiles;

/// <summary>The answers to a refused profile write.</summary>
internal static class SyncProblems
{
    /// <summary>The audit log's word for that outcome.</summary>
    public static string Reason(ProfileSyncOutcome outcome) => outcome switch
    {
        ProfileSyncOutcome.EmailTaken => ProblemTypes.AccountExists.Name,
        ProfileSyncOutcome.AccountTaken => ProblemTypes.AccountTaken.Name,
        ProfileSyncOutcome.EmailMissing => ProblemTypes.EmailMissing.Name,
        ProfileSyncOutcome.SignUpRefused => ProblemTypes.SignUpRefused.Name,
        ProfileSyncOutcome.Disabled => ProblemTypes.UserDisabled.Name,
        _ => "not-accepted",
    };

    /// <summary>The problem for that outcome.</summary>
    /// <exception cref="InvalidOperationException">The outcome is a newer silo's and unknown to this front end, so it counts as a
    /// failure.</exception>
    public static ProblemHttpResult For(ProfileSyncOutcome outcome) => outcome switch
    {
        ProfileSyncOutcome.EmailTaken => ProblemTypes.AccountExists.ToResult(),
        ProfileSyncOutcome.SignUpRefused => ProblemTypes.SignUpRefused.ToResult(),
        ProfileSyncOutcome.AccountTaken => ProblemTypes.AccountTaken.ToResult(),
        ProfileSyncOutcome.EmailMissing => ProblemTypes.EmailMissing.ToResult(errors: new Dictionary<string, string[]>
        {
            ["email"] = ["A new user needs an e-mail, and the access token has none."],
        }),
        _ => throw new InvalidOperationException($"The profile write ended as {outcome}, which is not known here."),
    };
}
