using System.Security.Claims;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Tokens;

namespace Pulse.Web.Auth;

/// <summary>Checks access tokens: of requests, of connecting sockets, and of the hub's <c>Reauthenticate</c>.</summary>
internal sealed class TokenValidator(
    AccessTokenSchemes schemes, IOptionsMonitor<JwtBearerOptions> options, IOptions<AuthOptions> auth, CheckedTokens known, LiveSessions sessions)
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

    private static async ValueTask<bool> IsCurrentAsync(CheckedToken token)
    {
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
            if (!result.IsValid)
                failure = result.Exception;
            else if (Caller.TryRead(new ClaimsPrincipal(result.ClaimsIdentity), auth.Value.Issuer, out var caller))
                return (new(new ClaimsPrincipal(new CallerIdentity(caller)), caller, rules.ConfigurationManager, keys) { Length = token.Length }, null);
        }

        return (null, failure ?? new SecurityTokenValidationException("No handler took the token."));
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
