namespace Pulse.Web.SignIn;

/// <summary>The OpenID Connect providers that people sign in with. Settings <c>Pulse:Auth:Google:*</c> and <c>Pulse:Auth:Providers:{name}:*</c>.</summary>
internal sealed class SignInOptions
{
    /// <summary>Where these settings are read from.</summary>
    public const string SectionName = "Pulse:Auth";

    /// <summary>The name of <see cref="Google"/>'s accounts.</summary>
    public const string GoogleName = "google";

    /// <summary>How long somebody may take at the provider. Default 15 minutes.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(15);

    /// <summary>Google. Off until it has a client id.</summary>
    public OpenIdProviderOptions Google { get; set; } = new() { Authority = "https://accounts.google.com", DisplayName = "Google" };

    /// <summary>Any other provider, by the name that its accounts have for good: lower-case letters, digits and hyphens. Default none.</summary>
    public IDictionary<string, OpenIdProviderOptions> Providers { get; } =
        new Dictionary<string, OpenIdProviderOptions>(StringComparer.OrdinalIgnoreCase);

    /// <summary>All that are set up, by name. Environment variables are often in capitals, names never.</summary>
    public IEnumerable<KeyValuePair<string, OpenIdProviderOptions>> All =>
        Providers.Select(provider => KeyValuePair.Create(provider.Key.ToLowerInvariant(), provider.Value))
            .Concat(Google.IsSet ? [KeyValuePair.Create(GoogleName, Google)] : []);

    /// <summary>The provider of that name, or <see langword="null"/>.</summary>
    public OpenIdProviderOptions? Find(string? name) => All.FirstOrDefault(provider => provider.Key == name).Value;
}

/// <summary>One OpenID Connect provider, and what Pulse is registered as there.</summary>
internal sealed class OpenIdProviderOptions
{
    /// <summary>Pulse's id at the provider.</summary>
    public string? ClientId { get; set; }

    /// <summary>The secret that goes with it.</summary>
    public string? ClientSecret { get; set; }

    /// <summary>The provider's issuer URL; its discovery document (below <c>/.well-known/</c>) gives everything else. https outside Development.</summary>
    public string? Authority { get; set; }

    /// <summary>What people call it. Default its name.</summary>
    public string? DisplayName { get; set; }

    /// <summary>Whether to ask the userinfo endpoint too: for providers whose ID tokens have no e-mail. Default no, since it costs a round trip.</summary>
    public bool UserInfo { get; set; }

    /// <summary>
    /// Whether an account of it joins the user who has proven the same address: for a provider that is authoritative for the addresses that it calls
    /// verified. Default no. For Google the default is Google's own rule: addresses at gmail.com, and those of accounts with an <c>hd</c> claim.
    /// </summary>
    public bool? JoinsByEmail { get; set; }

    /// <summary>Whether somebody meant to set it up.</summary>
    public bool IsSet => !string.IsNullOrEmpty(ClientId) || !string.IsNullOrEmpty(ClientSecret);
}
