using System.Globalization;
using System.Security.Cryptography;

namespace Pulse.Web.SignIn;

/// <summary>The digits in a sign-in mail, for a person who reads the mail on another device than the requesting one.</summary>
internal static class EmailCode
{
    /// <summary>Number of digits.</summary>
    public const int Length = 8;

    /// <summary>Creates a random code.</summary>
    public static string Create() => RandomNumberGenerator.GetInt32(100_000_000).ToString("D8", CultureInfo.InvariantCulture);

    /// <summary>The format in the mail: two groups, which are easier to copy.</summary>
    public static string Show(string code) => $"{code[..(Length / 2)]} {code[(Length / 2)..]}";

    /// <summary>The digits of the input, which may contain spaces. <see langword="null"/> if the text is malformed.</summary>
    public static string? Parse(string? text)
    {
        var digits = string.Concat((text ?? "").Where(character => !char.IsWhiteSpace(character) && character != '-'));
        return digits.Length == Length && digits.All(char.IsAsciiDigit) ? digits : null;
    }
}
