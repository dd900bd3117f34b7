using Microsoft.Extensions.Options;
using MimeKit;

namespace Pulse.Web.Mail;

/// <summary>How the connection to the mail server is protected.</summary>
internal enum MailSecurity
{
    /// <summary>TLS after STARTTLS (usually port 587). A server without it is refused.</summary>
    StartTls = 0,

    /// <summary>TLS from the first byte (usually port 465).</summary>
    Tls = 1,

    /// <summary>No encryption, for a server on this machine.</summary>
    None = 2,
}

/// <summary>The SMTP server for outgoing mail. Settings <c>Pulse:Mail:*</c>.</summary>
internal sealed class MailOptions
{
    /// <summary>The configuration section of these settings.</summary>
    public const string SectionName = "Pulse:Mail";

    /// <summary>
    /// Host name of the server. If it is unset, Development shows mail at <c>/dev/mail</c>, and elsewhere sign-in by mail is unavailable.
    /// </summary>
    public string? Host { get; set; }

    /// <summary>The server's port. Default 587, the submission port (RFC 6409).</summary>
    public int Port { get; set; } = 587;

    /// <summary>User name. If it is unset, the client does not authenticate.</summary>
    public string? User { get; set; }

    /// <summary>The password of that user.</summary>
    public string? Password { get; set; }

    /// <summary>Sender of mail: an address, or <c>Pulse &lt;pulse@example.com&gt;</c>.</summary>
    public string? From { get; set; }

    /// <summary>Encryption of the connection. Default <see cref="MailSecurity.StartTls"/>.</summary>
    public MailSecurity Security { get; set; }

    /// <summary>Timeout of one attempt to send, including the connection. Default 10 s.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Sign-in links that one client address (IPv4, or IPv6 /64) may request in a minute, per front end. Default 10.</summary>
    public int RequestsPerMinute { get; set; } = 10;

    /// <summary>Sign-in mails that one network (IPv4 /24, or IPv6 /48) may request in an hour, per front end. Default 30.</summary>
    public int MailsPerNetworkPerHour { get; set; } = 30;

    /// <summary>Sign-in mails that a front end sends in an hour. Default 1,000.</summary>
    public int MailsPerHour { get; set; } = 1_000;

    /// <summary>Links or codes that one client address (IPv4, or IPv6 /64) may try in a minute, per front end. Default 30.</summary>
    public int GuessesPerMinute { get; set; } = 30;
}

/// <summary>Reports all faults of <see cref="MailOptions"/> at once. Each message names its setting and omits the password.</summary>
internal sealed class MailOptionsValidator(IHostEnvironment environment) : IValidateOptions<MailOptions>
{
    public ValidateOptionsResult Validate(string? name, MailOptions options)
    {
        var faults = Faults(options).ToArray();
        return faults.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }

    private IEnumerable<string> Faults(MailOptions mail)
    {
        const string At = MailOptions.SectionName;
        foreach (var (name, limit) in new[]
        {
            (nameof(mail.RequestsPerMinute), mail.RequestsPerMinute), (nameof(mail.MailsPerNetworkPerHour), mail.MailsPerNetworkPerHour),
            (nameof(mail.MailsPerHour), mail.MailsPerHour), (nameof(mail.GuessesPerMinute), mail.GuessesPerMinute),
        })
        {
            if (limit < 1) yield return $"{At}:{name} must be at least 1; it is {limit}.";
        }

        if (mail.Timeout <= TimeSpan.Zero || mail.Timeout > TimeSpan.FromMinutes(1))
            yield return $"{At}:Timeout must be above zero and at most a minute; it is {mail.Timeout:c}.";

        if (string.IsNullOrWhiteSpace(mail.Host))
        {
            if (!string.IsNullOrEmpty(mail.From) || !string.IsNullOrEmpty(mail.User) || !string.IsNullOrEmpty(mail.Password))
                yield return $"{At}:Host is not set, but other settings of {At} are. Set it, or none of them.";
            yield break;
        }

        if (mail.Port is < 1 or > 65535) yield return $"{At}:Port must be between 1 and 65535; it is {mail.Port}.";
        if (!MailboxAddress.TryParse(mail.From, out var from) || !from.Address.Contains('@', StringComparison.Ordinal)) yield return $"{At}:From must be an e-mail address; it is '{mail.From}'.";
        if (string.IsNullOrEmpty(mail.User) != string.IsNullOrEmpty(mail.Password))
            yield return $"{At}:{(string.IsNullOrEmpty(mail.User) ? "User" : "Password")} is not set. Set both User and Password, or neither.";
        if (!string.IsNullOrEmpty(mail.Password) && mail.Security == MailSecurity.None && !environment.IsDevelopment())
            yield return $"{At}:Security is None, which would send the password in clear. Use StartTls or Tls.";
    }
}
