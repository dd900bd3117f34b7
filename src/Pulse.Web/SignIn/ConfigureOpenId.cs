using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;
using Pulse.Web.Sessions;
using Pulse.Web.Tokens;

namespace Pulse.Web.SignIn;

/// <summary>Gives each provider of <see cref="SignInOptions"/> its scheme: the authorization code flow with PKCE, as strict as the framework can be.</summary>
/// <remarks>
/// The framework makes state, nonce and PKCE verifier at random for each sign-in, and protects state with a key of its own for each scheme: one
/// provider's state is rubbish to another's callback. Two cookies bind both to the browser, and go when they are used.
/// </remarks>
internal sealed class ConfigureOpenId(IOptions<SignInOptions> providers, IHostEnvironment environment, TimeProvider time)
    : IConfigureOptions<AuthenticationOptions>, IConfigureNamedOptions<OpenIdConnectOptions>, IPostConfigureOptions<OpenIdConnectOptions>
{
    private static readonly TimeSpan s_clockSkew = TimeSpan.FromSeconds(30);

    // RFC 8725 section 3.1: only signatures by published keys; the client secret is no key, and "none" no algorithm.
    private static readonly string[] s_algorithms =
    [
        SecurityAlgorithms.RsaSha256, SecurityAlgorithms.RsaSha384, SecurityAlgorithms.RsaSha512,
        SecurityAlgorithms.RsaSsaPssSha256, SecurityAlgorithms.RsaSsaPssSha384, SecurityAlgorithms.RsaSsaPssSha512,
        SecurityAlgorithms.EcdsaSha256, SecurityAlgorithms.EcdsaSha384, SecurityAlgorithms.EcdsaSha512,
    ];

    /// <summary>Where that provider sends people back to.</summary>
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
        options.RemoteAuthenticationTimeout = SignInOptions.Patience;
        options.EventsType = typeof(OpenIdEvents);

        // RFC 9700 section 2.1.1: the code flow with PKCE. In the query, so that Lax cookies come along with the answer.
        options.ResponseType = OpenIdConnectResponseType.Code;
        options.ResponseMode = OpenIdConnectResponseMode.Query;
        options.UsePkce = true;
        options.Scope.Clear();
        foreach (var scope in (string[])["openid", "email", "profile"]) options.Scope.Add(scope);

        // The framework would answer at /signout-oidc and /signout-callback-oidc. Pulse offers no sign-out at the provider.
        options.RemoteSignOutPath = default;
        options.SignedOutCallbackPath = default;

        // Who it is is all that is wanted; the provider's tokens are dropped.
        options.SaveTokens = false;
        options.GetClaimsFromUserInfoEndpoint = provider.UserInfo;
        options.TokenHandler = new IdTokenHandler { MapInboundClaims = false };
        options.ClaimActions.Remove("email");
        options.ClaimActions.Add(new EmailOfUserInfo());
        options.ClaimActions.MapUniqueJsonKey("picture", "picture");

        // Never used: OpenIdEvents signs in. The framework insists on one.
        options.SignInScheme = SessionHandler.Scheme;
        options.DisableTelemetry = true;

        SignInCookies.Bind(options.CorrelationCookie, $"{SignInCookies.State}{name}.", environment);
        SignInCookies.Bind(options.NonceCookie, $"{SignInCookies.Nonce}{name}.", environment);
        options.ProtocolValidator.NonceLifetime = SignInOptions.Patience;

        // OpenID Connect Core 1.0 section 3.1.3.7: iss (the discovery document's), aud (ours), exp and the signature.
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
        // After the framework's own, which makes the backchannel and an address for the metadata.
        if (providers.Value.Find(name) is not { } provider) return;

        options.ConfigurationManager = new PublishedKeys(
            options.MetadataAddress!,
            new HttpDocumentRetriever(options.Backchannel) { RequireHttps = options.RequireHttpsMetadata },
            time,
            new OpenIdDiscoveryRules(provider.Authority!, options.RequireHttpsMetadata))
        {
            // Keys that the provider has withdrawn must not go on being accepted.
            UseLastKnownGoodConfiguration = false,
        };
    }
}
