using Pulse.Silo.Clock;
using Pulse.Web.Auth;

namespace Pulse.Web.Tokens;

/// <summary>
/// A change of sign-in methods requires a sign-in within the last minutes, because another person may be using the session by then.
/// </summary>
/// <remarks>
/// OWASP ASVS 5.0, 7.5.1: an unlocked machine, a stolen cookie or a script on this origin gives access to a session, but not to the mailbox
/// or the provider.
/// </remarks>
/// <param name="time">The wall clock, because the time of a sign-in comes from another process.</param>
internal sealed class RecentSignIn([FromKeyedServices(ClockSetup.WallClock)] TimeProvider time)
{
    /// <summary>Maximum age of the sign-in.</summary>
    public static readonly TimeSpan MaxAge = TimeSpan.FromMinutes(10);

    /// <summary>Whether the caller has signed in here recently. Always false for a trusted issuer's token.</summary>
    /// <remarks>A time in the future is from a clock that was wrong. It would be recent for longer than the maximum age.</remarks>
    public bool IsRecent(Caller caller) =>
        caller.SignedInAt is { } at && time.GetUtcNow() - at is var age && age <= MaxAge && age >= -AccessTokenHandler.MaxClockSkew;
}
