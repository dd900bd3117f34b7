using System.Globalization;
using Microsoft.AspNetCore.Authentication;

namespace Pulse.Web.SignIn;

/// <summary>That somebody wants another account linked to the user they are signed in as. Travels in the state of the sign-in, which nobody else can write.</summary>
/// <param name="UserId">The user.</param>
/// <param name="SessionId">Their session, so that nobody who signs in meanwhile gets the account.</param>
internal sealed record LinkIntent(Guid UserId, string? SessionId)
{
    private const string UserKey = "pulse.link.user";
    private const string SessionKey = "pulse.link.session";

    /// <summary>The intent of a sign-in's state; <see langword="null"/> for one that signs in.</summary>
    public static LinkIntent? Read(AuthenticationProperties? properties) =>
        properties?.GetString(UserKey) is { } user ? new(Guid.ParseExact(user, "D"), properties.GetString(SessionKey)) : null;

    /// <summary>Puts it into the state of a sign-in that begins.</summary>
    public void Write(AuthenticationProperties properties)
    {
        properties.SetString(UserKey, UserId.ToString("D", CultureInfo.InvariantCulture));
        properties.SetString(SessionKey, SessionId);
    }
}
