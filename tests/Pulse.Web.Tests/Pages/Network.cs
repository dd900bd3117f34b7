using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using Microsoft.Playwright;

namespace Pulse.Web.Tests.Pages;

/// <summary>The network between a page and the server. The page's files still load.</summary>
internal sealed class Network
{
    private readonly ConcurrentQueue<IWebSocketRoute> _sockets = [];
    private volatile bool _isCut;

    /// <summary>Takes effect for the connections of the next load of the page.</summary>
    public static async Task<Network> OfAsync(IPage page)
    {
        var network = new Network();
        await page.RouteWebSocketAsync(new Regex(".*"), socket =>
        {
            network._sockets.Enqueue(socket);
            if (network._isCut) _ = socket.CloseAsync();
            else socket.ConnectToServer();
        });
        await page.RouteAsync("**/*", route =>
            network._isCut && route.Request.ResourceType is "fetch" or "xhr" or "eventsource" ? route.AbortAsync() : route.FallbackAsync());
        return network;
    }

    public async Task CutAsync()
    {
        _isCut = true;
        while (_sockets.TryDequeue(out var socket)) await socket.CloseAsync();
    }

    public void Restore() => _isCut = false;
}
