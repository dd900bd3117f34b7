using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace Pulse.Identity;

/// <summary>The one rule for what an e-mail address is here, and its one spelling.</summary>
/// <remarks>
/// Compatibility-normalised (NFKC) and lower case, the domain's labels in Unicode (IDNA), so that one mailbox is one user. Anything that is not a single plain address is rejected,
/// never repaired: no display name, comment, quoted local part, address literal or surrounding space (RFC 5321 section 4.1.2 allows some of
/// these; no sign-up form has met one).
/// </remarks>
public static class EmailAddress
{
    /// <summary>The longest address that fits an SMTP path (RFC 5321 section 4.5.3.1.3 less the angle brackets).</summary>
    public const int MaxLength = 254;

    private static readonly IdnMapping s_idn = new() { AllowUnassigned = false };

    private const int MaxLocalLength = 64;
    private const int MaxLabelLength = 63;
    private const string LocalPunctuation = ".!#$%&'*+/=?^_`{|}~-";

    /// <summary>Gives the normalised address, or <see langword="false"/> when <paramref name="text"/> is no single address of at most <see cref="MaxLength"/> characters.</summary>
    public static bool TryNormalize([NotNullWhen(true)] string? text, [NotNullWhen(true)] out string? normalized)
    {
        normalized = null;

        // Bounded before normalising: NFKC can grow a string 18-fold, and throws on unpaired surrogates.
        if (text is not { Length: > 2 and <= MaxLength } || !IsWellFormed(text)) return false;

        // NFKC once more: lower case makes sequences that it composes, such as J and a caron.
        var candidate = text.Normalize(NormalizationForm.FormKC).ToLowerInvariant().Normalize(NormalizationForm.FormKC);
        if (candidate.Length > MaxLength) return false;

        var at = candidate.IndexOf('@', StringComparison.Ordinal);
        if (at < 0 || !IsLocalPart(candidate.AsSpan(0, at)) || !IsDomain(candidate.AsSpan(at + 1))) return false;
        if (OneSpelling(candidate[(at + 1)..]) is not { } domain || at + 1 + domain.Length > MaxLength) return false;

        normalized = $"{candidate.AsSpan(0, at)}@{domain}";
        return true;
    }

    // A domain name is the same in Unicode and in its ASCII form (RFC 5890), and IDNA maps some letters, such as U+3002 and U+00DF, in ways of its own.
    private static string? OneSpelling(string domain)
    {
        if (Ascii.IsValid(domain) && !domain.Contains("xn--", StringComparison.Ordinal)) return domain;
        try
        {
            var unicode = s_idn.GetUnicode(s_idn.GetAscii(domain)).Normalize(NormalizationForm.FormKC).ToLowerInvariant();

            // What is not its own spelling after this has no spelling that stays.
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

        // A bare host name is nobody's public mailbox.
        return labels > 1;
    }

    // Marks are part of letters in many scripts (RFC 6531 allows UTF-8 in both parts).
    private static bool IsLetterOrDigit(Rune rune) =>
        Rune.IsLetterOrDigit(rune) || Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark;

    private static bool IsWellFormed(string text)
    {
        foreach (var rune in text.EnumerateRunes())
        {
            // Unicode's 66 noncharacters: normalising throws on U+FFFE.
            if (rune == Rune.ReplacementChar || (rune.Value & 0xFFFE) == 0xFFFE || rune.Value is >= 0xFDD0 and <= 0xFDEF) return false;
        }

        return true;
    }
}
