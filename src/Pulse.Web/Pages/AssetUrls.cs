using System.Collections.Concurrent;
using System.Security.Cryptography;
using Microsoft.AspNetCore.StaticFiles;
using Microsoft.Extensions.Primitives;

namespace Pulse.Web.Pages;

/// <summary>
/// URLs of scripts and styles that change with the content, so that browsers may cache them for ever and never use a stale one.
/// </summary>
internal sealed class AssetUrls(IWebHostEnvironment environment)
{
    private const string VersionKey = "v";
    private readonly ConcurrentDictionary<string, (DateTimeOffset ModifiedAt, string Version)> _versions = new(StringComparer.Ordinal);

    /// <summary>The URL of a file of wwwroot.</summary>
    /// <param name="path">Such as <c>/assets/site.css</c>.</param>
    public string For(string path) => Version(path) is { } version ? $"{path}?{VersionKey}={version}" : path;

    /// <summary>Lets browsers cache a file under the URL of exactly this content. Under any other URL they validate it by ETag.</summary>
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

        // A rebuild during development changes the file while the server runs.
        if (_versions.TryGetValue(path, out var known) && known.ModifiedAt == file.LastModified) return known.Version;

        using var content = file.CreateReadStream();
        var version = Convert.ToHexStringLower(SHA256.HashData(content).AsSpan(0, 8));
        _versions[path] = (file.LastModified, version);
        return version;
    }
}
