using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Internal;
using Pulse.Web.Mail;
using Pulse.Web.SignIn;

namespace Pulse.Web.Tests.SignIn;

/// <summary>Settings that must not be started with, and the words that say which.</summary>
public sealed class SignInOptionsTests
{
    [Theory]
    [InlineData("Development", "", "Google:ClientId=a", "Google:ClientSecret=b")]
    [InlineData("Production", "", "Google:ClientId=a", "Google:ClientSecret=b")]
    [InlineData("Production", "")]
    [InlineData("Production", "Google:ClientSecret", "Google:ClientId=a")]
    [InlineData("Production", "Google:ClientId", "Google:ClientSecret=b")]
    [InlineData("Development", "", "Google:ClientId=a", "Google:ClientSecret=b", "Google:Authority=http://localhost:1")]
    [InlineData("Production", "Google:Authority must be https", "Google:ClientId=a", "Google:ClientSecret=b", "Google:Authority=http://localhost:1")]
    [InlineData("Production", "Google:Authority", "Google:ClientId=a", "Google:ClientSecret=b", "Google:Authority=accounts.google.com")]
    [InlineData("Production", "", "Providers:git-lab:ClientId=a", "Providers:git-lab:ClientSecret=b", "Providers:git-lab:Authority=https://gitlab.example")]
    [InlineData("Production", "Providers:lab:Authority", "Providers:lab:ClientId=a", "Providers:lab:ClientSecret=b")]
    [InlineData("Production", "Providers:lab:ClientSecret", "Providers:lab:ClientId=a", "Providers:lab:Authority=https://gitlab.example")]
    [InlineData("Production", "Providers:lab:ClientId", "Providers:lab:DisplayName=Lab", "Providers:lab:Authority=https://gitlab.example")]
    [InlineData("Production", "Providers:e mail", "Providers:e mail:ClientId=a", "Providers:e mail:ClientSecret=b", "Providers:e mail:Authority=https://x.example")]
    [InlineData("Production", "Providers:EMAIL: that name is taken", "Providers:EMAIL:ClientId=a", "Providers:EMAIL:ClientSecret=b", "Providers:EMAIL:Authority=https://x.example")]
    [InlineData("Production", "Providers:google: that name is taken", "Providers:google:ClientId=a", "Providers:google:ClientSecret=b", "Providers:google:Authority=https://x.example")]
    public void Providers(string environment, string fault, params string[] settings)
    {
        var options = Configuration(settings).Get<SignInOptions>() ?? new();
        AssertFault(fault, new SignInOptionsValidator(Environment(environment)).Validate(null, options).FailureMessage);
    }

    [Theory]
    [InlineData("Production", "")]
    [InlineData("Development", "", "Host=mail.example", "From=pulse@example.com")]
    [InlineData("Production", "PublicUrl is not set", "Host=mail.example", "From=pulse@example.com")]
    [InlineData("Production", "", "Host=mail.example", "From=pulse@example.com", "PublicUrl=https://pulse.example")]
    [InlineData("Production", "PublicUrl", "Host=mail.example", "From=pulse@example.com", "PublicUrl=http://pulse.example")]
    [InlineData("Production", "PublicUrl", "Host=mail.example", "From=pulse@example.com", "PublicUrl=https://pulse.example/path")]
    [InlineData("Development", "From", "Host=mail.example")]
    [InlineData("Development", "From", "Host=mail.example", "From=nobody")]
    [InlineData("Development", "Host is not set", "From=pulse@example.com")]
    [InlineData("Development", "Password is not set", "Host=mail.example", "From=pulse@example.com", "User=pulse")]
    [InlineData("Development", "User is not set", "Host=mail.example", "From=pulse@example.com", "Password=p")]
    [InlineData("Development", "Port", "Host=mail.example", "From=pulse@example.com", "Port=0")]
    [InlineData("Development", "Timeout", "Timeout=00:00:00")]
    [InlineData("Production", "in clear", "Host=mail.example", "From=pulse@example.com", "PublicUrl=https://p.example", "User=u", "Password=p", "Security=None")]
    public void Mail(string environment, string fault, params string[] settings)
    {
        var configuration = Configuration(settings);
        var options = configuration.Get<MailOptions>() ?? new();
        AssertFault(fault, new MailOptionsValidator(Environment(environment), configuration).Validate(null, options).FailureMessage);
    }

    private static void AssertFault(string expected, string? actual)
    {
        if (expected.Length == 0) Assert.Null(actual);
        else Assert.Contains(expected, actual, StringComparison.Ordinal);
    }

    private static IConfigurationRoot Configuration(string[] settings) => new ConfigurationBuilder()
        .AddInMemoryCollection(settings.Select(setting => setting.Split('=', 2)).Select(pair => KeyValuePair.Create(pair[0], (string?)pair[1])))
        .Build();

    private static HostingEnvironment Environment(string name) => new() { EnvironmentName = name };
}
