using System.Net.Http.Headers;
using System.Net.WebSockets;
using System.Text;

namespace Pulse.Load;

/// <summary>Requests and sockets of the framework's own clients, for modes with few of them.</summary>
internal sealed class Client(ushort port)
{
    private static readonly HttpClient s_http = new(new SocketsHttpHandler { MaxConnectionsPerServer = 256 });

    private readonly Uri _address = new($"http://127.0.0.1:{port}");

    public Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, string? token, HttpContent? content = null, CancellationToken stop = default)
    {
        var request = new HttpRequestMessage(method, new Uri(_address, path)) { Content = content };
        if (token is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return s_http.SendAsync(request, stop);
    }

    /// <summary>Opens a socket, until <c>Connected</c>.</summary>
    public async Task ConnectAsync(ClientWebSocket socket, string token, HttpMessageInvoker? invoker = null, CancellationToken stop = default)
    {
        socket.Options.CollectHttpResponseDetails = true;
        await socket.ConnectAsync(new Uri($"ws://127.0.0.1:{port}/hubs/pulse?access_token={token}"), invoker, stop);
        await socket.SendAsync("{\"protocol\":\"json\",\"version\":1}\u001e"u8.ToArray(), WebSocketMessageType.Text, true, stop);
        await ReadUntilAsync(socket, "\"Connected\"", stop);
    }

    /// <summary>Calls the hub, and reads until the answer.</summary>
    public static async Task CallAsync(ClientWebSocket socket, string method, string arguments, CancellationToken stop = default)
    {
        await socket.SendAsync(Hub.Call(method, arguments), WebSocketMessageType.Text, true, stop);
        await ReadUntilAsync(socket, "\"type\":3", stop);
    }

    private static async Task ReadUntilAsync(ClientWebSocket socket, string text, CancellationToken stop)
    {
        var buffer = new byte[16 * 1024];
        var wanted = Encoding.ASCII.GetBytes(text);
        while (true)
        {
            var received = await socket.ReceiveAsync(buffer, stop);
            if (received.MessageType == WebSocketMessageType.Close) throw new WebSocketException("The server has closed the connection.");
            if (buffer.AsSpan(0, received.Count).IndexOf(wanted) >= 0) return;
        }
    }
}
