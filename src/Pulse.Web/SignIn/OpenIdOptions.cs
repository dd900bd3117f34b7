namespace Pulse.Web.SignIn;

/// <summary>
/// The OpenID Connect providers for sign-in. Settings <c>Pulse:Auth:Google:*</c> and <c>Pulse:Auth:Providers:{name}:*</c>.
/// </summary>
internal sealed class OpenIdOptions
{
    /// <summary>The configuration section of these settings.</summary>
    public const string SectionName = "Pulse:Auth";

    /// <summary>The name of <see cref="Google"/>'s accounts.</summary>
    public const string GoogleName = "google";

    /// <summary>Maximum time that a person may spend at the provider. 15 minutes.</summary>
    public static readonly TimeSpan SignInTimeout = TimeSpan.FromMinutes(15);

    /// <summary>Google. Off unless it has a client id.</summary>
    public OpenIdProviderOptions Google { get; set; } = new() { Authority = "https://accounts.google.com", DisplayName = "Google" };

    /// <summary>
    /// Other providers, by the permanent provider name of their accounts: lower-case letters, digits and hyphens. Default none.
    /// </summary>
    public IDictionary<string, OpenIdProviderOptions> Providers { get; } =
        new Dictionary<string, OpenIdProviderOptions>(StringComparer.OrdinalIgnoreCase);

    /// <summary>All configured providers by name. Names are lower case, although environment variables are often upper case.</summary>
    public IEnumerable<KeyValuePair<string, OpenIdProviderOptions>> All =>
        Providers.Select(provider => KeyValuePair.Create(provider.Key.ToLowerInvariant(), provider.Value))
            .Concat(Google.IsSet ? [KeyValuePair.Create(GoogleName, Google)] : []);

    /// <summary>The provider of that name, or <see langword="null"/>.</summary>
    public OpenIdProviderOptions? Find(string? name) => All.FirstOrDefault(provider => provider.Key == name).Value;
}

/// <summary>One OpenID Connect provider, and Pulse's registration there.</summary>
internal sealed class OpenIdProviderOptions
{
    /// <summary>Pulse's id at the provider.</summary>
    public string? ClientId { get; set; }

    /// <summary>The secret of that id.</summary>
    public string? ClientSecret { get; set; }

    /// <summary>
    /// The provider's issuer URL. Its discovery document (below <c>/.well-known/</c>) contains everything else. https outside Development.
    /// </summary>
    public string? Authority { get; set; }

    /// <summary>The readable name. Default the provider's name.</summary>
    public string? DisplayName { get; set; }

    /// <summary>
    /// Whether to call the userinfo endpoint too, for providers whose ID tokens have no e-mail. Default no, because it costs a round trip.
    /// </summary>
    public bool UserInfo { get; set; }

    /// <summary>
    /// Whether an account of this provider joins the user who has proven the same address. Suitable for a provider that is authoritative
    /// for the addresses that it declares verified. Default no. For Google the default is Google's own rule: addresses at gmail.com, and
    /// those of accounts with an <c>hd</c> claim.
    /// </summary>
    public bool? JoinsByEmail { get; set; }

    /// <summary>Whether the settings intend to configure the provider.</summary>
    public bool IsSet => !string.IsNullOrEmpty(ClientId) || !string.IsNullOrEmpty(ClientSecret);
}
