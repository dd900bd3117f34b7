using System.Text;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Tokens;
using Pulse.Silo.Clock;
using Pulse.Web.Auth;
using Pulse.Web.Keys;

namespace Pulse.Web.Tokens;

/// <summary>Configures a scheme for each issuer of <see cref="AuthOptions"/>, with the validation rules of its tokens.</summary>
internal sealed class ConfigureAccessTokens(
    IOptions<AuthOptions> auth, TokenKeys tokenKeys, IHostEnvironment environment, [FromKeyedServices(ClockSetup.WallClock)] TimeProvider wallClock, TimeProvider time)
    : IConfigureNamedOptions<JwtBearerOptions>, IPostConfigureOptions<JwtBearerOptions>
{
    private static readonly TimeSpan s_keyFetchTimeout = TimeSpan.FromSeconds(5);

    // RFC 8725 section 3.1: the token's own algorithm is untrusted. A shared secret is valid only for HS256. With published keys only
    // signatures are accepted, so that a public key can never serve as an HMAC secret.
    private static readonly string[] s_secretAlgorithms = [SecurityAlgorithms.HmacSha256];
    private static readonly string[] s_ownAlgorithms = [SecurityAlgorithms.HmacSha256, SecurityAlgorithms.EcdsaSha256];
    private static readonly string[] s_publicKeyAlgorithms =
    [
        SecurityAlgorithms.RsaSha256, SecurityAlgorithms.RsaSha384, SecurityAlgorithms.RsaSha512,
        SecurityAlgorithms.RsaSsaPssSha256, SecurityAlgorithms.RsaSsaPssSha384, SecurityAlgorithms.RsaSsaPssSha512,
        SecurityAlgorithms.EcdsaSha256, SecurityAlgorithms.EcdsaSha384, SecurityAlgorithms.EcdsaSha512,
    ];

    public void Configure(JwtBearerOptions options) => Configure(Options.DefaultName, options);

    public void Configure(string? name, JwtBearerOptions options)
    {
        var own = auth.Value;
        if (name == AccessTokenSchemes.Own)
            ApplyOwn(options, own);
        else if (name == AccessTokenSchemes.AuthJs)
            ApplyAuthJs(options, [.. own.TrustedIssuers.Where(issuer => issuer.IsAuthJs)]);
        else if (own.TrustedIssuers.FirstOrDefault(issuer => !issuer.IsAuthJs && AccessTokenSchemes.ForTrusted(issuer) == name) is { } trusted)
            Apply(options, trusted.Issuer, trusted.Audience, trusted.SigningKey, trusted.Authority);
    }

    public void PostConfigure(string? name, JwtBearerOptions options)
    {
        // Runs after the framework's own, which creates the backchannel and the metadata address of an issuer with an Authority.
        if (options.ConfigurationManager is null || options.MetadataAddress is null) return;

        var keys = new PublishedKeys(
            options.MetadataAddress, new HttpDocumentRetriever(options.Backchannel) { RequireHttps = options.RequireHttpsMetadata }, time)
        {
            // Otherwise the last known good keys would be accepted for an hour after their issuer withdrew them.
            UseLastKnownGoodConfiguration = false,
        };
        options.ConfigurationManager = keys;
        options.TokenValidationParameters.ConfigurationManager = keys;
    }

    // The token's algorithm selects the kind of key, and each kind is accepted only with its own algorithm.
    private void ApplyOwn(JwtBearerOptions options, AuthOptions own)
    {
        SecurityKey[] secrets = [.. own.AllSigningKeys.Select(secret => new SymmetricSecurityKey(Encoding.UTF8.GetBytes(secret)))];
        ApplyRules(options, new AccessTokenHandler(own.Issuer, isOwn: true, wallClock), new TokenValidationParameters
        {
            ValidIssuer = own.Issuer,
            ValidAudience = own.Audience,
            ValidAlgorithms = s_ownAlgorithms,
            IssuerSigningKeyResolver = (_, token, kid, _) => token is not JsonWebToken { Alg: SecurityAlgorithms.EcdsaSha256 } ? secrets
                : tokenKeys.Find(kid) is { } key ? [key]
                : [],
        });
    }

    private void Apply(JwtBearerOptions options, string issuer, string audience, string? secret, string? authority)
    {
        options.Authority = authority;
        options.RequireHttpsMetadata = !environment.IsDevelopment();
        options.BackchannelTimeout = s_keyFetchTimeout;
        ApplyRules(options, new AccessTokenHandler(issuer, isOwn: false, wallClock), new TokenValidationParameters
        {
            ValidIssuer = issuer,
            ValidAudience = audience,
            ValidAlgorithms = authority is null ? s_secretAlgorithms : s_publicKeyAlgorithms,
            IssuerSigningKey = secret is null ? null : new SymmetricSecurityKey(Encoding.UTF8.GetBytes(secret)),
        });
    }

    private void ApplyAuthJs(JwtBearerOptions options, TrustedIssuerOptions[] issuers) =>
        ApplyRules(options, new AuthJsTokenHandler([.. issuers.SelectMany(AuthJsKey.Of)], wallClock), new TokenValidationParameters
        {
            ValidIssuers = issuers.Select(issuer => issuer.Issuer),
            // Auth.js names no audience. A token under an application's key is for that application, and so for the Pulse that shares the
            // key.
            ValidateAudience = false,
        });

    private static void ApplyRules(JwtBearerOptions options, JsonWebTokenHandler handler, TokenValidationParameters rules)
    {
        handler.MapInboundClaims = false;
        handler.MaximumTokenSizeInBytes = AccessTokenHandler.MaxTokenLength;
        options.TokenHandlers.Clear();
        options.TokenHandlers.Add(handler);

        // RFC 7519 section 4.1: iss, aud, exp and nbf are all checked, and exp is required.
        rules.RequireExpirationTime = true;
        rules.RequireSignedTokens = true;
        rules.ClockSkew = AccessTokenHandler.MaxClockSkew;
        rules.NameClaimType = "name";
        options.TokenValidationParameters = rules;
    }
}
