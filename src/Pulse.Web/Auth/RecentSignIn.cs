namespace Pulse.Web.Auth;

/// <summary>What changes how a user signs in needs proof of the person that is minutes old: a session may be another person's by then.</summary>
/// <remarks>OWASP ASVS 5.0, 7.5.1: an unlocked machine, a stolen cookie or a script on this origin has a session, but not the mailbox or the provider.</remarks>
internal static class RecentSignIn
{
    /// <summary>How old the sign-in may be.</summary>
    public static readonly TimeSpan MaxAge = TimeSpan.FromMinutes(10);

    /// <summary>Whether the caller has signed in here so recently. A trusted issuer's token never says so.</summary>
    public static bool IsRecent(Caller caller, TimeProvider time) => caller.SignedInAt is { } at && time.GetUtcNow() - at <= MaxAge;
}
