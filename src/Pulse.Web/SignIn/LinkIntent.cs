using System.Globalization;
using Microsoft.AspNetCore.Authentication;

namespace Pulse.Web.SignIn;

/// <summary>
/// A person's request to link another account to the signed-in user. Stored in the state of the sign-in, which only Pulse can write.
/// </summary>
/// <param name="UserId">The user.</param>
/// <param name="SessionId">The user's session. If another person signs in meanwhile, the link is refused.</param>
/// <param name="Known">The mark of the user's accounts at the time (<see cref="Pulse.Accounts.LinkedAccounts.Mark"/>).</param>
/// <param name="ProofId">Id of the proof that it was begun on the user's dashboard.</param>
internal sealed record LinkIntent(Guid UserId, string? SessionId, string Known, string ProofId)
{
    private const string UserKey = "pulse.link.user";
    private const string SessionKey = "pulse.link.session";
    private const string KnownKey = "pulse.link.known";
    private const string ProofKey = "pulse.link.proof";

    /// <summary>The intent in a sign-in's state. <see langword="null"/> if the state is for a sign-in.</summary>
    public static LinkIntent? Read(AuthenticationProperties? properties) =>
        properties?.GetString(UserKey) is { } user
            ? new(Guid.ParseExact(user, "D"), properties.GetString(SessionKey), properties.GetString(KnownKey) ?? "", properties.GetString(ProofKey) ?? "")
            : null;

    /// <summary>Writes the intent to the state of a new sign-in.</summary>
    public void Write(AuthenticationProperties properties)
    {
        properties.SetString(UserKey, UserId.ToString("D", CultureInfo.InvariantCulture));
        properties.SetString(SessionKey, SessionId);
        properties.SetString(KnownKey, Known);
        properties.SetString(ProofKey, ProofId);
    }
}
