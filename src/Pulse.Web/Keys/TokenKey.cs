using System.Globalization;
using System.Security.Cryptography;
using System.Xml.Linq;
using Microsoft.IdentityModel.Tokens;

namespace Pulse.Web.Keys;

/// <summary>A key pair that Pulse's own tokens are signed with (ES256), as it is kept in the key ring.</summary>
internal sealed class TokenKey
{
    private const string ElementName = "tokenKey";

    private readonly ECDsa _pair;

    private TokenKey(ECDsa pair, DateTimeOffset signsFrom, DateTimeOffset olderUntil)
    {
        (_pair, SignsFrom, OlderUntil) = (pair, signsFrom, olderUntil);
        PublicKey = ToPublicKey(pair);

        // RFC 7638: a name that follows from the key, so that no two keys share one.
        Id = Base64UrlEncoder.Encode(PublicKey.ComputeJwkThumbprint());
        PublicKey.KeyId = Id;
        Key = new ECDsaSecurityKey(pair) { KeyId = Id };
        Credentials = new(Key, SecurityAlgorithms.EcdsaSha256);
    }

    /// <summary>The <c>kid</c> of its tokens.</summary>
    public string Id { get; }

    /// <summary>From when on it signs, UTC: the newest key whose time has come does.</summary>
    public DateTimeOffset SignsFrom { get; }

    /// <summary>Until when tokens of older keys can be alive, UTC.</summary>
    public DateTimeOffset OlderUntil { get; }

    /// <summary>What its tokens are checked with.</summary>
    public SecurityKey Key { get; }

    /// <summary>What its tokens are signed with.</summary>
    public SigningCredentials Credentials { get; }

    /// <summary>The public half, as it is published.</summary>
    public JsonWebKey PublicKey { get; }

    /// <summary>What the ring calls it.</summary>
    public string ElementKey => NameOf(Id);

    /// <summary>A new pair.</summary>
    public static TokenKey Create(DateTimeOffset signsFrom, DateTimeOffset olderUntil) =>
        new(ECDsa.Create(ECCurve.NamedCurves.nistP256), signsFrom, olderUntil);

    /// <summary>What the ring calls the key of that id.</summary>
    public static string NameOf(string id) => $"token-key-{id}";

    /// <summary>Reads what <see cref="ToXml"/> wrote.</summary>
    /// <exception cref="FormatException">It is something else.</exception>
    public static TokenKey Read(XElement element)
    {
        if (element.Name != ElementName) throw new FormatException("The element is no token key.");

        var pair = ECDsa.Create();
        pair.ImportPkcs8PrivateKey(Convert.FromBase64String(element.Value), out _);
        return new(pair, ReadTime(element, "signsFrom"), ReadTime(element, "olderUntil"));
    }

    /// <summary>The pair, for the ring: to be encrypted.</summary>
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
