using System.Security.Claims;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Pulse.Web.Auth;
using Pulse.Web.Keys;

namespace Pulse.Web.Tokens;

/// <summary>Checks access tokens: of requests, of connecting sockets, and of the hub's <c>Reauthenticate</c>.</summary>
internal sealed class TokenValidator(
    AccessTokenSchemes schemes, IOptionsMonitor<JwtBearerOptions> options, IOptions<AuthOptions> auth, CheckedTokens known, LiveSessions sessions,
    TokenKeys tokenKeys)
{
    /// <summary>Checks signature, issuer, audience, times and session. Never throws because of what the token holds.</summary>
    public async Task<TokenValidation> ValidateAsync(string? token)
    {
        if (token is null or { Length: 0 or > AccessTokenHandler.MaxTokenLength }) return new(null, new SecurityTokenMalformedException("There is no token that could be read."));

        var key = CheckedTokens.Key.Of(token);
        if (known.Find(key) is not { } valid || !await IsCurrentAsync(valid))
        {
            (valid, var failure) = await CheckAsync(token);
            if (valid is null) return new(null, failure);
            known.Add(key, valid);
        }

        // Last, and every time: an ended session's tokens stop working at once. Nobody else's token is worth a question to a grain.
        return await sessions.FindFaultAsync(valid.Caller) is { } ended ? new(null, ended) : new(valid.Principal, null);
    }

    private async ValueTask<bool> IsCurrentAsync(CheckedToken token)
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

    private async Task<(CheckedToken? Valid, Exception? Failure)> CheckAsync(string token)
    {
        var scheme = options.Get(schemes.Select(token));
        var rules = scheme.TokenValidationParameters;
        BaseConfiguration? keys = null;
        if (rules.ConfigurationManager is { } source)
        {
            try
            {
                // Before the check: should the keys change meanwhile, the token is checked again at its next use.
                keys = await source.GetBaseConfigurationAsync(CancellationToken.None);
            }
            catch (InvalidOperationException exception)
            {
                // The framework would go on without keys and call the signature bad; but the token may be good, so say that we cannot know.
                return (null, new IssuerUnavailableException(rules.ValidIssuer, exception));
            }
        }

        // OpenID Connect Discovery 1.0 section 4.3: keys of a document that names another issuer are that issuer's.
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
                var checkedToken = new CheckedToken(
                    new ClaimsPrincipal(new CallerIdentity(caller)), caller, rules.ConfigurationManager, keys, OwnKeyId(result.SecurityToken)) { Length = token.Length };
                return (checkedToken, null);
            }
        }

        return (null, failure ?? new SecurityTokenValidationException("No handler took the token."));
    }

    // A thumbprint (RFC 7638) is SHA-256 in base64url: what is longer is no key of ours, and not worth a look.
    private string? OwnKeyId(SecurityToken? token) =>
        token is JsonWebToken { Alg: SecurityAlgorithms.EcdsaSha256, Kid.Length: > 0 and <= 43 } jwt && jwt.Issuer == auth.Value.Issuer ? jwt.Kid : null;
}

/// <summary>What became of a token's check.</summary>
/// <param name="Principal">Who the token speaks for; <see langword="null"/> when it was refused. Read it with <see cref="Caller"/>.</param>
/// <param name="Failure">Why it was refused; <see cref="TokenFailure.Describe"/> puts it into words for the caller.</param>
internal sealed record TokenValidation(ClaimsPrincipal? Principal, Exception? Failure)
{
    /// <summary>Whether the same token may pass later: its issuer's keys, or its session, could not be asked for.</summary>
    public bool MayRetry => Failure is UnverifiableTokenException;
}
