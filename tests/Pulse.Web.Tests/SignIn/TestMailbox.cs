using MimeKit;

namespace Pulse.Web.Tests.SignIn;

/// <summary>A real SMTP server, and the mails that it took.</summary>
internal sealed class TestMailbox : IAsyncDisposable
{
    private readonly NodeServer _server;
    private readonly int _port;

    private readonly bool _isOld;

    private TestMailbox(NodeServer server, int port, bool isOld) => (_server, _port, _isOld) = (server, port, isOld);

    /// <summary>What makes Pulse send there.</summary>
    public IEnumerable<KeyValuePair<string, string>> Settings =>
    [
        new("Pulse:Mail:Host", "127.0.0.1"),
        new("Pulse:Mail:Port", $"{_port}"),
        new("Pulse:Mail:Security", "None"),
        .. _isOld ? (KeyValuePair<string, string>[])[] : [new("Pulse:Mail:User", "pulse"), new("Pulse:Mail:Password", "mail password")],
        new("Pulse:Mail:From", "Pulse <pulse@example.com>"),
    ];

    /// <param name="isOld">Whether the server takes mail from anybody, to addresses in ASCII alone.</param>
    public static async Task<TestMailbox> StartAsync(bool isOld = false)
    {
        var (server, first) = await NodeServer.StartAsync("mailbox.mjs", isOld ? [] : ["pulse", "mail password"]);
        return new(server, first.GetProperty("port").GetInt32(), isOld);
    }

    /// <summary>The next mail, waited for.</summary>
    public async Task<MimeMessage> NextAsync() => Parse(await _server.NextAsync());

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private static MimeMessage Parse(System.Text.Json.JsonElement line)
    {
        using var raw = new MemoryStream(line.GetProperty("raw").GetBytesFromBase64());
        return MimeMessage.Load(raw);
    }
}
