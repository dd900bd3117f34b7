using Pulse.Identity;

namespace Pulse.Web.SignIn;

/// <summary>The text of a notice, for a mail and the dashboard.</summary>
internal static class NoticeWords
{
    /// <summary>One sentence. <see langword="null"/> for a kind of a newer version.</summary>
    public static string? For(AccountNoticeKind kind, string? detail) => kind switch
    {
        AccountNoticeKind.Linked => $"An account was linked: {detail}. It can sign in as you from now on.",
        AccountNoticeKind.Unlinked => $"An account was unlinked: {detail}. The devices that had signed in with it were signed out.",
        AccountNoticeKind.AddressChanged => $"Your e-mail address was changed: {detail}.",
        AccountNoticeKind.NewDevice => $"A new device signed in as you: {detail}.",
        _ => null,
    };
}
