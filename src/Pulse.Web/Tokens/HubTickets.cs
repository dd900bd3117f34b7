using System.Globalization;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Tokens;
using Orleans.Metadata;
using Pulse.Identity;
using Pulse.Silo.Clock;
using Pulse.Web.Auth;
using Pulse.Web.Http;
using Pulse.Web.Silos;

namespace Pulse.Web.Tokens;

/// <summary>Answer of <c>POST /auth/hub-ticket</c>.</summary>
/// <param name="Value">The ticket, for the <c>ticket</c> parameter of the hub's address.</param>
/// <param name="ExpiresAt">When it expires, UTC.</param>
internal sealed record HubTicket(
    [property: JsonPropertyName("ticket")] string Value,
    [property: JsonConverter(typeof(UtcTimeConverter))] DateTimeOffset ExpiresAt);

/// <summary>Tickets that open one hub connection each, so that URLs, which are logged, contain no access token.</summary>
/// <remarks>
/// A ticket contains its caller, encrypted under the key ring, so that any front end can read it and its issue stores nothing. The user's
/// <see cref="IHubTicketsGrain"/> remembers used tickets in memory, because connecting must work without the database. If that silo dies, a
/// used ticket can be used once more within its 60 s. Refusing all tickets from before the crash would refuse the clients that reconnect
/// because of it.
/// </remarks>
internal sealed class HubTickets : IDisposable
{
    /// <summary>Time for which a ticket is accepted.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(60);

    // A polling client sends a request at least this often. The end of a connection is detected independently.
    private static readonly TimeSpan s_rememberedFor = TimeSpan.FromMinutes(2);

    private const string Parameter = "ticket";
    private const int MaxLength = 4 * 1024;
    private const byte Version = 1;

    private readonly IDataProtector _protector;
    private readonly GrainReferences<IHubTicketsGrain> _grains;
    private readonly SessionLivenessCheck _sessions;
    private readonly AuthOptions _options;
    private readonly TimeProvider _time;
    private readonly IServiceProvider _services;

    // The callers of connections that were negotiated here, because their further requests carry the same ticket.
    private readonly MemoryCache _negotiated = new(new MemoryCacheOptions());

    public HubTickets(
        IDataProtectionProvider protection, GrainReferences<IHubTicketsGrain> grains, SessionLivenessCheck sessions, IOptions<AuthOptions> options,
        [FromKeyedServices(ClockSetup.WallClock)] TimeProvider time, IServiceProvider services)
    {
        _protector = protection.CreateProtector("pulse/hub-ticket/v1");
        (_grains, _sessions, _options, _time, _services) = (grains, sessions, options.Value, time, services);
    }

    /// <summary>
    /// The ticket of a request for a hub. <see langword="null"/> if it is missing, or if the request has an Authorization header, which
    /// takes precedence.
    /// </summary>
    public static string? Read(HttpRequest request) =>
        BearerToken.IsForHub(request) && request.Headers.Authorization.Count == 0 && request.Query[Parameter] is { Count: > 0 } ticket ? ticket.ToString() : null;

    /// <summary>
    /// Whether every silo supports tickets. During a rolling upgrade from a version without them, clients connect with their tokens.
    /// </summary>
    public bool AreUsable()
    {
        var mark = _services.GetRequiredService<GrainInterfaceTypeResolver>().GetGrainInterfaceType(typeof(IHubTicketsGrain));
        return _services.GetRequiredService<IClusterManifestProvider>().Current.Silos.Values.All(silo => silo.Interfaces.ContainsKey(mark));
    }

    /// <summary>Creates a ticket.</summary>
    /// <param name="caller">The caller, whose expiry the connection gets.</param>
    /// <param name="userId">The caller's user.</param>
    public HubTicket Issue(Caller caller, Guid userId)
    {
        var now = _time.GetUtcNow();
        var expiresAt = DateTimeOffset.FromUnixTimeSeconds(Earlier(now + Lifetime, caller.ExpiresAt).ToUnixTimeSeconds());
        var ticket = new Ticket(Guid.NewGuid(), userId, expiresAt, caller);
        return new(Base64UrlEncoder.Encode(_protector.Protect(ticket.ToBytes())), expiresAt);
    }

    /// <summary>Uses the ticket of a request for the hub. Malformed input never causes an exception.</summary>
    public async Task<TokenValidation> UseAsync(string text, HttpRequest request)
    {
        if (Open(text) is not { } ticket) return Refused;

        // In SignalR, a request with an id belongs to a connection that this front end has negotiated with this ticket.
        if (!HubEndpoint.BeginsConnection(request))
            return _negotiated.TryGetValue(ticket.Id, out _) ? await AcceptAsync(ticket) : Refused;

        if (ticket.ExpiresAt <= _time.GetUtcNow()) return Refused;
        try
        {
            if (!await _grains[ticket.UserId].UseAsync(ticket.Id, ticket.ExpiresAt)) return Refused;
        }
        catch (Exception exception) when (TransientErrors.IsTransient(exception))
        {
            return new(null, new TicketUnknownException(exception));
        }

        if (HubEndpoint.IsNegotiation(request))
            _negotiated.Set(ticket.Id, true, new MemoryCacheEntryOptions { SlidingExpiration = s_rememberedFor });
        return await AcceptAsync(ticket);
    }

    public void Dispose() => _negotiated.Dispose();

    private static TokenValidation Refused => new(null, new InvalidTicketException());

    // The session may have ended since the ticket was issued.
    private async Task<TokenValidation> AcceptAsync(Ticket ticket) =>
        await _sessions.ValidateAsync(ticket.Caller) is { } ended ? new(null, ended) : new(new ClaimsPrincipal(new CallerIdentity(ticket.Caller)), null);

    private Ticket? Open(string text)
    {
        if (text.Length is 0 or > MaxLength) return null;
        try
        {
            return Ticket.Read(_protector.Unprotect(Base64UrlEncoder.DecodeBytes(text)), _options.Issuer);
        }
        catch (Exception exception) when (exception is CryptographicException or FormatException or IOException or ArgumentException)
        {
            return null;
        }
    }

    private static DateTimeOffset Earlier(DateTimeOffset one, DateTimeOffset other) => one < other ? one : other;

    private sealed record Ticket(Guid Id, Guid UserId, DateTimeOffset ExpiresAt, Caller Caller)
    {
        public byte[] ToBytes()
        {
            using var bytes = new MemoryStream();
            using var writer = new BinaryWriter(bytes);
            writer.Write(Version);
            writer.Write(Id.ToByteArray());
            writer.Write(UserId.ToByteArray());
            writer.Write(ExpiresAt.ToUnixTimeSeconds());
            writer.Write(Caller.ExpiresAt.ToUnixTimeSeconds());
            // A Pulse token's subject is the user, and its issuer is the configured one.
            writer.Write(Caller.OwnUserId is null);
            if (Caller.OwnUserId is null)
            {
                writer.Write(Caller.Issuer);
                writer.Write(Caller.Subject);
                writer.Write((Caller.IssuedAt ?? DateTimeOffset.UnixEpoch).ToUnixTimeSeconds());
            }

            writer.Write((Caller.OwnSessionId ?? Guid.Empty).ToByteArray());
            return bytes.ToArray();
        }

        public static Ticket? Read(byte[] bytes, string ownIssuer)
        {
            using var reader = new BinaryReader(new MemoryStream(bytes));
            if (reader.ReadByte() != Version) return null;
            var (id, userId) = (new Guid(reader.ReadBytes(16)), new Guid(reader.ReadBytes(16)));
            var expiresAt = DateTimeOffset.FromUnixTimeSeconds(reader.ReadInt64());
            var callerExpiresAt = DateTimeOffset.FromUnixTimeSeconds(reader.ReadInt64());
            var isForeign = reader.ReadBoolean();
            var issuer = isForeign ? reader.ReadString() : ownIssuer;
            var subject = isForeign ? reader.ReadString() : userId.ToString("D", CultureInfo.InvariantCulture);
            DateTimeOffset? issuedAt = isForeign ? DateTimeOffset.FromUnixTimeSeconds(reader.ReadInt64()) : null;
            var sessionId = new Guid(reader.ReadBytes(16));
            return new(id, userId, expiresAt, new()
            {
                Issuer = issuer,
                Subject = subject,
                OwnUserId = isForeign ? null : userId,
                SessionId = sessionId == Guid.Empty ? null : sessionId.ToString("D", CultureInfo.InvariantCulture),
                IssuedAt = issuedAt,
                ExpiresAt = callerExpiresAt,
            });
        }
    }
}

/// <summary>The ticket was used, has expired, or is forged.</summary>
internal sealed class InvalidTicketException() : SecurityTokenException("The ticket is not accepted.");

/// <summary>The check whether the ticket was used is impossible at present.</summary>
internal sealed class TicketUnknownException(Exception inner) : UnverifiableTokenException(
    "The use of the ticket cannot be checked.", "Tickets cannot be checked now. Get a new one in a few seconds.", inner);
