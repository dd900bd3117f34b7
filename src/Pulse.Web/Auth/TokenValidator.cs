using System.Security.Claims;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Tokens;

namespace Pulse.Web.Auth;

/// <summary>Checks an access token outside a request's authentication, by the very same options and handlers: for the hub's <c>Reauthenticate</c>.</summary>
internal sealed class TokenValidator(AccessTokenSchemes schemes, IOptionsMonitor<JwtBearerOptions> options)
{
    /// <summary>Checks signature, issuer, audience and times. Never throws because of what the token holds.</summary>
    public async Task<TokenValidation> ValidateAsync(string? token)
    {
        if (string.IsNullOrEmpty(token)) return new(null, new SecurityTokenMalformedException("There is no token."));

        var scheme = options.Get(schemes.Select(token));
        var parameters = scheme.TokenValidationParameters.Clone();
        parameters.ConfigurationManager = scheme.ConfigurationManager as BaseConfigurationManager;

        Exception? failure = null;
        foreach (var handler in scheme.TokenHandlers)
        {
            var result = await handler.ValidateTokenAsync(token, parameters);
            if (result.IsValid) return new(new ClaimsPrincipal(result.ClaimsIdentity), null);
            failure = result.Exception;
        }

        return new(null, failure ?? new SecurityTokenValidationException("No handler took the token."));
    }
}

/// <summary>What became of a token's check.</summary>
/// <param name="Principal">Who the token speaks for; <see langword="null"/> when it was refused. Read it with <see cref="Caller"/>.</param>
/// <param name="Failure">Why it was refused; <see cref="TokenFailure.Describe"/> puts it into words for the caller.</param>
internal sealed record TokenValidation(ClaimsPrincipal? Principal, Exception? Failure)
{
    /// <summary>Whether the same token may pass later: its issuer's keys, or its session, could not be asked for.</summary>
    public bool MayRetry => Failure is UnverifiableTokenException;
}
