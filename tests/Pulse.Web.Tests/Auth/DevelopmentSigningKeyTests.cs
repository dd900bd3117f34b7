using Pulse.Web.Auth;

namespace Pulse.Web.Tests.Auth;

public sealed class DevelopmentSigningKeyTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("pulse-key-");

    private string KeyPath => Path.Combine(_directory.FullName, "data", "signing-key");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public void ReadOrMake_Twice_GivesTheSameKey()
    {
        var made = DevelopmentSigningKey.ReadOrMake(KeyPath);

        Assert.True(made.Length >= AuthOptions.MinSigningKeyBytes);
        Assert.Equal(made, DevelopmentSigningKey.ReadOrMake(KeyPath));
    }

    [Fact]
    public void ReadOrMake_NewFile_IsForItsOwnerAlone()
    {
        DevelopmentSigningKey.ReadOrMake(KeyPath);

        if (OperatingSystem.IsWindows()) return;
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(KeyPath));
    }

    [Fact]
    public async Task ReadOrMake_ManyAtOnce_AllGetOneKey()
    {
        using var start = new Barrier(8);
        var keys = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Factory.StartNew(
            () =>
            {
                start.SignalAndWait();
                return DevelopmentSigningKey.ReadOrMake(KeyPath);
            }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)));

        Assert.Single(keys.Distinct());
    }

    [Fact]
    public void ReadOrMake_FileCutShortByACrash_IsMadeAnew()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(KeyPath)!);
        File.WriteAllText(KeyPath, "half");

        Assert.True(DevelopmentSigningKey.ReadOrMake(KeyPath).Length >= AuthOptions.MinSigningKeyBytes);
    }
}
