using Microsoft.Extensions.Options;

namespace Pulse.Web.Mail;

/// <summary>Registers the mail sender.</summary>
internal static class MailSetup
{
    /// <summary>Adds the sender for the settings and the environment.</summary>
    public static void AddPulseMail(this IHostApplicationBuilder builder)
    {
        builder.Services.AddOptions<MailOptions>().BindConfiguration(MailOptions.SectionName).ValidateOnStart();
        builder.Services.AddSingleton<IValidateOptions<MailOptions>, MailOptionsValidator>();
        builder.Services.AddSingleton<IMailSender>(services =>
            !string.IsNullOrWhiteSpace(services.GetRequiredService<IOptions<MailOptions>>().Value.Host) ? ActivatorUtilities.CreateInstance<SmtpMailSender>(services)
            : services.GetRequiredService<IHostEnvironment>().IsDevelopment() ? ActivatorUtilities.CreateInstance<DevMailbox>(services)
            : new NoMail());
    }
}
