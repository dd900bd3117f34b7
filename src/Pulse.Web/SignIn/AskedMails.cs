using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.DataProtection;
using Pulse.Silo.Clock;
using Pulse.Web.Sessions;

namespace Pulse.Web.SignIn;

/// <summary>A sign-in mail that a browser has requested.</summary>
/// <param name="Email">The mailbox.</param>
/// <param name="Token">The secret of its link.</param>
/// <param name="Code">The digits that can be entered instead.</param>
/// <param name="ExpiresAt">When both expire, Unix seconds.</param>
internal sealed record AskedMail(string Email, string Token, string Code, long ExpiresAt);

/// <summary>The sign-in mails that this browser has requested, in a cookie that only Pulse can read.</summary>
/// <remarks>
/// A link or code is valid only in the browser that requested it. The reader of a forwarded or intercepted mail uses another browser, and
/// an attacker cannot sign a victim's browser in with a link to the attacker's mailbox (ASVS 5.0 section 6.6.2). The cookie also contains
/// the code, so that the database stores only the token's hash.
/// </remarks>
internal sealed class AskedMails(IDataProtectionProvider protection, RequestedMailsCookie cookie, [FromKeyedServices(ClockSetup.WallClock)] TimeProvider time)
{
    private const int AtMost = 3;

    private readonly IDataProtector _protector = protection.CreateProtector("Pulse.Web.SignIn.AskedMails");

    /// <summary>Adds a mail, and removes the oldest if there are more than three.</summary>
    public void Add(HttpContext context, AskedMail mail)
    {
        AskedMail[] mails = [.. Read(context).TakeLast(AtMost - 1), mail];
        cookie.Set(
            context,
            _protector.Protect(JsonSerializer.Serialize(mails, AskedMailsJson.Default.AskedMailArray)),
            DateTimeOffset.FromUnixTimeSeconds(mail.ExpiresAt) - time.GetUtcNow());
    }

    /// <summary>The mails to that mailbox, grouped by whether they have this code.</summary>
    public ILookup<bool, AskedMail> Find(HttpContext context, string email, string code) => Read(context)
        .Where(mail => mail.Email == email)
        .ToLookup(mail => CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(mail.Code), Encoding.ASCII.GetBytes(code)));

    /// <summary>Whether this browser requested the mail with that token.</summary>
    public bool Has(HttpContext context, string token) => Read(context)
        .Any(mail => CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(mail.Token), Encoding.ASCII.GetBytes(token)));

    private AskedMail[] Read(HttpContext context)
    {
        if (cookie.Read(context) is not { } text) return [];
        try
        {
            var now = time.GetUtcNow().ToUnixTimeSeconds();
            var mails = JsonSerializer.Deserialize(_protector.Unprotect(text), AskedMailsJson.Default.AskedMailArray) ?? [];
            return [.. mails.Where(mail => mail.ExpiresAt > now)];
        }
        catch (CryptographicException)
        {
            return [];
        }
    }
}

[JsonSerializable(typeof(AskedMail[]))]
internal sealed partial class AskedMailsJson : JsonSerializerContext;
