using System.Text;

namespace Pulse.Web.Auth;

/// <summary>Finds secrets that are long but easy to guess, because a person has typed them.</summary>
internal static class SecretStrength
{
    // 32 random hexadecimal digits have fewer than 8 different ones once in 28 million times. "changeme" repeated has 7.
    private const int MinDistinctBytes = 8;

    // Steps from one byte to the next: "aaaa…" has one, "abcd…" and "12345678901234567890…" two. 32 random digits have 12 or more.
    private const int MinDistinctSteps = 8;

    /// <summary>Whether the secret has few different bytes, counts up or down, or repeats a shorter text.</summary>
    public static bool IsGuessable(string secret)
    {
        var bytes = Encoding.UTF8.GetBytes(secret);
        return bytes.Distinct().Count() < MinDistinctBytes
            || bytes.Zip(bytes.Skip(1), (one, next) => next - one).Distinct().Count() < MinDistinctSteps
            || IsRepeated(bytes);
    }

    private static bool IsRepeated(byte[] bytes)
    {
        for (var period = 1; period <= bytes.Length / 2; period++)
        {
            if (bytes.AsSpan(period).SequenceEqual(bytes.AsSpan(0, bytes.Length - period))) return true;
        }

        return false;
    }
}
