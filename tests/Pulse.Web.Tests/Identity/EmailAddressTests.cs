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
    public void TryNormalize_NoSingleAddress_IsRefused(string? text) => Assert.False(EmailAddress.TryNormalize(text, out _));

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
