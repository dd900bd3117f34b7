namespace Pulse.Web.Mail;

/// <summary>Keeps the latest mails in this process's memory instead of sending them. Only for Development, if the mail server is missing.</summary>
internal sealed class DevMailbox(TimeProvider time) : IMailSender
{
    private const int Capacity = 50;

    private readonly Lock _lock = new();
    private readonly LinkedList<(OutgoingMail Mail, DateTimeOffset SentAt)> _mails = new();

    public string? UnavailableReason => null;

    public Task SendAsync(OutgoingMail mail, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            _mails.AddFirst((mail, time.GetUtcNow()));
            if (_mails.Count > Capacity) _mails.RemoveLast();
        }

        return Task.CompletedTask;
    }

    /// <summary>The kept mails, latest first.</summary>
    public IReadOnlyList<(OutgoingMail Mail, DateTimeOffset SentAt)> List()
    {
        lock (_lock) return [.. _mails];
    }
}
