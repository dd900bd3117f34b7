using System.Globalization;
using System.IO.Compression;
using Microsoft.AspNetCore.Localization;
using Microsoft.AspNetCore.ResponseCompression;
using Microsoft.Extensions.Options;
using Pulse.Web.Chat;
using Pulse.Web.Dashboard;
using Pulse.Web.Home;
using Pulse.Web.Pages;
using Pulse.Web.SignIn;

namespace Pulse.Web;

/// <summary>Registers and maps the pages for people.</summary>
internal static class PagesSetup
{
    /// <summary>Adds static rendering of Razor components, and form tokens.</summary>
    public static void AddPulsePages(this IHostApplicationBuilder builder)
    {
        builder.Services.AddRazorComponents();
        // Inserted at the first place, because the first suitable writer is used.
        builder.Services.Insert(0, ServiceDescriptor.Singleton<IProblemDetailsWriter, ProblemPageWriter>());
        builder.Services.AddResponseCompression(compression => compression.EnableForHttps = true);
        // The default, Fastest, makes the scripts a tenth larger. Browsers keep them, because their addresses have a version.
        builder.Services.Configure<BrotliCompressionProviderOptions>(brotli => brotli.Level = CompressionLevel.Optimal);
        builder.Services.Configure<GzipCompressionProviderOptions>(gzip => gzip.Level = CompressionLevel.Optimal);
        builder.Services.AddAntiforgery(forms =>
        {
            forms.FormFieldName = "formToken";
            // The Content-Security-Policy determines which sites may frame a page.
            forms.SuppressXFrameOptionsHeader = true;
            forms.Cookie.HttpOnly = true;
            // The framework's default is the path base, which a __Host- cookie must not have.
            forms.Cookie.Path = "/";
            forms.Cookie.SameSite = SameSiteMode.Strict;

            // RFC 6265bis section 4.1.3.2: this prefix prevents other hosts of the domain from planting the cookie. It requires https,
            // which Development does not use.
            var development = builder.Environment.IsDevelopment();
            forms.Cookie.Name = development ? "pulse-forms" : "__Host-pulse-forms";
            forms.Cookie.SecurePolicy = development ? CookieSecurePolicy.SameAsRequest : CookieSecurePolicy.Always;
        });

        builder.Services.AddSingleton<AssetUrls>();
        builder.Services.AddLocalization();
        builder.Services.AddSingleton<PageTexts>();
        builder.Services.AddSingleton<BrandFiles>();
        builder.Services.AddOptions<PagesOptions>().BindConfiguration(PagesOptions.SectionName)
            .PostConfigure<IHostEnvironment>((pages, environment) => pages.ListPeople ??= environment.IsDevelopment())
            .ValidateOnStart();
        builder.Services.AddSingleton<IValidateOptions<PagesOptions>, PagesOptionsValidator>();
        builder.Services.AddSingleton<PeopleReader>();
        builder.Services.AddSingleton<DashboardReader>();
    }

    /// <summary>Chooses the language of the pages by Accept-Language or setting. Formats of data keep the invariant culture.</summary>
    public static void UsePageLanguages(this WebApplication app)
    {
        var language = app.Services.GetRequiredService<IOptions<PagesOptions>>().Value.Language;
        app.UseRequestLocalization(new RequestLocalizationOptions
        {
            DefaultRequestCulture = new(CultureInfo.InvariantCulture, CultureInfo.GetCultureInfo(PageTexts.Languages[0])),
            SupportedCultures = [CultureInfo.InvariantCulture],
            SupportedUICultures = [.. PageTexts.Languages.Select(CultureInfo.GetCultureInfo)],
            RequestCultureProviders =
            [
                new CustomRequestCultureProvider(_ => Task.FromResult(language is null ? null : new ProviderCultureResult("", language))),
                new AcceptLanguageHeaderRequestCultureProvider(),
            ],
        });
    }

    /// <summary>Serves scripts, styles and pictures, compressed.</summary>
    public static void UsePageAssets(this WebApplication app)
    {
        // Only assets are compressed: if a compressed answer contains a secret and a part of the request, its length reveals the secret
        // (BREACH).
        app.UseWhen(context => context.Request.Path.StartsWithSegments("/assets"), assets => assets.UseResponseCompression());
        if (!app.Environment.IsDevelopment()) app.UseWhen(NeedsHttps, pages => pages.Run(context => WithoutHttps.ExecuteAsync(context)));
        app.UseStaticFiles(new StaticFileOptions { OnPrepareResponse = app.Services.GetRequiredService<AssetUrls>().SetCaching });
    }

    private static IResult WithoutHttps => Page.Error(
        StatusCodes.Status400BadRequest, "This site needs https",
        "The page was asked for over plain http. Browsers keep no sign-in cookies there.",
        "Open it by its https address. Operators: see Pulse:PublicUrl and Pulse:Http:TrustedProxies.", "/", "Go to the start page");

    // Pages with forms set a cookie that browsers accept only over https. The start page sets none, and shows operators which part is
    // unavailable.
    private static bool NeedsHttps(HttpContext context) =>
        context.Request is { IsHttps: false } request && HttpMethods.IsGet(request.Method) && context.GetEndpoint() is not null && ErrorPages.WantsHtml(request)
        && request.Path.Value is not (null or "" or "/") && !request.Path.StartsWithSegments("/health");

    /// <summary>Maps <c>/</c>, <c>/signin</c>, <c>/dashboard</c>, <c>/chat</c>, and in Development <c>/example</c>.</summary>
    public static void MapPages(this WebApplication app)
    {
        app.Services.GetRequiredService<BrandFiles>().Map(app);
        app.MapHome();
        app.MapSignInPage();
        app.MapDashboard();
        app.MapChatPage();
        if (app.Environment.IsDevelopment()) app.MapGroup("").ExcludeFromDescription().MapExample();
    }
}
