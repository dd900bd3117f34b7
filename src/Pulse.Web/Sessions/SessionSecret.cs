namespace Pulse.Web.Sessions;

/// <summary>Content of a session cookie: the user and a secret as proof. Only the secret's hash leaves this process.</summary>
/// <param name="Text">The cookie's value. It signs in any holder, so it must stay out of logs and stores.</param>
/// <param name="UserId">The session's user.</param>
/// <param name="Hash">SHA-256 of the bytes after the user id. They have 128 bits of entropy, so one hash is slow enough to prevent
/// guessing.</param>
internal sealed record SessionSecret(string Text, Guid UserId, byte[] Hash)
{
    /// <summary>Names the user. A record's generated text would contain the secret.</summary>
    public override string ToString() => $"session cookie of {UserId:D}";
}
