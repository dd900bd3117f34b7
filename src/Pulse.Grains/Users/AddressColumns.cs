namespace Pulse.Grains.Users;

/// <summary>How the two columns of <c>users</c> hold a user's one address: <c>email</c> if it is proven, else <c>unproven_email</c>.</summary>
internal static class AddressColumns
{
    /// <summary>How a value of <c>email</c> ends that is no address, but there because a silo of an older version cannot read NULL.</summary>
    /// <remarks>RFC 2606 section 2: no such domain will ever have a mailbox.</remarks>
    public const string NoMailbox = "@unproven.invalid";

    /// <summary>The value of <c>email</c>.</summary>
    /// <param name="user">The row.</param>
    /// <param name="nullable">Whether every silo of the cluster can read NULL; see <see cref="UnprovenRows"/>.</param>
    public static string? Email(UserRow user, bool nullable) => user.EmailVerified ? user.Email : nullable ? null : $"{user.Id:D}{NoMailbox}";

    /// <summary>The value of <c>unproven_email</c>.</summary>
    public static string? Unproven(UserRow user) => user.EmailVerified ? null : user.Email;

    /// <summary>The address of a row. An unproven one in <c>email</c> is an older version's or another program's, and the later of the two.</summary>
    public static string Read(string? email, bool isVerified, string? unproven) =>
        email is not null && (isVerified || !email.EndsWith(NoMailbox, StringComparison.Ordinal)) ? email
        : unproven ?? throw new InvalidDataException("A row of users has no address; the constraint users_address_check forbids it.");
}
