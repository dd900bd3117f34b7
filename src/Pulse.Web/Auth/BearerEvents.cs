using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Net.Http.Headers;
using Pulse.Web.Http;

namespace Pulse.Web.Auth;

/// <summary>Finds the token of a request, and answers those whose token will not do.</summary>
internal sealed class BearerEvents : JwtBearerEvents
{
    public override Task MessageReceived(MessageReceivedContext context)
    {
        context.Token = BearerToken.Read(context.Request);
        return Task.CompletedTask;
    }

    public override Task Challenge(JwtBearerChallengeContext context)
    {
        context.HandleResponse();
        if (context.AuthenticateFailure is UnverifiableTokenException unknown)
            return ProblemTypes.Unavailable.WriteAsync(context.HttpContext, unknown.Advice);

        // RFC 6750 section 3.1: without a token the challenge carries no error.
        var reason = context.AuthenticateFailure is { } failure ? TokenFailure.Describe(failure) : null;
        context.Response.Headers[HeaderNames.WWWAuthenticate] =
            reason is null ? "Bearer" : $"Bearer error=\"invalid_token\", error_description=\"{reason}\"";
        return reason is null
            ? ProblemTypes.TokenMissing.WriteAsync(context.HttpContext)
            : ProblemTypes.TokenInvalid.WriteAsync(context.HttpContext, $"{reason} Get a new access token and try again.");
    }
}
