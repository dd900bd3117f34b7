using Pulse.Identity;

namespace Pulse.Web.Tests.Identity;

public sealed class EmailAddressTests
{
    [Theory]
    [InlineData("ada@example.com", "ada@example.com")]
    [InlineData("Ada.Lovelace+chat@Example.COM", "ada.lovelace+chat@example.com")]
    [InlineData("ａｄａ@example.com", "ada@example.com")]
    [InlineData("jürgen@bücher.example", "jürgen@bücher.example")]
    [InlineData("ada@ｅxample.com", "ada@example.com")]
    [InlineData("ada@xn--bcher-kva.example", "ada@bücher.example")]
    [InlineData("ada@XN--BCHER-KVA.example", "ada@bücher.example")]
    [InlineData("ada@B\u00DCCHER.example", "ada@bücher.example")]
    [InlineData("ada@b\u0075\u0308cher.example", "ada@bücher.example")]
    [InlineData("J\u030C@example.com", "\u01F0@example.com")]
    public void TryNormalize_Address_GivesItsOneSpelling(string text, string expected)
    {
        Assert.True(EmailAddress.TryNormalize(text, out var normalized));
        Assert.Equal(expected, normalized);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("@")]
    [InlineData("ada")]
    [InlineData("ada@")]
    [InlineData("@example.com")]
    [InlineData("ada@example")]
    [InlineData("ada@@example.com")]
    [InlineData("ada@example.com, eve@example.com")]
    [InlineData("ada@example.com;eve@example.com")]
    [InlineData("Ada <ada@example.com>")]
    [InlineData(" ada@example.com")]
    [InlineData("ada@example.com\n")]
    [InlineData("a da@example.com")]
    [InlineData("\"ada\"@example.com")]
    [InlineData(".ada@example.com")]
    [InlineData("ada..l@example.com")]
    [InlineData("ada@-example.com")]
    [InlineData("ada@example..com")]
    [InlineData("ada@[127.0.0.1]")]
    [InlineData("ada@exam\u202Eple.com")]
    [InlineData("ada\u0000@example.com")]
    [InlineData("x\uFFFE@example.com")]
    [InlineData("x\uFFFF@example.com")]
    [InlineData("x\uFDD0@example.com")]
    [InlineData("ada@xn--a.example")]
    [InlineData("ada@xn--.example")]
    public void TryNormalize_NoSingleAddress_IsRefused(string? text) => Assert.False(EmailAddress.TryNormalize(text, out _));

    [Fact]
    public void TryNormalize_ItsOwnResult_IsTheSame()
    {
        // Every character of the Basic Multilingual Plane, alone and with marks that compose, in both parts.
        string[] marks = ["", "\u030C", "\u0308", "\u0331", "\u0342", "\u0345"];
        var faults = new List<string>();
        for (var c = 0x21; c <= 0xFFFF; c++)
        {
            if (char.IsSurrogate((char)c)) continue;
            foreach (var mark in marks)
            {
                foreach (var text in new[] { $"{(char)c}{mark}@example.com", $"a@b{(char)c}{mark}.example" })
                {
                    if (!EmailAddress.TryNormalize(text, out var once)) continue;
                    if (!EmailAddress.TryNormalize(once, out var twice) || twice != once) faults.Add($"U+{c:X4} with '{mark}'");
                }
            }
        }

        Assert.Empty(faults);
    }

    [Fact]
    public void TryNormalize_Length_IsBounded()
    {
        var labels = string.Join('.', Enumerable.Repeat(new string('d', 61), 3));
        var longest = $"{new string('a', 64)}@{labels}.com";

        Assert.Equal(EmailAddress.MaxLength, longest.Length);
        Assert.True(EmailAddress.TryNormalize(longest, out _));
        Assert.False(EmailAddress.TryNormalize(longest.Replace(".com", ".comm", StringComparison.Ordinal), out _));
        Assert.False(EmailAddress.TryNormalize("a" + (char)0xD83D + "@example.com", out _));
    }
}
