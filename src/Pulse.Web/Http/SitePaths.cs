using Microsoft.Extensions.Options;

namespace Pulse.Web.Http;

/// <summary>Translates paths of this program to paths in browsers. See <see cref="PathOptions.PathBase"/>.</summary>
/// <remarks>
/// Within the program paths lack the base. It is added when a page or an answer is written. Return URLs are always paths in the browser.
/// </remarks>
internal sealed class SitePaths(IOptions<PathOptions> options)
{
    /// <summary>The base: empty, or such as <c>/pulse</c>.</summary>
    public string Base { get; } = options.Value.PathBase;

    /// <summary>The browser's path.</summary>
    /// <param name="path">A path of this program, such as <c>/dashboard</c>, with its query.</param>
    public string For(string path) => Base + path;
}
