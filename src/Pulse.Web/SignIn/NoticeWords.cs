using System.Text.RegularExpressions;
using Pulse.Identity;
using Pulse.Web.Pages;

namespace Pulse.Web.SignIn;

/// <summary>The text of a notice, for a mail and the dashboard.</summary>
/// <remarks>
/// A notice is stored with its detail in English, which exports contain and front ends of earlier versions show. The text takes the detail
/// apart again, because its parts may have a translation.
/// </remarks>
internal static partial class NoticeWords
{
    /// <summary>One sentence. <see langword="null"/> for a kind of a newer version.</summary>
    public static Words? For(AccountNoticeKind kind, string? detail)
    {
        var (account, device) = (Account(detail ?? ""), Device(detail ?? ""));
        return kind switch
        {
            AccountNoticeKind.Linked => (Words)$"An account was linked: {account}. It can sign in as you from now on.",
            AccountNoticeKind.Unlinked => (Words)$"An account was unlinked: {account}. The devices that had signed in with it were signed out.",
            AccountNoticeKind.AddressChanged => (Words)$"Your e-mail address was changed: {detail}.",
            AccountNoticeKind.NewDevice => (Words)$"A new device signed in as you: {device}.",
            _ => (Words?)null,
        };
    }

    /// <summary>The detail of a changed address.</summary>
    public static string Change(string from, string to) => $"{from} → {to}";

    private static Words Account(string detail)
    {
        if (WithAddress().Match(detail) is not { Success: true, Groups: [_, var name, var address] }) return SignInProviders.Stored(detail);
        var provider = SignInProviders.Stored(name.Value);
        return $"{provider} ({address.Value})";
    }

    private static Words Device(string detail)
    {
        if (WithProvider().Match(detail) is not { Success: true, Groups: [_, var name, var by] }) return DeviceWords.Of(detail);
        var (device, provider) = (DeviceWords.Of(name.Value), SignInProviders.Stored(by.Value));
        return (Words)$"{device}, by {provider}";
    }

    // "E-mail link (ada@example.com)", of SignInProviders.Describe.
    [GeneratedRegex(@"^(.+) \(([^\s()]+@[^\s()]+)\)$")]
    private static partial Regex WithAddress();

    // "Firefox on Windows, by E-mail link", of SignInCompletion.
    [GeneratedRegex("^(.+?), by (.+)$")]
    private static partial Regex WithProvider();
}
