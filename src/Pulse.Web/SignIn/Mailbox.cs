namespace Pulse.Web.SignIn;

/// <summary>Tells spellings of an address that reach one mailbox, for counting mails. Users are not compared by it.</summary>
internal static class Mailbox
{
    private static readonly string[] s_withoutDots = ["gmail.com", "googlemail.com"];

    /// <summary>The address without the tag after "+", and at Google without dots too, which Google ignores.</summary>
    /// <param name="email">A normalised address.</param>
    public static string Of(string email)
    {
        var at = email.LastIndexOf('@');
        var (local, domain) = (email[..at], email[(at + 1)..]);
        var tag = local.IndexOf('+', StringComparison.Ordinal);
        if (tag > 0) local = local[..tag];
        if (s_withoutDots.Contains(domain)) (local, domain) = (local.Replace(".", "", StringComparison.Ordinal), s_withoutDots[0]);
        return $"{local}@{domain}";
    }
}
