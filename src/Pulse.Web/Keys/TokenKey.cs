using System.Globalization;
using System.Security.Cryptography;
using System.Xml.Linq;
using Microsoft.IdentityModel.Tokens;

namespace Pulse.Web.Keys;

/// <summary>A key pair that signs Pulse's own tokens (ES256), as stored in the key ring.</summary>
internal sealed class TokenKey
{
    private const string ElementName = "tokenKey";

    private readonly ECDsa _pair;

    private TokenKey(ECDsa pair, DateTimeOffset signsFrom, DateTimeOffset olderUntil)
    {
        (_pair, SignsFrom, OlderUntil) = (pair, signsFrom, olderUntil);
        PublicKey = ToPublicKey(pair);

        // RFC 7638: the name is derived from the key, so that it is unique.
        Id = Base64UrlEncoder.Encode(PublicKey.ComputeJwkThumbprint());
        PublicKey.KeyId = Id;
        Key = new ECDsaSecurityKey(pair) { KeyId = Id };
        Credentials = new(Key, SecurityAlgorithms.EcdsaSha256);
    }

    /// <summary>The <c>kid</c> of its tokens.</summary>
    public string Id { get; }

    /// <summary>Time from which it signs, UTC. The newest key whose time has come signs.</summary>
    public DateTimeOffset SignsFrom { get; }

    /// <summary>Time until which tokens of older keys can be valid, UTC.</summary>
    public DateTimeOffset OlderUntil { get; }

    /// <summary>The key for the validation of its tokens.</summary>
    public SecurityKey Key { get; }

    /// <summary>The credentials for signing its tokens.</summary>
    public SigningCredentials Credentials { get; }

    /// <summary>The published public half.</summary>
    public JsonWebKey PublicKey { get; }

    /// <summary>The element's name in the ring.</summary>
    public string ElementKey => NameOf(Id);

    /// <summary>Creates a new pair.</summary>
    public static TokenKey Create(DateTimeOffset signsFrom, DateTimeOffset olderUntil) =>
        new(ECDsa.Create(ECCurve.NamedCurves.nistP256), signsFrom, olderUntil);

    /// <summary>The name in the ring of the key with that id.</summary>
    public static string NameOf(string id) => $"token-key-{id}";

    /// <summary>Parses the result of <see cref="ToXml"/>.</summary>
    /// <exception cref="FormatException">The element is not a token key.</exception>
    public static TokenKey Read(XElement element)
    {
        if (element.Name != ElementName) throw new FormatException("The element is not a token key.");

        var pair = ECDsa.Create();
        pair.ImportPkcs8PrivateKey(Convert.FromBase64String(element.Value), out _);
        return new(pair, ReadTime(element, "signsFrom"), ReadTime(element, "olderUntil"));
    }

    /// <summary>The pair as an element for the ring. The caller must encrypt it.</summary>
    public XElement ToXml() => new(
        ElementName,
        new XAttribute("signsFrom", SignsFrom.ToString("O", CultureInfo.InvariantCulture)),
        new XAttribute("olderUntil", OlderUntil.ToString("O", CultureInfo.InvariantCulture)),
        Convert.ToBase64String(_pair.ExportPkcs8PrivateKey()));

    private static DateTimeOffset ReadTime(XElement element, string name) =>
        DateTimeOffset.Parse(element.Attribute(name)?.Value ?? "", CultureInfo.InvariantCulture);

    private static JsonWebKey ToPublicKey(ECDsa pair)
    {
        var point = pair.ExportParameters(includePrivateParameters: false).Q;
        return new()
        {
            Kty = JsonWebAlgorithmsKeyTypes.EllipticCurve,
            Crv = JsonWebKeyECTypes.P256,
            X = Base64UrlEncoder.Encode(point.X),
            Y = Base64UrlEncoder.Encode(point.Y),
        };
    }
}
