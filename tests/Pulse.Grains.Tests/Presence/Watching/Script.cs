using FsCheck;
using FsCheck.Fluent;
using Pulse.Presence;

namespace Pulse.Grains.Tests.Presence.Watching;

public enum Act
{
    Pause,
    Connect,
    Close,
    Drop,
    Renew,
    SetStatus,
    Idle,
    Watch,
    Unwatch,
    LoseChanges,
    HoldChanges,
    PassChanges,
    DeliverLate,
    RestartFrontEnd,
    LoseGrain,

    /// <summary>Both silos are paused, for longer than leases and keys live. Messages to them wait.</summary>
    StandStill,
}

/// <summary>How a message to a grain travels.</summary>
public enum Delivery
{
    OnTime,

    /// <summary>Arrives some seconds later than messages that are sent after it.</summary>
    Late,

    /// <summary>Arrives on time, and then a second time.</summary>
    Twice,
}

/// <summary>One event of the script. Numbers beyond the number of users, devices or front ends wrap around.</summary>
public sealed record Happening(int PauseMs, Act Act, int User, int Device, int FrontEnd, PresenceStatus Status, Delivery Delivery)
{
    public override string ToString() => $"+{PauseMs} {Act} u{User} d{Device} f{FrontEnd} {(Act == Act.SetStatus ? Status : "")} {(Delivery == Delivery.OnTime ? "" : Delivery)}".TrimEnd();
}

/// <summary>Few users and front ends, so that their events interfere, and pauses around renewals, grace periods and leases.</summary>
public sealed record Script(Happening[] Happenings)
{
    public override string ToString() => string.Join(Environment.NewLine, Happenings.AsEnumerable());
}

public static class Scripts
{
    public static Arbitrary<Script> Script() => Arb.From(Gen.ArrayOf(Happenings, 30).Select(happenings => new Script(happenings)), Shorter);

    private static Gen<Happening> Happenings =>
        from pause in Gen.Frequency((8, Gen.Choose(1, 300)), (4, Gen.Choose(1_000, 9_000)), (1, Gen.Choose(9_900, 10_100)), (1, Gen.Choose(10_000, 90_000)))
        from act in Gen.Frequency(
            (10, Gen.Constant(Act.Connect)), (4, Gen.Constant(Act.Close)), (4, Gen.Constant(Act.Drop)), (2, Gen.Constant(Act.Renew)),
            (5, Gen.Constant(Act.SetStatus)), (1, Gen.Constant(Act.Idle)), (6, Gen.Constant(Act.Watch)), (1, Gen.Constant(Act.Unwatch)),
            (2, Gen.Constant(Act.LoseChanges)), (2, Gen.Constant(Act.HoldChanges)), (3, Gen.Constant(Act.PassChanges)), (2, Gen.Constant(Act.DeliverLate)),
            (1, Gen.Constant(Act.RestartFrontEnd)), (4, Gen.Constant(Act.LoseGrain)), (1, Gen.Constant(Act.StandStill)), (3, Gen.Constant(Act.Pause)))
        from user in Gen.Choose(0, World.Users - 1)
        from device in Gen.Choose(0, 9)
        from frontEnd in Gen.Choose(0, World.FrontEnds - 1)
        from status in Gen.Elements(PresenceStatus.Online, PresenceStatus.Away, PresenceStatus.Busy, PresenceStatus.Invisible)
        from delivery in Gen.Frequency((5, Gen.Constant(Delivery.OnTime)), (1, Gen.Constant(Delivery.Late)), (1, Gen.Constant(Delivery.Twice)))
        select new Happening(pause, act, user, device, frontEnd, status, delivery);

    // Removes halves first, then single steps, so that the rest of a failure is short enough to read.
    private static IEnumerable<Script> Shorter(Script script)
    {
        for (var size = script.Happenings.Length / 2; size > 0; size /= 2)
        {
            for (var i = 0; i + size <= script.Happenings.Length; i += size) yield return new([.. script.Happenings[..i], .. script.Happenings[(i + size)..]]);
        }
    }
}
