using System.Security.Cryptography;
using Microsoft.Extensions.Options;
using Pulse.Silo.Startup;

namespace Pulse.Web.Auth;

/// <summary>
/// Creates a key once in Development without <c>Pulse:Auth:SigningKey</c> and stores it in <c>data/signing-key</c>, so that tokens survive
/// a restart.
/// </summary>
/// <remarks>
/// Only the file's owner has access (mode 0600). Processes that start together agree, because the first one to lock the file writes it.
/// </remarks>
internal sealed class DevelopmentSigningKey(IHostEnvironment environment, IConfiguration configuration) : IPostConfigureOptions<AuthOptions>
{
    private const string FileName = "signing-key";
    private static readonly TimeSpan s_lockTimeout = TimeSpan.FromSeconds(10);

    public void PostConfigure(string? name, AuthOptions options)
    {
        if (!environment.IsDevelopment() || !string.IsNullOrEmpty(options.SigningKey)) return;

        var directory = DataDirectory.Of(configuration);
        options.SigningKey = ReadOrMake(Path.Combine(directory, FileName));
    }

    /// <summary>The key in that file. Created if the file is missing or incomplete after a crash.</summary>
    /// <exception cref="TimeoutException">Another process keeps the file locked.</exception>
    internal static string ReadOrMake(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);

        FileStream? locked = null;
        if (!SpinWait.SpinUntil(() => TryLock(path, out locked), s_lockTimeout))
            throw new TimeoutException($"{path} is locked by another process. Set {AuthOptions.SectionName}:SigningKey, or stop that process.");

        using var file = locked!;
        using var reader = new StreamReader(file, leaveOpen: true);
        var kept = reader.ReadToEnd();
        if (kept.Length >= AuthOptions.MinSigningKeyBytes) return kept;

        var made = Convert.ToBase64String(RandomNumberGenerator.GetBytes(48));
        file.SetLength(0);
        using (var writer = new StreamWriter(file, leaveOpen: true)) writer.Write(made);
        file.Flush(flushToDisk: true);
        return made;
    }

    // FileShare.None is the lock: a sharing violation on Windows, flock elsewhere. The mode is set at creation, so other users can never
    // read the key.
    private static bool TryLock(string path, out FileStream? file)
    {
        var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.None };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        try
        {
            file = new FileStream(path, options);
            return true;
        }
        catch (IOException)
        {
            file = null;
            return false;
        }
    }
}
