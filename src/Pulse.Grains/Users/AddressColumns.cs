namespace Pulse.Grains.Users;

/// <summary>
/// Maps a user's one address to two columns of <c>users</c>: <c>email</c> if the address is proven, otherwise <c>unproven_email</c>.
/// </summary>
internal static class AddressColumns
{
    /// <summary>
    /// Suffix of the placeholder in <c>email</c> for a user without a proven address. Silos of an older version cannot read NULL.
    /// </summary>
    /// <remarks>RFC 2606 section 2 reserves the domain, so it will never have a mailbox.</remarks>
    public const string NoMailbox = "@unproven.invalid";

    /// <summary>The value of <c>email</c>.</summary>
    /// <param name="user">The row.</param>
    /// <param name="nullable">Whether every silo of the cluster can read NULL; see <see cref="UnprovenRows"/>.</param>
    public static string? Email(UserRow user, bool nullable) => user.EmailVerified ? user.Email : nullable ? null : $"{user.Id:D}{NoMailbox}";

    /// <summary>The value of <c>unproven_email</c>.</summary>
    public static string? Unproven(UserRow user) => user.EmailVerified ? null : user.Email;

    /// <summary>
    /// The address of a row. An unproven address in <c>email</c> was written by an older version or by another program, and is the later of
    /// the two.
    /// </summary>
    public static string Read(string? email, bool isVerified, string? unproven) =>
        email is not null && (isVerified || !email.EndsWith(NoMailbox, StringComparison.Ordinal)) ? email
        : unproven ?? throw new InvalidDataException("A row of users has no address; the constraint users_address_check forbids it.");
}
