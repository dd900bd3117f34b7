using FsCheck;
using FsCheck.Fluent;

namespace Pulse.Web.Tests.Conversations.Scripts;

public enum Act
{
    Send,

    /// <summary>Sends again what a user has sent before, with the same client id.</summary>
    Repeat,
    Edit,
    Delete,
    Mark,

    /// <summary>Reads the conversation's item of the inbox.</summary>
    Look,
    Add,
    Remove,
    Leave,
    Open,
    Close,
    Fetch,

    /// <summary>A device loses its socket, and connects again.</summary>
    Reconnect,

    /// <summary>A device stops to read from its socket, or reads again.</summary>
    PauseReading,
    ResumeReading,

    /// <summary>The next append, claim or marker has another effect than its answer says.</summary>
    DisturbStore,

    /// <summary>The next call of a silo to a front end is lost, late or repeated.</summary>
    DisturbCall,

    /// <summary>Another activation, of which Orleans does not know, claims the conversation.</summary>
    Claim,

    /// <summary>The other activation appends messages.</summary>
    Append,

    /// <summary>The other activation appends more than a front end keeps.</summary>
    AppendMany,
    Deactivate,

    /// <summary>All clocks jump, over deadlines and the intervals of renewals and checks.</summary>
    Jump,

    /// <summary>A silo neither takes calls nor reaches its database.</summary>
    Freeze,
    Thaw,
    CrashFrontEnd,
    CrashSilo,
}

/// <summary>One event. Numbers beyond the number of users, devices, silos or messages wrap around.</summary>
/// <param name="Act">The event.</param>
/// <param name="User">The user that acts.</param>
/// <param name="Device">The device that acts.</param>
/// <param name="Number">Which message, seq, member, silo or fault.</param>
/// <param name="IsAwaited">The next event waits for the answer, unless that takes long.</param>
public sealed record ScriptStep(Act Act, int User, int Device, int Number, bool IsAwaited)
{
    public override string ToString() => $"{Act} u{User} d{Device} n{Number}{(IsAwaited ? "" : " …")}";
}

/// <summary>What happens in one conversation.</summary>
/// <param name="Seed">Decides about rare faults.</param>
/// <param name="NewcomersSeeAll">Whether a new member sees what came before.</param>
/// <param name="Steps">The events.</param>
public sealed record ChatScript(int Seed, bool NewcomersSeeAll, ScriptStep[] Steps)
{
    public override string ToString()
    {
        var head = $"{Steps.Length} steps, faults by seed {Seed}, newcomers see {(NewcomersSeeAll ? "all" : "what follows")}";
        return string.Join(Environment.NewLine, Steps.Select(step => step.ToString()).Prepend(head));
    }
}

public static class ChatScripts
{
    private const int Length = 40;

    private static readonly (int Weight, Act Act)[] s_weights =
    [
        (30, Act.Send), (8, Act.Repeat), (8, Act.Edit), (6, Act.Delete), (10, Act.Mark), (6, Act.Look),
        (8, Act.Add), (6, Act.Remove), (2, Act.Leave),
        (10, Act.Open), (2, Act.Close), (3, Act.Fetch), (3, Act.Reconnect), (2, Act.PauseReading), (3, Act.ResumeReading),
        (10, Act.DisturbStore), (8, Act.DisturbCall), (3, Act.Claim), (6, Act.Append), (1, Act.AppendMany), (3, Act.Deactivate),
        (2, Act.Jump), (2, Act.Freeze), (4, Act.Thaw), (1, Act.CrashFrontEnd), (1, Act.CrashSilo),
    ];

    public static Arbitrary<ChatScript> Script() => Arb.From(Scripts, Shorter);

    private static Gen<ChatScript> Scripts =>
        from seed in Gen.Choose(0, int.MaxValue - 1)
        from all in Gen.Elements(true, false)
        from steps in Gen.ArrayOf(Steps, Length)
        select new ChatScript(seed, all, steps);

    private static Gen<ScriptStep> Steps =>
        from act in Gen.Frequency(Array.ConvertAll(s_weights, entry => (entry.Weight, Gen.Constant(entry.Act))))
        from user in Gen.Choose(0, ScriptUsers.Count - 1)
        from device in Gen.Choose(0, ChatWorld.Devices - 1)
        from number in Gen.Choose(0, 99)
        from isAwaited in Gen.Elements(true, false)
        select new ScriptStep(act, user, device, number, isAwaited);

    // Removes halves first, then single steps, so that the rest of a failure is short enough to read.
    private static IEnumerable<ChatScript> Shorter(ChatScript script)
    {
        for (var size = script.Steps.Length / 2; size > 0; size /= 2)
        {
            for (var i = 0; i + size <= script.Steps.Length; i += size)
                yield return script with { Steps = [.. script.Steps[..i], .. script.Steps[(i + size)..]] };
        }
    }
}
