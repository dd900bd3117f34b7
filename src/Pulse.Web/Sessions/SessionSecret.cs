namespace Pulse.Web.Sessions;

/// <summary>What a session cookie holds: whose session it is, and a secret that proves it. Only the secret's hash leaves this process.</summary>
/// <param name="Text">The cookie's value. Signs in whoever has it: never logged, never stored.</param>
/// <param name="UserId">Whose sessions to ask.</param>
/// <param name="Hash">SHA-256 of all that follows the user id. It has 128 bits of entropy, so nothing slower than one hash is needed to keep it from being guessed.</param>
internal sealed record SessionSecret(string Text, Guid UserId, byte[] Hash)
{
    /// <summary>Whose it is; a record's own words would have the secret in them.</summary>
    public override string ToString() => $"session cookie of {UserId:D}";
}
