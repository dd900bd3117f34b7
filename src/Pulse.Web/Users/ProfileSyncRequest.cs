using Pulse.Identity;
using Pulse.Users;
using Pulse.Web.Auth;
using Pulse.Web.Http;
using Pulse.Web.Profiles;

namespace Pulse.Web.Users;

/// <summary>Body of <c>POST /auth/sync</c>. <see langword="null"/> equals a missing member.</summary>
/// <param name="Email">Only for tokens without an e-mail, or equal to the token's.</param>
/// <param name="Name">Display name, at most 200 UTF-16 code units, without control characters.</param>
/// <param name="Avatar">Picture URL: https, at most 2,048 characters.</param>
internal sealed record ProfileSyncRequest(string? Email = null, string? Name = null, string? Avatar = null)
{
    /// <summary>
    /// Combines this request and its token. The body has precedence over the token's claims, except that the token determines the e-mail.
    /// </summary>
    /// <param name="caller">The token's caller.</param>
    /// <param name="joinsByEmail">Whether the token's issuer joins users by a proven address.</param>
    /// <param name="errors">Receives every broken rule. The result is then invalid.</param>
    public ProfileUpdate ToUpdate(Caller caller, bool joinsByEmail, ValidationErrors errors)
    {
        var (email, verified) = ChooseEmail(caller, errors);
        if (ProfileRules.NameFault(Name) is { } nameFault) errors.Add("name", nameFault);
        if (ProfileRules.AvatarFault(Avatar) is { } avatarFault) errors.Add("avatar", avatarFault);

        return new ProfileUpdate
        {
            Email = email,
            EmailVerified = verified,
            JoinsByEmail = verified && joinsByEmail,
            // An invalid claim is ignored: it is the issuer's fault, so the user is still accepted.
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

        if (caller.Email is null) return (fromBody, false);

        // Pulse has read the claim of a session's token from the user's row, whose address may have changed since.
        if (caller.OwnSessionId is not null) return (null, false);
        return (fromToken, caller.EmailVerified && fromToken is not null && EmailAddress.IsSameMailbox(caller.Email, fromToken));
    }
}
