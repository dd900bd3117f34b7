using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace Pulse.Identity;

/// <summary>Defines the valid e-mail addresses and their one spelling.</summary>
/// <remarks>
/// The spelling is compatibility-normalised (NFKC) and lower case, with the domain's labels in Unicode (IDNA), so that one mailbox is one
/// user. Any other text than a single plain address is rejected and never repaired. Rejected are display names, comments, quoted local
/// parts, address literals and surrounding spaces. RFC 5321 section 4.1.2 allows some of these, but sign-up forms never receive them.
/// </remarks>
public static class EmailAddress
{
    /// <summary>The longest address that fits an SMTP path (RFC 5321 section 4.5.3.1.3 less the angle brackets).</summary>
    public const int MaxLength = 254;

    private static readonly IdnMapping s_idn = new() { AllowUnassigned = false };

    private const int MaxLocalLength = 64;
    private const int MaxLabelLength = 63;
    private const string LocalPunctuation = ".!#$%&'*+/=?^_`{|}~-";

    /// <summary>
    /// Normalizes the address. Returns <see langword="false"/> unless <paramref name="text"/> is a single address of at most
    /// <see cref="MaxLength"/> characters.
    /// </summary>
    public static bool TryNormalize([NotNullWhen(true)] string? text, [NotNullWhen(true)] out string? normalized)
    {
        normalized = null;

        // The length is limited before the normalization, because NFKC can grow a string 18-fold. It also throws on unpaired surrogates.
        if (text is not { Length: > 2 and <= MaxLength } || !IsWellFormed(text)) return false;

        // NFKC a second time, because lower case creates sequences that it composes, such as J and a caron.
        var candidate = text.Normalize(NormalizationForm.FormKC).ToLowerInvariant().Normalize(NormalizationForm.FormKC);
        if (candidate.Length > MaxLength) return false;

        var at = candidate.IndexOf('@', StringComparison.Ordinal);
        if (at < 0 || !IsLocalPart(candidate.AsSpan(0, at)) || !IsDomain(candidate.AsSpan(at + 1))) return false;
        if (OneSpelling(candidate[(at + 1)..]) is not { } domain || at + 1 + domain.Length > MaxLength) return false;

        normalized = $"{candidate.AsSpan(0, at)}@{domain}";
        return true;
    }

    /// <summary>Whether a provider that has verified an address has verified the mailbox of its normalized spelling.</summary>
    /// <remarks>
    /// NFKC maps local parts that a server with SMTPUTF8 may give to different people, such as one with a ligature, to one. A domain is the
    /// same in all spellings, because IDNA maps them before the name is looked up.
    /// </remarks>
    /// <param name="stated">The address in the provider's spelling.</param>
    /// <param name="normalized">The result of <see cref="TryNormalize"/>.</param>
    public static bool IsSameMailbox(string stated, string normalized)
    {
        var at = stated.IndexOf('@', StringComparison.Ordinal);
        return at >= 0 && stated.AsSpan(0, at).Equals(normalized.AsSpan(0, normalized.IndexOf('@', StringComparison.Ordinal)), StringComparison.OrdinalIgnoreCase);
    }

    // A domain name is the same in Unicode and in its ASCII form (RFC 5890), and IDNA has its own mapping of some letters, such as U+3002
    // and U+00DF.
    private static string? OneSpelling(string domain)
    {
        if (Ascii.IsValid(domain) && !domain.Contains("xn--", StringComparison.Ordinal)) return domain;
        try
        {
            var unicode = s_idn.GetUnicode(s_idn.GetAscii(domain)).Normalize(NormalizationForm.FormKC).ToLowerInvariant();

            // A domain that changes under a second conversion is rejected, because its spelling is unstable.
            return IsDomain(unicode) && s_idn.GetUnicode(s_idn.GetAscii(unicode)) == unicode ? unicode : null;
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    private static bool IsLocalPart(ReadOnlySpan<char> local)
    {
        if (local.Length is 0 or > MaxLocalLength || local[0] == '.' || local[^1] == '.' || local.IndexOf("..") >= 0) return false;
        foreach (var rune in local.EnumerateRunes())
        {
            if (!IsLetterOrDigit(rune) && !(rune.IsBmp && LocalPunctuation.Contains((char)rune.Value, StringComparison.Ordinal))) return false;
        }

        return true;
    }

    private static bool IsDomain(ReadOnlySpan<char> domain)
    {
        var labels = 0;
        foreach (var range in domain.Split('.'))
        {
            var label = domain[range];
            if (label.Length is 0 or > MaxLabelLength || label[0] == '-' || label[^1] == '-') return false;
            foreach (var rune in label.EnumerateRunes())
            {
                if (!IsLetterOrDigit(rune) && rune.Value != '-') return false;
            }

            labels++;
        }

        // A bare host name cannot be a public mailbox.
        return labels > 1;
    }

    // Marks are part of letters in many scripts (RFC 6531 allows UTF-8 in both parts).
    private static bool IsLetterOrDigit(Rune rune) =>
        Rune.IsLetterOrDigit(rune) || Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark;

    private static bool IsWellFormed(string text)
    {
        foreach (var rune in text.EnumerateRunes())
        {
            // Unicode's 66 noncharacters, because the normalization throws on U+FFFE.
            if (rune == Rune.ReplacementChar || (rune.Value & 0xFFFE) == 0xFFFE || rune.Value is >= 0xFDD0 and <= 0xFDEF) return false;
        }

        return true;
    }
}
