using System.Globalization;
using System.Net;
using Microsoft.Extensions.Options;
using Pulse.Identity;
using Pulse.Web.Mail;
using Pulse.Web.Pages;
using Pulse.Web.SignIn;
using Pulse.Web.Tests.Pages;

namespace Pulse.Web.Tests.SignIn;

/// <summary>The languages and names of the mails.</summary>
public sealed class SignInMailsTests
{
    private static readonly TimeSpan s_lifetime = TimeSpan.FromMinutes(10);

    [Fact]
    public void MailsWithALink_HaveTheLanguageOfTheRequest_AndTheIntegratorsName()
    {
        var (signIn, confirm) = InGerman(() =>
        {
            var mails = Mails(new() { Name = "A&B" });
            return (mails.SignIn("ada@example.com", "https://chat.example/x?a=1&b=2", "12345678", "chat.example", s_lifetime),
                mails.ConfirmAddress("ada@example.com", "https://chat.example/x", "chat.example", s_lifetime));
        });

        Assert.Equal(("de", "Ihr Anmeldelink für A&B"), (signIn.Language, signIn.Subject));
        Assert.StartsWith("Hallo,\n\nöffnen Sie diesen Link, um sich bei A&B auf chat.example anzumelden:\n\nhttps://chat.example/x?a=1&b=2\n", signIn.Text, StringComparison.Ordinal);
        Assert.Contains("10 Minuten", signIn.Text, StringComparison.Ordinal);
        Assert.Contains("<html lang=\"de\">", signIn.Html, StringComparison.Ordinal);
        Assert.Contains("Bei A&amp;B anmelden", signIn.Html, StringComparison.Ordinal);
        Assert.Contains("href=\"https://chat.example/x?a=1&amp;b=2\"", signIn.Html, StringComparison.Ordinal);
        Assert.Equal(("de", "Bestätigen Sie Ihre E-Mail-Adresse für A&B"), (confirm.Language, confirm.Subject));
    }

    [Theory]
    [InlineData(null, "en", "Notice about your account · Pulse", "A new device signed in as you: Chromium <b>.")]
    [InlineData("de", "de", "Hinweis zu Ihrem Konto · Pulse", "Ein neues Gerät hat sich als Sie angemeldet: Chromium <b>.")]
    public void Notice_HasTheLanguageOfTheSite_WhateverTheRequestAsksFor(string? setting, string language, string subject, string sentence)
    {
        var change = NoticeWords.For(AccountNoticeKind.NewDevice, "Chromium <b>")!.Value;

        foreach (var notice in (OutgoingMail[])[Compose(), InGerman(Compose)])
        {
            Assert.Equal((language, subject), (notice.Language, notice.Subject));
            Assert.Contains($"<p style=\"margin:0 0 24px\">{WebUtility.HtmlEncode(sentence)}</p>", notice.Html, StringComparison.Ordinal);
            Assert.Contains("<a href=\"https://chat.example/dashboard\">https://chat.example/dashboard</a>", notice.Html, StringComparison.Ordinal);
        }

        Assert.Equal("de", InGerman(() => CultureInfo.CurrentUICulture.Name));

        OutgoingMail Compose() => Mails(new() { Language = setting }).Notice("ada@example.com", change, "https://chat.example/dashboard");
    }

    private static SignInMails Mails(PagesOptions options) => new(PageTextsTests.Texts(options), Options.Create(options));

    private static T InGerman<T>(Func<T> act)
    {
        T? result = default;
        PageTextsTests.InGerman(() => result = act());
        return result!;
    }
}
