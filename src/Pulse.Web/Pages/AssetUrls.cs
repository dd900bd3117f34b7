using System.Collections.Concurrent;
using System.Security.Cryptography;
using Microsoft.AspNetCore.StaticFiles;
using Microsoft.Extensions.Primitives;

namespace Pulse.Web.Pages;

/// <summary>Addresses of scripts and styles that change with their content, so that browsers may keep them for good and never use a stale one.</summary>
internal sealed class AssetUrls(IWebHostEnvironment environment)
{
    private const string VersionKey = "v";
    private readonly ConcurrentDictionary<string, (DateTimeOffset ModifiedAt, string Version)> _versions = new(StringComparer.Ordinal);

    /// <summary>The address of a file of wwwroot.</summary>
    /// <param name="path">Such as <c>/assets/site.css</c>.</param>
    public string For(string path) => Version(path) is { } version ? $"{path}?{VersionKey}={version}" : path;

    /// <summary>Lets browsers keep a file under the address of exactly this content; under any other they ask again, by ETag.</summary>
    public void SetCaching(StaticFileResponseContext file)
    {
        var asked = file.Context.Request.Query[VersionKey];
        file.Context.Response.Headers.CacheControl = !StringValues.IsNullOrEmpty(asked) && asked == Version(file.Context.Request.Path.Value!)
            ? "public, max-age=31536000, immutable"
            : "no-cache";
    }

    private string? Version(string path)
    {
        var file = environment.WebRootFileProvider.GetFileInfo(path);
        if (!file.Exists) return null;

        // A rebuild during development changes the file under the running server.
        if (_versions.TryGetValue(path, out var known) && known.ModifiedAt == file.LastModified) return known.Version;

        using var content = file.CreateReadStream();
        var version = Convert.ToHexStringLower(SHA256.HashData(content).AsSpan(0, 8));
        _versions[path] = (file.LastModified, version);
        return version;
    }
}
