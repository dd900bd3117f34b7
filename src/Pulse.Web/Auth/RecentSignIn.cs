namespace Pulse.Web.Auth;

/// <summary>
/// A change of sign-in methods requires a sign-in within the last minutes, because another person may be using the session by then.
/// </summary>
/// <remarks>
/// OWASP ASVS 5.0, 7.5.1: an unlocked machine, a stolen cookie or a script on this origin gives access to a session, but not to the mailbox
/// or the provider.
/// </remarks>
internal static class RecentSignIn
{
    /// <summary>Maximum age of the sign-in.</summary>
    public static readonly TimeSpan MaxAge = TimeSpan.FromMinutes(10);

    /// <summary>Whether the caller has signed in here recently. Always false for a trusted issuer's token.</summary>
    public static bool IsRecent(Caller caller, TimeProvider time) => caller.SignedInAt is { } at && time.GetUtcNow() - at <= MaxAge;
}
