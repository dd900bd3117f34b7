using System.Security.Cryptography;
using BenchmarkDotNet.Attributes;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Pulse.Web.Keys;
using Pulse.Web.Tokens;

namespace Pulse.Benchmarks;

/// <summary>
/// A token that is new to a front end: the cost of its check under a secret (HS256) and under a token key (ES256), and of making one.
/// </summary>
/// <remarks>Each token is checked once per front end. <see cref="ValidatedTokenCacheBenchmarks"/> measures every later request.</remarks>
[MemoryDiagnoser]
public class FreshTokenBenchmarks
{
    private static readonly JsonWebTokenHandler s_maker = new() { SetDefaultTimesOnTokenCreation = false };

    private readonly AccessTokenHandler _handler = new("pulse", isOwn: true) { MapInboundClaims = false };
    private readonly SigningCredentials _secret = new(new SymmetricSecurityKey(RandomNumberGenerator.GetBytes(48)), SecurityAlgorithms.HmacSha256);
    private readonly SigningCredentials _pair = TokenKey.Create(DateTimeOffset.UtcNow, DateTimeOffset.UtcNow).Credentials;
    private string _hs256 = "";
    private string _es256 = "";

    [GlobalSetup]
    public void Make() => (_hs256, _es256) = (IssueHs256(), IssueEs256());

    [Benchmark(Baseline = true)]
    public Task<TokenValidationResult> CheckHs256() => _handler.ValidateTokenAsync(_hs256, Rules(_secret, SecurityAlgorithms.HmacSha256));

    [Benchmark]
    public Task<TokenValidationResult> CheckEs256() => _handler.ValidateTokenAsync(_es256, Rules(_pair, SecurityAlgorithms.EcdsaSha256));

    [Benchmark]
    public string IssueHs256() => Issue(_secret);

    [Benchmark]
    public string IssueEs256() => Issue(_pair);

    private static string Issue(SigningCredentials credentials) => s_maker.CreateToken(new SecurityTokenDescriptor
    {
        Issuer = "pulse",
        Audience = "pulse",
        Expires = DateTime.MaxValue.AddYears(-7000),
        Claims = new Dictionary<string, object>
        {
            ["sub"] = "0198c7a2-0000-7000-8000-000000000001", ["sid"] = "0198c7a2-0000-7000-8000-000000000002", ["email"] = "ada@example.com", ["email_verified"] = true,
        },
        SigningCredentials = credentials,
    });

    private static TokenValidationParameters Rules(SigningCredentials credentials, string algorithm) => new()
    {
        ValidIssuer = "pulse",
        ValidAudience = "pulse",
        ValidAlgorithms = [algorithm],
        IssuerSigningKeyResolver = (_, _, _, _) => [credentials.Key],
    };
}
