using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Pulse.Web.Audit;
using Pulse.Web.Http;

namespace Pulse.Web.SignIn;

/// <summary>Handles a browser that returns from a provider. The framework has already checked state, nonce and ID token.</summary>
internal sealed partial class OpenIdEvents(
    SignInCompletion completion, SignInProviders providers, TimeProvider time, ILogger<OpenIdEvents> logger) : OpenIdConnectEvents
{
    /// <summary>The parameter of a challenge that asks the person which account to use.</summary>
    public const string ChooseAccount = "pulse.choose-account";

    // OpenID Connect Core 1.0 section 3.1.2.1.
    private const string SelectAccount = "select_account";

    /// <summary>Called before the redirect to the provider.</summary>
    public override async Task RedirectToIdentityProvider(RedirectContext context)
    {
        SignInCookies.MakeRoom(context.HttpContext, context.Options);
        context.ProtocolMessage.LoginHint = context.Properties.GetParameter<string>(OpenIdConnectParameterNames.LoginHint);

        // A provider that does not support the value answers with an error. Google supports it, although it publishes no list.
        if (context.Properties.GetParameter<bool>(ChooseAccount) && (context.Scheme.Name == OpenIdOptions.GoogleName || await ListsSelectAccountAsync()))
            context.ProtocolMessage.Prompt = SelectAccount;

        async Task<bool> ListsSelectAccountAsync() =>
            (await context.Options.ConfigurationManager!.GetConfigurationAsync(context.HttpContext.RequestAborted)).PromptValuesSupported.Contains(SelectAccount);
    }

    /// <summary>Called first, with the decrypted state, which is not yet compared with the browser's cookie.</summary>
    public override Task MessageReceived(MessageReceivedContext context)
    {
        // The cookies expire in the browser. This check makes the expiry independent of the browser.
        if (context.Properties is { } state && !(state.ExpiresUtc > time.GetUtcNow()))
            context.Fail(new AuthenticationFailureException("The sign-in has taken too long."));
        return Task.CompletedTask;
    }

    /// <summary>Called next for an answer with a code. Checks the sender.</summary>
    public override async Task AuthorizationCodeReceived(AuthorizationCodeReceivedContext context)
    {
        var discovered = await context.Options.ConfigurationManager!.GetConfigurationAsync(context.HttpContext.RequestAborted);

        // RFC 9207 section 2.4: an answer that names its issuer must name the requested one. It must name one if the provider declares that
        // it always does.
        var isPromised = discovered.AuthorizationResponseIssParameterSupported;
        var issuer = context.ProtocolMessage.Iss;
        // The issuer of an authority that serves many tenants is known once the ID token names the tenant.
        if (issuer is null ? isPromised : !string.Equals(issuer, discovered.Issuer, StringComparison.Ordinal) && !TenantIssuer.IsTemplate(discovered.Issuer))
            context.Fail(new OpenIdConnectProtocolException("The answer is another issuer's."));
    }

    /// <summary>Called last, when the identity is proven.</summary>
    public override async Task TicketReceived(TicketReceivedContext context)
    {
        context.HandleResponse();
        var (provider, state, returnUrl) = (context.Scheme.Name, context.Properties, context.ReturnUri);
        await (await CompleteAsync()).ExecuteAsync(context.HttpContext);

        async Task<IResult> CompleteAsync()
        {
            var options = (OpenIdConnectOptions)context.Options;
            var discovered = await options.ConfigurationManager!.GetConfigurationAsync(context.HttpContext.RequestAborted);
            var who = TenantIssuer.IsTemplate(discovered.Issuer)
                ? ExternalIdentity.FromTenant(provider, context.Principal!)
                : ExternalIdentity.FromClaims(provider, providers.JoinsByEmail(provider), context.Principal!);
            if (who is null)
            {
                context.HttpContext.Audit(AuditEvents.SignInRefused, provider: provider, reason: "not-accepted");
                return SignInErrors.NotAccepted(providers.DisplayName(provider));
            }

            try
            {
                if (LinkIntent.Read(state) is { } intent) return await completion.LinkAsync(context.HttpContext, who, intent, returnUrl);

                // The person has signed in meanwhile in another tab.
                if (await completion.CurrentAsync(context.HttpContext) is { } current && !SignInConsent.Covers(state, current)
                    && await completion.IsSomebodyElseAsync(context.HttpContext, who))
                {
                    context.HttpContext.Audit(AuditEvents.SignInRefused, provider: provider, reason: "signed-in-meanwhile");
                    return SignInErrors.SignedInMeanwhile();
                }

                return await completion.SignInAsync(context.HttpContext, who, returnUrl);
            }
            catch (Exception exception) when (TransientErrors.IsTransient(exception))
            {
                LogUnavailable(provider, exception.GetType().Name);
                return SignInErrors.TryAgain();
            }
        }
    }

    /// <summary>Called if the person or the provider has refused.</summary>
    public override Task AccessDenied(AccessDeniedContext context)
    {
        context.HandleResponse();
        context.HttpContext.Audit(AuditEvents.SignInFailed, provider: context.Scheme.Name, reason: "cancelled");
        return SignInErrors.Cancelled(providers.DisplayName(context.Scheme.Name)).ExecuteAsync(context.HttpContext);
    }

    /// <summary>Called for any other failure.</summary>
    public override Task RemoteFailure(RemoteFailureContext context)
    {
        context.HandleResponse();
        var provider = providers.DisplayName(context.Scheme.Name);

        // Only the kind of the error, because messages quote the input, which an attacker can choose.
        var cause = Cause(context.Failure);
        var reason = cause?.GetType().Name ?? "unknown";
        LogFailed(context.Scheme.Name, reason);
        context.HttpContext.Audit(AuditEvents.SignInFailed, provider: context.Scheme.Name, reason: reason);
        return (cause switch
        {
            HttpRequestException or IOException or OperationCanceledException or TimeoutException => SignInErrors.Unavailable(provider),
            // The discovery document could not be read.
            InvalidOperationException => SignInErrors.Unavailable(provider),
            // The framework's exception for errors of state and correlation.
            AuthenticationFailureException or null => SignInErrors.NotThisBrowser(provider),
            _ => SignInErrors.NotAccepted(provider),
        }).ExecuteAsync(context.HttpContext);
    }

    // The framework wraps the exceptions of its backchannel.
    private static Exception? Cause(Exception? failure) =>
        failure is AuthenticationFailureException { InnerException: { } inner } ? Cause(inner) : failure;

    [LoggerMessage(2510, LogLevel.Information, "A sign-in with {Provider} failed: {Cause}")]
    private partial void LogFailed(string provider, string cause);

    [LoggerMessage(2511, LogLevel.Warning, "A sign-in with {Provider} could not be finished: {Exception}")]
    private partial void LogUnavailable(string provider, string exception);
}
