namespace Pulse.Identity;

/// <summary>
/// Maps the spellings of an address that reach one mailbox to one text, for counting mails. User comparison ignores it.
/// </summary>
public static class Mailbox
{
    private static readonly string[] s_withoutDots = ["gmail.com", "googlemail.com"];

    /// <summary>Removes from the address the tag after "+", and for Google also the dots, which Google ignores.</summary>
    /// <param name="email">A normalized address. Another text, as of a row of another program, is its own mailbox.</param>
    public static string Of(string email)
    {
        var at = email.LastIndexOf('@');
        if (at < 0) return email;
        var (local, domain) = (email[..at], email[(at + 1)..]);
        var tag = local.IndexOf('+', StringComparison.Ordinal);
        if (tag > 0) local = local[..tag];
        if (s_withoutDots.Contains(domain)) (local, domain) = (local.Replace(".", "", StringComparison.Ordinal), s_withoutDots[0]);
        return $"{local}@{domain}";
    }
}
