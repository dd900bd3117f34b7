using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Pulse.Web.Tests.Auth;

/// <summary>The back end that docs/front-end/tokens.md shows.</summary>
public sealed class BackEnd(HttpClient pulse, string signingKey)
{
    // The handler sets exp, iat and nbf.
    private static readonly JsonWebTokenHandler s_handler = new() { TokenLifetimeInMinutes = 10 };

    private readonly SigningCredentials _credentials =
        new(new SymmetricSecurityKey(Encoding.UTF8.GetBytes(signingKey)), SecurityAlgorithms.HmacSha256);

    /// <summary>A token for a user of this application, as its pages and its own calls to Pulse need it.</summary>
    public string IssueToken(string id, string email, string name) => s_handler.CreateToken(new SecurityTokenDescriptor
    {
        Issuer = "https://app.example.com",
        Audience = "pulse",
        Claims = new Dictionary<string, object> { ["sub"] = id, ["email"] = email, ["name"] = name },
        SigningCredentials = _credentials,
    });

    /// <summary>Creates or updates the Pulse user, when the application creates or changes its own.</summary>
    /// <returns>The id in Pulse, which presence, conversations and policies use. Keep it beside the user.</returns>
    public async Task<Guid> SyncAsync(string id, string email, string name, CancellationToken cancellationToken = default)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("/auth/sync", UriKind.Relative));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", IssueToken(id, email, name));
        using var answer = await pulse.SendAsync(request, cancellationToken);
        answer.EnsureSuccessStatusCode();
        return (await answer.Content.ReadFromJsonAsync<PulseUser>(cancellationToken))!.Id;
    }

    private sealed record PulseUser(Guid Id);
}
