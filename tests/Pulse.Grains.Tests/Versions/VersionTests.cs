using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Metadata;
using Orleans.Serialization;
using Orleans.Storage;
using Pulse.Grains.Identity;
using Pulse.Silo;
using Xunit;

namespace Pulse.Grains.Tests.Versions;

/// <summary>
/// Data of earlier versions is read, and keeps its meaning, because versions run side by side during a rollout and state outlives them.
/// </summary>
public sealed class VersionTests : IDisposable
{
    private readonly IHost _silo;

    public VersionTests()
    {
        // As in production, but never started.
        var builder = Host.CreateApplicationBuilder();
        builder.AddPulseSilo();
        _silo = builder.Build();
    }

    private Serializer Serializer => _silo.Services.GetRequiredService<Serializer>();

    private IGrainStorageSerializer StateSerializer =>
        _silo.Services.GetRequiredService<IOptionsMonitor<AdoNetGrainStorageOptions>>().Get("Default").GrainStorageSerializer;

    public static TheoryData<string> SampleNames => [.. Samples.All.Keys];

    public void Dispose() => _silo.Dispose();

    [Theory]
    [MemberData(nameof(SampleNames))]
    public void StoredMessage_IsRead(string name)
    {
        var sample = Samples.All[name];

        // As object, so that the payload names its type, as a grain call's arguments do.
        var stored = StoredFile.Read($"Payloads/{name}.txt");
        Assert.True(stored is not null, $"Payloads/{name}.txt is missing. This version writes: {Convert.ToBase64String(Serializer.SerializeToArray<object>(sample))}");
        AssertSame(sample, Serializer.Deserialize<object>(Convert.FromBase64String(stored)));
    }

    [Fact]
    public void StoredState_IsRead()
    {
        var sample = (KeyRingState)Samples.All["pulse.KeyRingState"];

        // JSON with the .NET name of the type, so the class cannot be renamed or moved.
        var stored = StoredFile.Read("Payloads/state.KeyRingState.txt");
        Assert.True(stored is not null, $"Payloads/state.KeyRingState.txt is missing. This version writes: {StateSerializer.Serialize(sample)}");
        AssertSame(sample, StateSerializer.Deserialize<KeyRingState>(BinaryData.FromString(stored)));
    }

    [Fact]
    public void EveryState_HasAStoredPayload() => Assert.Equal([typeof(KeyRingState)], Contracts.States);

    [Fact]
    public void EveryMessage_HasAStoredPayload() => Assert.Equal(
        Contracts.Messages.Select(Contracts.AliasOf), Samples.All.Values.Select(sample => Contracts.AliasOf(sample.GetType())).Distinct().Order(StringComparer.Ordinal));

    [Fact]
    public void Samples_LeaveNoMemberAtItsDefault()
    {
        // Checked across all samples of a type, because older samples lack members that were added later.
        foreach (var samples in Samples.All.Values.Where(sample => sample is not Exception).GroupBy(sample => sample.GetType()))
        {
            foreach (var member in samples.Key.GetProperties().Where(member => member.DeclaringType == samples.Key && member.CanWrite))
            {
                var unset = member.PropertyType.IsValueType ? Activator.CreateInstance(member.PropertyType) : null;
                Assert.True(samples.Any(sample => !Equals(member.GetValue(sample), unset)), $"{samples.Key.Name}: {member.Name} would not be seen to get lost.");
            }
        }
    }

    [Fact]
    public void EveryGrain_NamesItsType() =>
        Assert.All(Contracts.Grains, grain => Assert.True(grain.IsDefined(typeof(GrainTypeAttribute), inherit: false), $"{grain.Name} has no [GrainType]."));

    [Fact]
    public void Contracts_AreAsRecorded()
    {
        var now = Contracts.Describe(_silo.Services.GetRequiredService<GrainTypeResolver>());
        Assert.True(
            StoredFile.Read("contracts.txt") == now,
            $"Contracts have changed. Lines may be added to contracts.txt; a line that changes or goes breaks what runs beside this version:\n{now}");
    }

    private static void AssertSame(object expected, object? actual)
    {
        Assert.IsType(expected.GetType(), actual);
        if (expected is Exception exception) Assert.Equal(exception.Message, ((Exception)actual).Message);
        else Assert.Equivalent(expected, actual, strict: true);
    }
}
