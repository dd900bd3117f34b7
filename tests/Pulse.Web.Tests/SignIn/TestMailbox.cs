using MimeKit;

namespace Pulse.Web.Tests.SignIn;

/// <summary>A real SMTP server, and the mails that it accepted.</summary>
internal sealed class TestMailbox : IAsyncDisposable
{
    private readonly NodeServer _server;
    private readonly int _port;
    private readonly List<MimeMessage> _notices = [];
    private readonly List<MimeMessage> _others = [];

    private readonly bool _isOld;

    private TestMailbox(NodeServer server, int port, bool isOld) => (_server, _port, _isOld) = (server, port, isOld);

    /// <summary>The settings that make Pulse send its mail there.</summary>
    public IEnumerable<KeyValuePair<string, string>> Settings =>
    [
        new("Pulse:Mail:Host", "127.0.0.1"),
        new("Pulse:Mail:Port", $"{_port}"),
        new("Pulse:Mail:Security", "None"),
        .. _isOld ? (KeyValuePair<string, string>[])[] : [new("Pulse:Mail:User", "pulse"), new("Pulse:Mail:Password", "mail password")],
        new("Pulse:Mail:From", "Pulse <pulse@example.com>"),
    ];

    /// <summary>The addresses of the mails that have arrived and that no test has read.</summary>
    public IEnumerable<string> Waiting => _others.Select(mail => mail.To.Mailboxes.Single().Address);

    /// <param name="isOld">Whether the server accepts mail from any sender, but to addresses in ASCII only.</param>
    public static async Task<TestMailbox> StartAsync(bool isOld = false)
    {
        var (server, first) = await NodeServer.StartAsync("mailbox.mjs", isOld ? [] : ["pulse", "mail password"]);
        return new(server, first.GetProperty("port").GetInt32(), isOld);
    }

    /// <summary>Waits for the next mail that is not a notice.</summary>
    /// <param name="to">Its address, where earlier tests may have left mails.</param>
    public async Task<MimeMessage> NextAsync(string? to = null)
    {
        while (true)
        {
            if (_others.FindIndex(other => to is null || other.To.Mailboxes.Single().Address == to) is >= 0 and var at)
            {
                var found = _others[at];
                _others.RemoveAt(at);
                return found;
            }

            var mail = Parse(await _server.NextAsync());
            if (IsNotice(mail)) _notices.Add(mail);
            else _others.Add(mail);
        }
    }

    /// <summary>Waits for the next notice to that address whose text has those words.</summary>
    public async Task<MimeMessage> NextNoticeAsync(string to, string words)
    {
        while (true)
        {
            if (_notices.Find(notice => notice.To.Mailboxes.Single().Address == to && notice.TextBody!.Contains(words, StringComparison.Ordinal)) is { } found)
            {
                _notices.Remove(found);
                return found;
            }

            var mail = Parse(await _server.NextAsync());
            if (IsNotice(mail)) _notices.Add(mail);
            else _others.Add(mail);
        }
    }

    private static bool IsNotice(MimeMessage mail) => mail.Subject!.StartsWith("Notice about your account", StringComparison.Ordinal);

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private static MimeMessage Parse(System.Text.Json.JsonElement line)
    {
        using var raw = new MemoryStream(line.GetProperty("raw").GetBytesFromBase64());
        return MimeMessage.Load(raw);
    }
}
