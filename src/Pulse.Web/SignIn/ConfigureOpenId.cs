using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;
using Pulse.Web.Sessions;
using Pulse.Web.Tokens;

namespace Pulse.Web.SignIn;

/// <summary>
/// Configures a scheme for each provider of <see cref="OpenIdOptions"/>: the authorization code flow with PKCE, with the framework's
/// strictest rules.
/// </summary>
/// <remarks>
/// The framework creates random values of state, nonce and PKCE verifier for each sign-in, and protects the state with a separate key per
/// scheme, so that one provider's state is invalid at another's callback. Two cookies bind both to the browser and are deleted after use.
/// </remarks>
internal sealed class ConfigureOpenId(IOptions<OpenIdOptions> providers, IHostEnvironment environment, TimeProvider time)
    : IConfigureOptions<AuthenticationOptions>, IConfigureNamedOptions<OpenIdConnectOptions>, IPostConfigureOptions<OpenIdConnectOptions>
{
    private static readonly TimeSpan s_clockSkew = TimeSpan.FromSeconds(30);

    // RFC 8725 section 3.1: only signatures by published keys are accepted. The client secret and the algorithm "none" are refused.
    private static readonly string[] s_algorithms =
    [
        SecurityAlgorithms.RsaSha256, SecurityAlgorithms.RsaSha384, SecurityAlgorithms.RsaSha512,
        SecurityAlgorithms.RsaSsaPssSha256, SecurityAlgorithms.RsaSsaPssSha384, SecurityAlgorithms.RsaSsaPssSha512,
        SecurityAlgorithms.EcdsaSha256, SecurityAlgorithms.EcdsaSha384, SecurityAlgorithms.EcdsaSha512,
    ];

    /// <summary>The callback path of that provider.</summary>
    public static PathString CallbackPath(string provider) => $"/auth/callback/{provider}";

    public void Configure(AuthenticationOptions options)
    {
        foreach (var (name, _) in providers.Value.All) options.AddScheme<OpenIdConnectHandler>(name, displayName: null);
    }

    public void Configure(OpenIdConnectOptions options) => Configure(Options.DefaultName, options);

    public void Configure(string? name, OpenIdConnectOptions options)
    {
        if (providers.Value.Find(name) is not { } provider) return;

        options.Authority = provider.Authority;
        options.ClientId = provider.ClientId;
        options.ClientSecret = provider.ClientSecret;
        options.CallbackPath = CallbackPath(name!);
        options.RequireHttpsMetadata = !environment.IsDevelopment();
        options.BackchannelTimeout = OpenIdAvailability.Timeout;
        options.RemoteAuthenticationTimeout = OpenIdOptions.SignInTimeout;
        options.EventsType = typeof(OpenIdEvents);

        // RFC 9700 section 2.1.1: the code flow with PKCE. The answer is in the query, so that browsers send Lax cookies with it.
        options.ResponseType = OpenIdConnectResponseType.Code;
        options.ResponseMode = OpenIdConnectResponseMode.Query;
        options.UsePkce = true;
        options.Scope.Clear();
        foreach (var scope in (string[])["openid", "email", "profile"]) options.Scope.Add(scope);

        // The framework would answer at /signout-oidc and /signout-callback-oidc. Pulse lacks a sign-out at the provider.
        options.RemoteSignOutPath = default;
        options.SignedOutCallbackPath = default;

        // Pulse needs only the identity, so the provider's tokens are dropped.
        options.SaveTokens = false;
        options.GetClaimsFromUserInfoEndpoint = provider.UserInfo;
        options.TokenHandler = new IdTokenHandler { MapInboundClaims = false };
        options.ClaimActions.Remove("email");
        options.ClaimActions.Add(new EmailOfUserInfo());
        options.ClaimActions.MapUniqueJsonKey("picture", "picture");

        // Unused, because OpenIdEvents signs in. The framework requires a value.
        options.SignInScheme = SessionHandler.Scheme;
        options.DisableTelemetry = true;

        SignInCookies.Bind(options.CorrelationCookie, $"{SignInCookies.State}{name}.", environment);
        SignInCookies.Bind(options.NonceCookie, $"{SignInCookies.Nonce}{name}.", environment);
        options.ProtocolValidator.NonceLifetime = OpenIdOptions.SignInTimeout;

        // OpenID Connect Core 1.0 section 3.1.3.7: iss (the discovery document's), aud (Pulse's), exp and the signature.
        options.TokenValidationParameters = new TokenValidationParameters
        {
            ValidAudience = provider.ClientId,
            ValidAlgorithms = s_algorithms,
            RequireExpirationTime = true,
            RequireSignedTokens = true,
            ClockSkew = s_clockSkew,
            NameClaimType = "name",
        };
        if (TenantIssuer.IsFor(provider.Authority)) TenantIssuer.Check(options.TokenValidationParameters);
    }

    public void PostConfigure(string? name, OpenIdConnectOptions options)
    {
        // Runs after the framework's own, which creates the backchannel and the metadata address.
        if (providers.Value.Find(name) is not { } provider) return;

        options.ConfigurationManager = new PublishedKeys(
            options.MetadataAddress!,
            new HttpDocumentRetriever(options.Backchannel) { RequireHttps = options.RequireHttpsMetadata },
            time,
            new OpenIdDiscoveryRules(provider.Authority!, options.RequireHttpsMetadata))
        {
            // Otherwise keys that the provider has withdrawn would still be accepted.
            UseLastKnownGoodConfiguration = false,
        };
    }
}
