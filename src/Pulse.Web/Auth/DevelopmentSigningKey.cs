using System.Security.Cryptography;
using Microsoft.Extensions.Options;

namespace Pulse.Web.Auth;

/// <summary>In Development without <c>Pulse:Auth:SigningKey</c>: makes a key once and keeps it in <c>data/signing-key</c>, so that tokens outlive a restart.</summary>
/// <remarks>The file is for its owner alone (mode 0600). Processes that start together agree: whoever locks the file first writes it.</remarks>
internal sealed class DevelopmentSigningKey(IHostEnvironment environment, IConfiguration configuration) : IPostConfigureOptions<AuthOptions>
{
    private const string FileName = "signing-key";
    private static readonly TimeSpan s_lockTimeout = TimeSpan.FromSeconds(10);

    public void PostConfigure(string? name, AuthOptions options)
    {
        if (!environment.IsDevelopment() || !string.IsNullOrEmpty(options.SigningKey)) return;

        var directory = Path.GetFullPath(configuration["Pulse:DataDirectory"] ?? "data");
        options.SigningKey = ReadOrMake(Path.Combine(directory, FileName));
    }

    /// <summary>The key in that file, made when there is none (or only part of one, left by a crash).</summary>
    /// <exception cref="TimeoutException">Another process keeps the file locked.</exception>
    internal static string ReadOrMake(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);

        FileStream? locked = null;
        if (!SpinWait.SpinUntil(() => TryLock(path, out locked), s_lockTimeout))
            throw new TimeoutException($"{path} is locked by another process. Set {AuthOptions.SectionName}:SigningKey, or end that process.");

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

    // FileShare.None is the lock: a sharing violation on Windows, flock elsewhere. The mode is set at creation, so the key is never readable by others.
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
