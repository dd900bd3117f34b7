using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;
using Pulse.Web.Audit;
using Pulse.Web.Auth;
using Pulse.Web.Http;

namespace Pulse.Web.Tokens;

/// <summary>Authenticates by an access token of any issuer, and writes the answer for a refused token.</summary>
/// <remarks>
/// One handler serves all issuers, because the framework creates a handler per request and scheme. <see cref="TokenValidator"/> finds the
/// issuer.
/// </remarks>
internal sealed class BearerHandler(
    TokenValidator tokens, HubTickets tickets, IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory loggers, UrlEncoder encoder)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
{
    /// <summary>The name of the scheme that accepts only tokens, and the type of its identities.</summary>
    public new const string Scheme = CallerIdentity.Scheme;

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        TokenValidation validation;
        if (HubTickets.Read(Request) is { } ticket) validation = await tickets.UseAsync(ticket, Request);
        else if (BearerToken.Read(Request) is { } token) validation = await tokens.ValidateAsync(token).WaitAsync(Context);
        else return AuthenticateResult.NoResult();

        return validation.Principal is { } principal
            ? AuthenticateResult.Success(new(principal, base.Scheme.Name))
            : AuthenticateResult.Fail(RefusedTokenException.For(validation.Failure!));
    }

    protected override async Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        var failure = (await HandleAuthenticateOnceSafeAsync()).Failure;
        if (failure is UnverifiableTokenException unknown)
        {
            await ProblemTypes.Unavailable.WriteAsync(Context, unknown.Advice);
            return;
        }

        if (failure is InvalidTicketException)
        {
            Context.Audit(AuditEvents.TokenRefused, reason: "ticket");
            Response.Headers[HeaderNames.WWWAuthenticate] = "Bearer";
            await ProblemTypes.TicketInvalid.WriteAsync(Context);
            return;
        }

        // RFC 6750 section 3.1: if the token is missing, the challenge omits the error.
        if (failure is not null) Context.Audit(AuditEvents.TokenRefused, reason: (failure as RefusedTokenException)?.Reason ?? TokenFailure.Reason(failure));
        var reason = failure?.Message;
        Response.Headers[HeaderNames.WWWAuthenticate] = reason is null ? "Bearer" : $"Bearer error=\"invalid_token\", error_description=\"{reason}\"";
        await (reason is null
            ? ProblemTypes.TokenMissing.WriteAsync(Context)
            : ProblemTypes.TokenInvalid.WriteAsync(Context, $"{reason} Get a new access token and retry."));
    }
}
