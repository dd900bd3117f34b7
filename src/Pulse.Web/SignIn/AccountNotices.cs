using System.Net;
using Pulse.Identity;
using Pulse.Users;
using Pulse.Web.Audit;
using Pulse.Web.Mail;

namespace Pulse.Web.SignIn;

/// <summary>Notifies a user of changes to the user's ways to sign in: on the dashboard, and by mail if mail is configured.</summary>
internal sealed partial class AccountNotices(IGrainFactory grains, IMailSender sender, ILogger<AccountNotices> logger)
{
    private const string Subject = "Notice about your account";

    /// <summary>Sends the notice. Errors are only logged, because the request has already done its work.</summary>
    /// <param name="request">The request, which has the site's address.</param>
    /// <param name="user">The user with the previous address.</param>
    /// <param name="kind">The change.</param>
    /// <param name="detail">The changed object as readable text.</param>
    public async Task NotifyAsync(HttpRequest request, UserProfile user, AccountNoticeKind kind, string? detail)
    {
        try
        {
            await grains.GetGrain<INoticesGrain>(user.Id).AddAsync(kind, detail);
        }
        catch (Exception exception)
        {
            LogNotSaved(user.Id, kind, exception.GetType().Name);
        }

        // An unproven address may belong to another person.
        if (sender.UnavailableReason is not null || !user.EmailVerified || NoticeWords.For(kind, detail) is not { } words) return;
        var site = EmailLinks.SiteOf(request);

        // Fire and forget, because a mail server may take seconds while the person waits for the page.
        _ = SendAsync(user.Id, kind, Compose(user.Email, words.ToString(), site));
    }

    /// <summary>Sends a notice and writes an audit line if the account has joined an existing user by its address.</summary>
    public async Task NotifyOfJoinAsync(HttpRequest request, ProfileSyncResult result, string account, Guid? sessionId, string provider)
    {
        if (result is not { Joined: true, Profile: { } user }) return;
        request.HttpContext.Audit(AuditEvents.AccountLinked, user.Id, sessionId, provider);
        await NotifyAsync(request, user, AccountNoticeKind.Linked, account);
    }

    private async Task SendAsync(Guid userId, AccountNoticeKind kind, OutgoingMail notice)
    {
        try
        {
            await sender.SendAsync(notice, CancellationToken.None);
        }
        catch (Exception exception)
        {
            LogNotSent(userId, kind, exception.GetType().Name);
        }
    }

    private static OutgoingMail Compose(string to, string words, Uri site)
    {
        var dashboard = EmailLinks.UrlOf(site, ReturnUrl.Dashboard);
        var text =
            $"""
            Hello,

            {words}

            If that was you, there is nothing to do. If it was not, sign in at {dashboard}
            sign out everywhere, and unlink what is not yours.
            """;
        var html =
            $"""
            <!DOCTYPE html>
            <html lang="en">
            <head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{Subject}</title></head>
            <body style="margin:0;padding:24px;background:#f4f5f7;color:#1b1f24;font:16px/1.5 system-ui,sans-serif">
            <div style="max-width:480px;margin:0 auto;padding:32px;background:#ffffff;border-radius:12px">
            <h1 style="margin:0 0 16px;font-size:22px">{Subject}</h1>
            <p style="margin:0 0 24px">{WebUtility.HtmlEncode(words)}</p>
            <p style="margin:0;font-size:14px;color:#57606a">If that was you, there is nothing to do. If it was not, sign in at <a href="{WebUtility.HtmlEncode(dashboard)}">{WebUtility.HtmlEncode(site.Authority)}</a>, sign out everywhere, and unlink what is not yours.</p>
            </div>
            </body>
            </html>
            """;
        return new(to, $"{Subject} at Pulse", text, html, dashboard);
    }

    [LoggerMessage(2530, LogLevel.Warning, "A notice ({Kind}) for user {UserId} could not be saved: {Exception}")]
    private partial void LogNotSaved(Guid userId, AccountNoticeKind kind, string exception);

    [LoggerMessage(2531, LogLevel.Warning, "A notice ({Kind}) for user {UserId} could not be mailed: {Exception}")]
    private partial void LogNotSent(Guid userId, AccountNoticeKind kind, string exception);
}
