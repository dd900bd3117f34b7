using Pulse.Web.SignIn;

namespace Pulse.Web.Tests.SignIn;

public sealed class ReturnUrlTests
{
    [Theory]
    [InlineData("/")]
    [InlineData("/dashboard")]
    [InlineData("/rooms/42")]
    [InlineData("/rooms/42?tab=people&next=%2Frooms%2F7#top")]
    [InlineData("/?next=//evil.example")]
    [InlineData("/@somebody")]
    [InlineData("/a:b")]
    [InlineData("/caf%C3%A9%20au%20lait")]
    [InlineData("/.well-known/x")]
    [InlineData("/a/...")]
    [InlineData("/authors/1")]
    public void LocalPath_IsKept(string url) => Assert.Equal(url, ReturnUrl.OrDashboard(url, default));

    [Theory]
    // Texts that are not paths.
    [InlineData(null)]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("dashboard")]
    [InlineData("?x")]
    [InlineData("#x")]
    [InlineData("./dashboard")]
    [InlineData("../dashboard")]
    [InlineData("@evil.example")]
    // Another scheme.
    [InlineData("https://evil.example")]
    [InlineData("HTTPS://evil.example")]
    [InlineData("https:evil.example")]
    [InlineData("https:/evil.example")]
    [InlineData("https:///evil.example")]
    [InlineData("https:\\\\evil.example")]
    [InlineData("javascript:alert(1)")]
    [InlineData("java\nscript:alert(1)")]
    [InlineData("data:text/html,<script>alert(1)</script>")]
    [InlineData("file:///etc/passwd")]
    // Another host.
    [InlineData("/%61uth/signin/idp")]
    [InlineData("/a%75th/signout")]
    [InlineData("//evil.example")]
    [InlineData("///evil.example")]
    [InlineData("////evil.example")]
    [InlineData("//a@evil.example")]
    [InlineData("//evil.example:443/x")]
    [InlineData("//[::1]/x")]
    [InlineData("//%65vil.example")]
    [InlineData("/\\evil.example")]
    [InlineData("\\\\evil.example")]
    [InlineData("\\/evil.example")]
    [InlineData("/\\/evil.example")]
    [InlineData("/a\\b")]
    [InlineData("/?x=\\\\evil.example")]
    // Encoded, once or twice, whole or in part.
    [InlineData("%2f%2fevil.example")]
    [InlineData("/%2fevil.example")]
    [InlineData("/%2Fevil.example")]
    [InlineData("/%5cevil.example")]
    [InlineData("/%5Cevil.example")]
    [InlineData("/%252fevil.example")]
    [InlineData("/%255cevil.example")]
    [InlineData("/%09/evil.example")]
    [InlineData("/%0d%0aLocation:%20https://evil.example")]
    [InlineData("/%00")]
    [InlineData("/%7f")]
    [InlineData("/%")]
    [InlineData("/%2")]
    [InlineData("/%zz")]
    [InlineData("/%u2215evil.example")]
    // Characters that browsers strip before parsing.
    [InlineData(" //evil.example")]
    [InlineData("\t//evil.example")]
    [InlineData("/\t/evil.example")]
    [InlineData("/\n/evil.example")]
    [InlineData("/\r/evil.example")]
    [InlineData("/\0/evil.example")]
    [InlineData("\u0001//evil.example")]
    [InlineData("/ /evil.example")]
    [InlineData("/x\u007f")]
    [InlineData("/dashboard ")]
    // Characters that some browsers take for others.
    [InlineData("/\u2215evil.example")]
    [InlineData("/\uff0fevil.example")]
    [InlineData("\uff0f\uff0fevil.example")]
    [InlineData("/\u2044evil.example")]
    [InlineData("/\uff3cevil.example")]
    [InlineData("/\u00a0/evil.example")]
    [InlineData("/\u200b/evil.example")]
    [InlineData("/\u3002evil.example")]
    [InlineData("/\ud800")]
    [InlineData("/café")]
    // Dot segments.
    [InlineData("/.//evil.example")]
    [InlineData("/..//evil.example")]
    [InlineData("/a/..//evil.example")]
    [InlineData("/./x")]
    [InlineData("/../x")]
    [InlineData("/a/../../x")]
    [InlineData("/a/..")]
    [InlineData("/%2e%2e/x")]
    [InlineData("/%2e/x")]
    [InlineData("/.%2e//evil.example")]
    [InlineData("/a//b")]
    // Routes with effects.
    [InlineData("/auth/signin/google?link=true")]
    [InlineData("/AUTH/signout")]
    public void AnythingElse_IsTheDashboard(string? url) => Assert.Equal("/dashboard", ReturnUrl.OrDashboard(url, default));

    [Fact]
    public void VeryLong_IsTheDashboard()
    {
        Assert.NotEqual("/dashboard", ReturnUrl.OrDashboard("/" + new string('a', 2047), default));
        Assert.Equal("/dashboard", ReturnUrl.OrDashboard("/" + new string('a', 2048), default));
        Assert.Equal("/dashboard", ReturnUrl.OrDashboard("/" + new string('a', 1_000_000), default));
    }
}
