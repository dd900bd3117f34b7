using Microsoft.Extensions.Options;

namespace Pulse.Web.Http;

/// <summary>The public URL of this site. Setting <c>Pulse:PublicUrl</c>.</summary>
internal sealed class SiteOptions
{
    /// <summary>The setting.</summary>
    public const string Setting = "Pulse:PublicUrl";

    /// <summary>The name of the setting in earlier versions, which is still read.</summary>
    public const string FormerSetting = "Pulse:Mail:PublicUrl";

    /// <summary>
    /// Scheme, host and port, such as <c>https://pulse.example.com</c>. It may include <see cref="PathOptions.PathBase"/>, which has the
    /// same meaning. Default: those of each request. Required outside Development if people can sign in, because a client chooses the host
    /// of its request.
    /// </summary>
    public string? PublicUrl { get; set; }
}

/// <summary>Accepts only the origin of a site as public URL.</summary>
internal sealed class SiteOptionsValidator(IHostEnvironment environment, IConfiguration configuration) : IValidateOptions<SiteOptions>
{
    public ValidateOptionsResult Validate(string? name, SiteOptions options) =>
        options.PublicUrl is null || IsSite(options.PublicUrl)
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail(
                $"{SiteOptions.Setting} must be a site such as https://pulse.example.com, without a path other than {PathOptions.SectionName}:PathBase, and https outside Development unless it is this "
                + $"machine; it is '{options.PublicUrl}'.");

    // Browsers treat http on this machine like https elsewhere (W3C Secure Contexts section 3.1).
    private bool IsSite(string url) =>
        Uri.TryCreate(url, UriKind.Absolute, out var uri)
        && (uri.Scheme == Uri.UriSchemeHttps || (uri.Scheme == Uri.UriSchemeHttp && (uri.IsLoopback || environment.IsDevelopment())))
        && uri is { Query: "", Fragment: "", UserInfo: "" }
        && uri.AbsolutePath.TrimEnd('/') is var path && (path.Length == 0 || path == configuration[$"{PathOptions.SectionName}:{nameof(PathOptions.PathBase)}"]);
}
