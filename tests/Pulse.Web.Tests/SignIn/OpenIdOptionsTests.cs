using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Options;
using Pulse.Web.Http;
using Pulse.Web.Mail;
using Pulse.Web.SignIn;

namespace Pulse.Web.Tests.SignIn;

/// <summary>Settings that must end the start, and the words that name them.</summary>
public sealed class OpenIdOptionsTests
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
        var options = Configuration(settings).Get<OpenIdOptions>() ?? new();
        AssertFault(fault, new OpenIdOptionsValidator(Environment(environment)).Validate(null, options).FailureMessage);
    }

    [Theory]
    [InlineData("Production", "")]
    [InlineData("Development", "", "Host=mail.example", "From=pulse@example.com")]
    [InlineData("Development", "From", "Host=mail.example")]
    [InlineData("Development", "From", "Host=mail.example", "From=nobody")]
    [InlineData("Development", "Host is not set", "From=pulse@example.com")]
    [InlineData("Development", "Password is not set", "Host=mail.example", "From=pulse@example.com", "User=pulse")]
    [InlineData("Development", "User is not set", "Host=mail.example", "From=pulse@example.com", "Password=p")]
    [InlineData("Development", "Port", "Host=mail.example", "From=pulse@example.com", "Port=0")]
    [InlineData("Development", "Timeout", "Timeout=00:00:00")]
    [InlineData("Production", "in clear", "Host=mail.example", "From=pulse@example.com", "User=u", "Password=p", "Security=None")]
    public void Mail(string environment, string fault, params string[] settings)
    {
        var options = Configuration(settings).Get<MailOptions>() ?? new();
        AssertFault(fault, new MailOptionsValidator(Environment(environment)).Validate(null, options).FailureMessage);
    }

    [Theory]
    [InlineData("Production", "")]
    [InlineData("Development", "", "Pulse:Mail:Host=mail.example")]
    [InlineData("Production", "Pulse:PublicUrl is not set", "Pulse:Mail:Host=mail.example")]
    [InlineData("Production", "Pulse:PublicUrl is not set", "Pulse:Mail:Host=mail.example", "AllowedHosts=pulse.example.com;localhost")]
    [InlineData("Production", "Pulse:PublicUrl is not set", "Pulse:Mail:Host=mail.example", "AllowedHosts=*.example.com")]
    [InlineData("Production", "Pulse:PublicUrl is not set", "Pulse:Auth:Google:ClientId=a", "Pulse:Auth:Google:ClientSecret=b")]
    [InlineData("Production", "Pulse:PublicUrl is not set", "Pulse:Auth:Providers:lab:ClientId=a", "Pulse:Auth:Providers:lab:Authority=https://x.example")]
    [InlineData("Production", "", "Pulse:Mail:Host=mail.example", "Pulse:PublicUrl=https://pulse.example")]
    [InlineData("Production", "", "Pulse:Mail:Host=mail.example", "Pulse:Mail:PublicUrl=https://pulse.example")]
    [InlineData("Production", "", "Pulse:Mail:Host=mail.example", "Pulse:PublicUrl=https://pulse.example:8443")]
    [InlineData("Production", "https outside Development", "Pulse:PublicUrl=http://pulse.example")]
    [InlineData("Production", "without a path", "Pulse:PublicUrl=https://pulse.example/path")]
    [InlineData("Production", "without a path", "Pulse:PublicUrl=https://ada@pulse.example")]
    [InlineData("Production", "without a path", "Pulse:PublicUrl=pulse.example")]
    [InlineData("Development", "", "Pulse:PublicUrl=http://pulse.test:5080")]
    [InlineData("Production", "", "Pulse:Mail:Host=mail-catcher", "Pulse:PublicUrl=http://localhost:8080")]
    public void PublicUrl(string environment, string fault, params string[] settings)
    {
        var builder = new HostApplicationBuilder(new HostApplicationBuilderSettings { EnvironmentName = environment, DisableDefaults = true });
        builder.Configuration.AddConfiguration(Configuration(settings));
        builder.AddSite();
        builder.Services.AddOptions<OpenIdOptions>().BindConfiguration(OpenIdOptions.SectionName);
        builder.Services.AddOptions<MailOptions>().BindConfiguration(MailOptions.SectionName);
        builder.Services.AddSingleton<IValidateOptions<SiteOptions>, PublicUrlRequirement>();
        using var host = builder.Build();

        AssertFault(fault, Record.Exception(() => host.Services.GetRequiredService<IOptions<SiteOptions>>().Value)?.Message);
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
