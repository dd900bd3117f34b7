using Pulse.Identity;

namespace Pulse.Grains.Identity;

/// <summary>
/// One link. Key: its token's hash. The database decides which call uses the link. The grain remembers wrong codes and the last answer for
/// a while.
/// </summary>
/// <remarks>Any client can invent a token and so activate a grain, which is therefore deactivated soon.</remarks>
[GrainType("signinlink")]
internal sealed class SignInLinkGrain(IOneTimeTokenStore store, TimeProvider time) : Grain, ISignInLinkGrain
{
    // A short delay before deactivation: of many simultaneous calls Orleans would otherwise forward the last ones too often, and reject
    // them.
    private static readonly TimeSpan s_deactivationDelay = TimeSpan.FromSeconds(5);

    // A form whose answer was lost is submitted again within seconds.
    private static readonly TimeSpan s_replayWindow = TimeSpan.FromMinutes(1);
    private const int WrongCodes = 5;

    private long? _redeemedAt;
    private string? _redeemedBy;
    private int _wrongCodes;

    private byte[] Hash => SignInLinkKey.ToHash(this.GetPrimaryKeyString());

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        this.RegisterGrainTimer(LeaveAsync, new(s_deactivationDelay, Timeout.InfiniteTimeSpan));
        return Task.CompletedTask;
    }

    public async Task<SignInLink> PeekAsync() => await store.FindAsync(Hash) switch
    {
        null => new(SignInLinkState.Unknown),
        { } token when token.ExpiresAt <= time.GetUtcNow() => new(SignInLinkState.Expired),
        { } token => new(SignInLinkState.Good, token.Identifier),
    };

    public async Task<SignInLink> ConsumeAsync()
    {
        if (await store.ConsumeAsync(Hash, time.GetUtcNow()) is { } email) return new(SignInLinkState.Good, email);

        // The link cannot be used, so the state tells the page which reason to show.
        var state = (await PeekAsync()).State;
        return new(state == SignInLinkState.Expired ? state : SignInLinkState.Unknown);
    }

    public async Task<SignInLink> RedeemAsync()
    {
        if (_redeemedAt is { } at && time.GetElapsedTime(at) < s_replayWindow) return new(SignInLinkState.Good, _redeemedBy);

        var link = await ConsumeAsync();
        if (link.State == SignInLinkState.Good) (_redeemedAt, _redeemedBy) = (time.GetTimestamp(), link.Email);
        return link;
    }

    public async Task<bool> CountWrongCodeAsync()
    {
        if (++_wrongCodes < WrongCodes) return (await PeekAsync()).State == SignInLinkState.Good;
        await store.ConsumeAsync(Hash, time.GetUtcNow());
        return false;
    }

    private Task LeaveAsync()
    {
        // Otherwise Orleans' collection age is long enough for the answer and the count: a repeated form needs the answer for a minute, and
        // wrong codes at longer intervals are no attack.
        if (_redeemedAt is null && _wrongCodes == 0) DeactivateOnIdle();
        return Task.CompletedTask;
    }
}
