using Pulse.Identity;
using Pulse.Users;
using Pulse.Web.Auth;
using Pulse.Web.Http;
using Pulse.Web.Profiles;

namespace Pulse.Web.Users;

/// <summary>What <c>POST /auth/sync</c> takes. <see langword="null"/> is the same as absent.</summary>
/// <param name="Email">Only for tokens without an e-mail, or the same as theirs.</param>
/// <param name="Name">Display name; see <see cref="ProfileRules.NameFault"/>.</param>
/// <param name="Avatar">Picture URL; see <see cref="ProfileRules.AvatarFault"/>.</param>
internal sealed record ProfileSyncRequest(string? Email = null, string? Name = null, string? Avatar = null)
{
    /// <summary>What this request and its token say together: the body before the token's claims, except that e-mail is the token's to say.</summary>
    /// <param name="caller">Who the token speaks for.</param>
    /// <param name="joinsByEmail">Whether the token's issuer joins users by a proven address.</param>
    /// <param name="errors">Gets every rule that was broken; the result is then of no use.</param>
    public ProfileUpdate ToUpdate(Caller caller, bool joinsByEmail, ValidationErrors errors)
    {
        var (email, verified) = ChooseEmail(caller, errors);
        if (ProfileRules.NameFault(Name) is { } nameFault) errors.Add("name", nameFault);
        if (ProfileRules.AvatarFault(Avatar) is { } avatarFault) errors.Add("avatar", avatarFault);

        return new ProfileUpdate
        {
            Email = email,
            EmailVerified = verified,
            JoinsByEmail = verified && joinsByEmail && string.Equals(caller.Email, email, StringComparison.OrdinalIgnoreCase),
            // A claim that breaks a rule is passed over: it is the issuer's, and no reason to keep its user out.
            Name = ProfileRules.UsableName(Name) ?? ProfileRules.UsableName(caller.Name),
            EditsName = Name is not null,
            EditsAvatar = Avatar is not null,
            Avatar = Avatar ?? (ProfileRules.AvatarFault(caller.Picture) is null ? caller.Picture : null),
        };
    }

    private (string? Email, bool Verified) ChooseEmail(Caller caller, ValidationErrors errors)
    {
        string? fromBody = null, fromToken = null;
        if (Email is not null && !EmailAddress.TryNormalize(Email, out fromBody)) errors.Add("email", ProfileRules.EmailMessage);
        if (caller.Email is not null && !EmailAddress.TryNormalize(caller.Email, out fromToken))
            errors.Add("email", "The access token's email claim is not a single e-mail address.");

        if (fromBody is not null && fromToken is not null && !string.Equals(fromBody, fromToken, StringComparison.Ordinal))
            errors.Add("email", "The e-mail differs from the access token's; leave it out.");

        return caller.Email is null ? (fromBody, false) : (fromToken, caller.EmailVerified);
    }
}
