using System.Globalization;
using System.Security.Cryptography;

namespace Pulse.Web.SignIn;

/// <summary>The digits in a sign-in mail, for a person who reads it on another device than the one that asked.</summary>
internal static class EmailCode
{
    /// <summary>How many digits.</summary>
    public const int Length = 8;

    /// <summary>A new one.</summary>
    public static string Create() => RandomNumberGenerator.GetInt32(100_000_000).ToString("D8", CultureInfo.InvariantCulture);

    /// <summary>As the mail shows it: two groups, which are easier to carry over.</summary>
    public static string Show(string code) => $"{code[..(Length / 2)]} {code[(Length / 2)..]}";

    /// <summary>The digits of what was typed, which may have spaces; <see langword="null"/> for text that is no code.</summary>
    public static string? Parse(string? text)
    {
        var digits = string.Concat((text ?? "").Where(character => !char.IsWhiteSpace(character) && character != '-'));
        return digits.Length == Length && digits.All(char.IsAsciiDigit) ? digits : null;
    }
}
