using System.Text;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Tokens;

namespace Pulse.Web.Auth;

/// <summary>Gives each issuer of <see cref="AuthOptions"/> its scheme, and each scheme the rules that its tokens are checked by.</summary>
internal sealed class ConfigureAccessTokens(IOptions<AuthOptions> auth, LiveSessions sessions, IHostEnvironment environment)
    : IConfigureOptions<AuthenticationOptions>, IConfigureNamedOptions<JwtBearerOptions>, IPostConfigureOptions<JwtBearerOptions>
{
    // What clocks may differ by.
    private static readonly TimeSpan s_clockSkew = TimeSpan.FromSeconds(30);

    // How soon an unknown kid may make us fetch an issuer's keys again: anyone can invent kids.
    private static readonly TimeSpan s_keyRefreshInterval = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_keyFetchTimeout = TimeSpan.FromSeconds(5);

    // RFC 8725 section 3.1: what a token says of its algorithm is not trusted. A shared secret is for HS256 and nothing else; with published
    // keys only signatures count, so that a public key can never serve as an HMAC secret.
    private static readonly string[] s_secretAlgorithms = [SecurityAlgorithms.HmacSha256];
    private static readonly string[] s_publicKeyAlgorithms =
    [
        SecurityAlgorithms.RsaSha256, SecurityAlgorithms.RsaSha384, SecurityAlgorithms.RsaSha512,
        SecurityAlgorithms.RsaSsaPssSha256, SecurityAlgorithms.RsaSsaPssSha384, SecurityAlgorithms.RsaSsaPssSha512,
        SecurityAlgorithms.EcdsaSha256, SecurityAlgorithms.EcdsaSha384, SecurityAlgorithms.EcdsaSha512,
    ];

    public void Configure(AuthenticationOptions options)
    {
        foreach (var issuer in auth.Value.TrustedIssuers)
            options.AddScheme<JwtBearerHandler>(AccessTokenSchemes.ForTrusted(issuer), displayName: null);
    }

    public void Configure(JwtBearerOptions options) => Configure(Options.DefaultName, options);

    public void Configure(string? name, JwtBearerOptions options)
    {
        var own = auth.Value;
        if (name == AccessTokenSchemes.Own)
            Apply(options, own.Issuer, own.Audience, own.SigningKey, authority: null, isOwn: true);
        else if (own.TrustedIssuers.FirstOrDefault(issuer => AccessTokenSchemes.ForTrusted(issuer) == name) is { } trusted)
            Apply(options, trusted.Issuer, trusted.Audience, trusted.SigningKey, trusted.Authority, isOwn: false);
    }

    public void PostConfigure(string? name, JwtBearerOptions options)
    {
        // The last known good keys would go on being accepted for an hour after their issuer withdrew them.
        if (options.ConfigurationManager is BaseConfigurationManager keys) keys.UseLastKnownGoodConfiguration = false;
    }

    private void Apply(JwtBearerOptions options, string issuer, string audience, string? secret, string? authority, bool isOwn)
    {
        options.Authority = authority;
        options.RequireHttpsMetadata = !environment.IsDevelopment();
        options.RefreshInterval = s_keyRefreshInterval;
        options.BackchannelTimeout = s_keyFetchTimeout;
        options.EventsType = typeof(BearerEvents);
        options.TokenHandlers.Clear();
        options.TokenHandlers.Add(new AccessTokenHandler(issuer, isOwn ? sessions : null)
        {
            MapInboundClaims = false,
            MaximumTokenSizeInBytes = AccessTokenHandler.MaxTokenLength,
        });

        // RFC 7519 section 4.1: iss, aud, exp and nbf are all checked; exp must be there.
        options.TokenValidationParameters = new TokenValidationParameters
        {
            ValidIssuer = issuer,
            ValidAudience = audience,
            ValidAlgorithms = authority is null ? s_secretAlgorithms : s_publicKeyAlgorithms,
            IssuerSigningKey = secret is null ? null : new SymmetricSecurityKey(Encoding.UTF8.GetBytes(secret)),
            RequireExpirationTime = true,
            RequireSignedTokens = true,
            ClockSkew = s_clockSkew,
            NameClaimType = "name",
        };
    }
}
