using Pulse.Identity;
using Pulse.Web.Http;
using Pulse.Web.Profiles;

namespace Pulse.Web.SignIn;

/// <summary><c>POST /auth/signin/dev</c>: "continue as", a session for any user without proof. Development only.</summary>
internal static class DevSignInForm
{
    /// <summary>Maps the route, but only in Development with <c>Pulse:Auth:DevSignIn</c>.</summary>
    public static void MapDevSignInForm(this WebApplication app)
    {
        if (!app.Services.GetRequiredService<SignInProviders>().DevAllowed) return;
        app.MapPost("/auth/signin/dev", SignInAsync).AllowAnonymous().ExcludeFromDescription();
    }

    private static async Task<IResult> SignInAsync(HttpContext context, SignInCompletion completion)
    {
        if (!context.Request.HasFormContentType) return ProblemTypes.UnsupportedMediaType.ToResult("Send a form with 'email' and 'name'.");
        var form = await RequestForm.ReadAsync(context);

        if (!EmailAddress.TryNormalize(form["email"], out var email)) return SignInErrors.EmailUnusable();
        var name = form["name"].ToString() is { Length: > 0 } given ? given : null;
        if (ProfileRules.NameFault(name) is { } fault) return SignInErrors.NameUnusable(fault);

        return await completion.SignInAsync(context, ExternalIdentity.FromWord(email, name), form["returnUrl"]);
    }
}
