using System.Security.Claims;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Pulse.Web.Auth;
using Pulse.Web.Keys;

namespace Pulse.Web.Tokens;

/// <summary>Validates access tokens of requests, of connecting sockets, and of the hub's <c>Reauthenticate</c>.</summary>
internal sealed class TokenValidator(
    AccessTokenSchemes schemes, IOptionsMonitor<JwtBearerOptions> options, IOptions<AuthOptions> auth, ValidatedTokenCache known, SessionLivenessCheck sessions,
    TokenKeys tokenKeys)
{
    /// <summary>Checks signature, issuer, audience, times and session. Malformed input never causes an exception.</summary>
    public async Task<TokenValidation> ValidateAsync(string? token)
    {
        if (token is null or { Length: 0 or > AccessTokenHandler.MaxTokenLength }) return new(null, new SecurityTokenMalformedException("The token is missing or too long."));

        var key = ValidatedTokenCache.Key.Of(token);
        if (known.Find(key) is not { } valid || !await IsCurrentAsync(valid))
        {
            (valid, var failure) = await CheckAsync(token);
            if (valid is null) return new(null, failure);
            known.Add(key, valid);
        }

        // The session check is the last one and runs every time, so that an ended session's tokens stop working at once. Only valid tokens
        // are worth a grain call.
        return await sessions.ValidateAsync(valid.Caller) is { } ended ? new(null, ended) : new(valid.Principal, null);
    }

    private async ValueTask<bool> IsCurrentAsync(ValidatedToken token)
    {
        if (token.OwnKeyId is { } id) return tokenKeys.Find(id) is not null;
        if (token.KeySource is null) return true;
        try
        {
            return ReferenceEquals(await token.KeySource.GetBaseConfigurationAsync(CancellationToken.None), token.Keys);
        }
        catch (InvalidOperationException)
        {
            return false; // Without keys nothing passes: the full check says so.
        }
    }

    private async Task<(ValidatedToken? Valid, Exception? Failure)> CheckAsync(string token)
    {
        var scheme = options.Get(schemes.Select(token));
        var rules = scheme.TokenValidationParameters;
        BaseConfiguration? keys = null;
        if (rules.ConfigurationManager is { } source)
        {
            try
            {
                // Read before the validation. If the keys change meanwhile, the token is validated again at its next use.
                keys = await source.GetBaseConfigurationAsync(CancellationToken.None);
            }
            catch (InvalidOperationException exception)
            {
                // The framework would continue without keys and report a bad signature. But the token may be valid, so the failure says
                // that it cannot be checked.
                return (null, new IssuerUnavailableException(rules.ValidIssuer, exception));
            }
        }

        // OpenID Connect Discovery 1.0 section 4.3: the keys of a document that names another issuer belong to that issuer.
        if (keys is not null && !string.Equals(keys.Issuer?.TrimEnd('/'), rules.ValidIssuer.TrimEnd('/'), StringComparison.Ordinal))
            return (null, new IssuerUnavailableException(rules.ValidIssuer, new InvalidOperationException("Its discovery document is another issuer's.")));

        Exception? failure = null;
        foreach (var handler in scheme.TokenHandlers)
        {
            var result = await handler.ValidateTokenAsync(token, rules);
            // Another front end may have begun to sign with a key that this one has not read yet.
            if (result.Exception is SecurityTokenSignatureKeyNotFoundException && OwnKeyId(AccessTokenHandler.Read(token)) is { } id)
            {
                var isAccepted = await tokenKeys.LookForAsync(id);
                if (isAccepted is null) return (null, new IssuerUnavailableException(auth.Value.Issuer, result.Exception));
                if (isAccepted is true) result = await handler.ValidateTokenAsync(token, rules);
            }

            if (!result.IsValid)
                failure = result.Exception;
            else if (Caller.TryRead(new ClaimsPrincipal(result.ClaimsIdentity), auth.Value.Issuer, out var caller))
            {
                var checkedToken = new ValidatedToken(
                    new ClaimsPrincipal(new CallerIdentity(caller)), caller, rules.ConfigurationManager, keys, OwnKeyId(result.SecurityToken)) { Length = token.Length };
                return (checkedToken, null);
            }
        }

        return (null, failure ?? new SecurityTokenValidationException("No handler accepted the token."));
    }

    // A thumbprint (RFC 7638) is SHA-256 in base64url, so a longer id cannot be Pulse's and needs no lookup.
    private string? OwnKeyId(SecurityToken? token) =>
        token is JsonWebToken { Alg: SecurityAlgorithms.EcdsaSha256, Kid.Length: > 0 and <= 43 } jwt && jwt.Issuer == auth.Value.Issuer ? jwt.Kid : null;
}

/// <summary>Outcome of a token's validation.</summary>
/// <param name="Principal">The token's principal. <see langword="null"/> if the token was refused. Read it with
/// <see cref="Caller"/>.</param>
/// <param name="Failure">The reason for a refusal. <see cref="TokenFailure.Describe"/> translates it for the caller.</param>
internal sealed record TokenValidation(ClaimsPrincipal? Principal, Exception? Failure)
{
    /// <summary>Whether the same token may be accepted later, because its issuer's keys or its session could not be read.</summary>
    public bool MayRetry => Failure is UnverifiableTokenException;
}
