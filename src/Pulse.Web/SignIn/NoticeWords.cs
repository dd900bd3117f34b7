using Pulse.Identity;
using Pulse.Web.Pages;

namespace Pulse.Web.SignIn;

/// <summary>The text of a notice, for a mail and the dashboard.</summary>
internal static class NoticeWords
{
    /// <summary>One sentence. <see langword="null"/> for a kind of a newer version.</summary>
    public static Words? For(AccountNoticeKind kind, string? detail) => kind switch
    {
        AccountNoticeKind.Linked => (Words)$"An account was linked: {detail}. It can sign in as you from now on.",
        AccountNoticeKind.Unlinked => (Words)$"An account was unlinked: {detail}. The devices that had signed in with it were signed out.",
        AccountNoticeKind.AddressChanged => (Words)$"Your e-mail address was changed: {detail}.",
        AccountNoticeKind.NewDevice => (Words)$"A new device signed in as you: {detail}.",
        _ => (Words?)null,
    };
}
