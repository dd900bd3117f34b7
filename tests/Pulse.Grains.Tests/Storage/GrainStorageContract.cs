using System.Security.Cryptography;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Runtime;
using Orleans.Storage;
using Orleans.TestingHost;
using Xunit;

namespace Pulse.Grains.Tests.Storage;

/// <summary>Orleans' own ADO.NET grain storage over the statements in <c>002_orleans_storage.sql</c>, in a silo.</summary>
public abstract class GrainStorageContract(StoresFixture stores)
{
    [Fact]
    public async Task Write_ThenRestart_IsReadBack()
    {
        var key = Guid.NewGuid();
        var text = RandomNumberGenerator.GetHexString(200_000);
        await WithSiloAsync(async silo =>
        {
            Assert.Null(await silo.Client.GetGrain<INoteGrain>(key, "Ω \"'part").ReadAsync());
            await silo.Client.GetGrain<INoteGrain>(key, "Ω \"'part").WriteAsync("first");
            await silo.Client.GetGrain<INoteGrain>(key, "Ω \"'part").WriteAsync(text);
            await silo.Client.GetGrain<INoteGrain>(key, "other part").WriteAsync("another");
        });

        await WithSiloAsync(async silo =>
        {
            Assert.Equal(text, await silo.Client.GetGrain<INoteGrain>(key, "Ω \"'part").ReadAsync());
            Assert.Equal("another", await silo.Client.GetGrain<INoteGrain>(key, "other part").ReadAsync());
            await silo.Client.GetGrain<INoteGrain>(key, "other part").WriteAsync("after the restart");
            Assert.Equal("after the restart", await silo.Client.GetGrain<INoteGrain>(key, "other part").ReadAsync());
        });
    }

    [Fact]
    public async Task Clear_ThenWriteAgain_StartsFromNothingAndLasts()
    {
        var key = Guid.NewGuid();
        await WithSiloAsync(async silo =>
        {
            var note = silo.Client.GetGrain<INoteGrain>(key, "part");
            await note.ClearAsync();
            await note.WriteAsync("first");
            await note.ClearAsync();
            Assert.Null(await note.ReadAsync());
        });

        await WithSiloAsync(async silo =>
        {
            var note = silo.Client.GetGrain<INoteGrain>(key, "part");
            Assert.Null(await note.ReadAsync());
            await note.WriteAsync("second");
            await note.ClearAsync();
            await note.WriteAsync("third");
        });

        await WithSiloAsync(async silo => Assert.Equal("third", await silo.Client.GetGrain<INoteGrain>(key, "part").ReadAsync()));
    }

    [Fact]
    public Task Write_OfALateWriter_IsInconsistentAndChangesNothing() => WithSiloAsync(async silo =>
    {
        var (storage, id) = (StorageOf(silo), NewId());
        var (first, second) = (await ReadAsync(storage, id), await ReadAsync(storage, id));

        // Both writers believe that the row is missing.
        first.State = new() { Text = "first" };
        await storage.WriteStateAsync("note", id, first);
        await Assert.ThrowsAsync<InconsistentStateException>(() => storage.WriteStateAsync("note", id, second));

        // Both have read version 1.
        second = await ReadAsync(storage, id);
        await storage.WriteStateAsync("note", id, first);
        await Assert.ThrowsAsync<InconsistentStateException>(() => storage.WriteStateAsync("note", id, second));
        await Assert.ThrowsAsync<InconsistentStateException>(() => storage.ClearStateAsync("note", id, second));
        Assert.Equal(("first", "2"), ((await ReadAsync(storage, id)).State?.Text, first.ETag));

        // The second has read the row before the first cleared it.
        second = await ReadAsync(storage, id);
        await storage.ClearStateAsync("note", id, first);
        await Assert.ThrowsAsync<InconsistentStateException>(() => storage.WriteStateAsync("note", id, second));
        Assert.False((await ReadAsync(storage, id)).RecordExists);

        // A deleted row is a conflict too, not a new row.
        await stores.ExecuteAsync("DELETE FROM OrleansStorage");
        await Assert.ThrowsAsync<InconsistentStateException>(() => storage.WriteStateAsync("note", id, first));
        await Assert.ThrowsAsync<InconsistentStateException>(() => storage.ClearStateAsync("note", id, first));
    });

    [Fact]
    public Task Write_TwentyAtOnceFromOneVersion_OneSucceeds() => WithSiloAsync(async silo =>
    {
        var (storage, id) = (StorageOf(silo), NewId());
        for (var round = 0; round < 3; round++)
        {
            var states = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => ReadAsync(storage, id)));

            var conflicts = await Task.WhenAll(states.Select(state => Task.Run(async () =>
                await Record.ExceptionAsync(() => storage.WriteStateAsync("note", id, state)))));

            Assert.Equal(1, conflicts.Count(conflict => conflict is null));
            Assert.Equal(19, conflicts.Count(conflict => conflict is InconsistentStateException));
        }
    });

    [Fact]
    public Task Delete_WhereTheOptionAsksForIt_RemovesTheRow() => WithSiloAsync(
        async silo =>
        {
            var (storage, id) = (StorageOf(silo), NewId());
            var state = await ReadAsync(storage, id);
            await storage.WriteStateAsync("note", id, state);
            var late = await ReadAsync(storage, id);
            await storage.WriteStateAsync("note", id, state);

            await Assert.ThrowsAsync<InconsistentStateException>(() => storage.ClearStateAsync("note", id, late));
            await storage.ClearStateAsync("note", id, state);

            Assert.Null((await ReadAsync(storage, id)).ETag);
            await storage.WriteStateAsync("note", id, state);
            Assert.Equal("1", state.ETag);
        },
        deleteOnClear: true);

    private static IGrainStorage StorageOf(InProcessTestCluster silo) => silo.Silos[0].ServiceProvider.GetRequiredKeyedService<IGrainStorage>("Default");

    private static GrainId NewId() => GrainId.Create("note", Guid.NewGuid().ToString("N"));

    private static async Task<GrainState<Note>> ReadAsync(IGrainStorage storage, GrainId id)
    {
        var state = new GrainState<Note>();
        await storage.ReadStateAsync("note", id, state);
        return state;
    }

    /// <summary>Runs a silo on the fixture's database for the length of <paramref name="test"/>.</summary>
    private async Task WithSiloAsync(Func<InProcessTestCluster, Task> test, bool deleteOnClear = false)
    {
        var builder = new InProcessTestClusterBuilder(initialSilosCount: 1);
        builder.Options.ServiceId = "pulse";    // part of the key: the same after a restart
        builder.ConfigureSilo((_, silo) =>
        {
            silo.Services.AddPulseStores(stores.Options);
            silo.AddPulseGrainStorage();
            silo.Services.Configure<Orleans.Configuration.AdoNetGrainStorageOptions>("Default", options => options.DeleteStateOnClear = deleteOnClear);
        });
        var cluster = builder.Build();
        await cluster.DeployAsync();
        try
        {
            await test(cluster);
        }
        finally
        {
            await cluster.StopAllSilosAsync();
            await cluster.DisposeAsync();
        }
    }
}
