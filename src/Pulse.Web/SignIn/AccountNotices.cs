using Pulse.Identity;
using Pulse.Users;
using Pulse.Web.Audit;
using Pulse.Web.Mail;

namespace Pulse.Web.SignIn;

/// <summary>Notifies a user of changes to the user's ways to sign in: on the dashboard, and by mail if mail is configured.</summary>
internal sealed partial class AccountNotices(IGrainFactory grains, IMailSender sender, SignInMails mails, ILogger<AccountNotices> logger)
{
    /// <summary>Sends the notice. Errors are only logged, because the request has already done its work.</summary>
    /// <param name="request">The request, which has the site's address.</param>
    /// <param name="user">The user with the previous address.</param>
    /// <param name="kind">The change.</param>
    /// <param name="detail">The changed object as readable text in English. See <see cref="NoticeWords"/>.</param>
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
        var notice = mails.Notice(user.Email, words, EmailLinks.UrlOf(EmailLinks.SiteOf(request), ReturnUrl.Dashboard));

        // Fire and forget, because a mail server may take seconds while the person waits for the page.
        _ = SendAsync(user.Id, kind, notice);
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

    [LoggerMessage(2530, LogLevel.Warning, "A notice ({Kind}) for user {UserId} could not be saved: {Exception}")]
    private partial void LogNotSaved(Guid userId, AccountNoticeKind kind, string exception);

    [LoggerMessage(2531, LogLevel.Warning, "A notice ({Kind}) for user {UserId} could not be mailed: {Exception}")]
    private partial void LogNotSent(Guid userId, AccountNoticeKind kind, string exception);
}
