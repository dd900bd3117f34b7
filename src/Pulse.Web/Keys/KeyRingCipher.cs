using System.Security.Cryptography;
using System.Text;
using System.Xml.Linq;
using Microsoft.AspNetCore.DataProtection.XmlEncryption;
using Microsoft.Extensions.Options;
using Pulse.Web.Auth;

namespace Pulse.Web.Keys;

/// <summary>Encrypts the key ring where it is stored: whoever reads the database cannot forge forms or sign-in states.</summary>
/// <remarks>
/// AES-256-GCM under a key that HKDF (RFC 5869) derives from <see cref="AuthOptions.SigningKey"/>. Elements under
/// <see cref="AuthOptions.PreviousSigningKeys"/> are read too, and <see cref="KeyRingUpkeep"/> encrypts them anew. After a change of the setting without its
/// old value in that list the ring is unreadable and a new one begins: sign-ins under way and open forms have to be started anew, and sessions have ended
/// (<see cref="Sessions.SessionSecrets"/>).
/// </remarks>
internal sealed class KeyRingCipher(IOptions<AuthOptions> options) : IXmlEncryptor
{
    /// <summary>The name of what <see cref="Encrypt"/> gives.</summary>
    public const string ElementName = "sealed";

    private const int KeyBytes = 32;

    // What the key is for: no other use of the setting derives the same one. Also bound to every message, so that none passes for another's.
    private static readonly byte[] s_purpose = "pulse/data-protection-key-ring/v1"u8.ToArray();
    private static readonly int s_nonceBytes = AesGcm.NonceByteSizes.MaxSize;
    private static readonly int s_tagBytes = AesGcm.TagByteSizes.MaxSize;

    // The first one encrypts; all decrypt.
    private readonly byte[][] _keys =
    [
        .. options.Value.AllSigningKeys.Select(secret =>
            HKDF.DeriveKey(HashAlgorithmName.SHA256, Encoding.UTF8.GetBytes(secret), KeyBytes, salt: null, s_purpose)),
    ];

    public EncryptedXmlInfo Encrypt(XElement plaintextElement)
    {
        var plain = Encoding.UTF8.GetBytes(plaintextElement.ToString(SaveOptions.DisableFormatting));
        var message = new byte[s_nonceBytes + s_tagBytes + plain.Length];
        var nonce = message.AsSpan(0, s_nonceBytes);

        // NIST SP 800-38D section 8.3: random nonces do for 2^32 messages under one key; a ring has a handful.
        RandomNumberGenerator.Fill(nonce);
        using var aes = new AesGcm(_keys[0], s_tagBytes);
        aes.Encrypt(nonce, plain, message.AsSpan(s_nonceBytes + s_tagBytes), message.AsSpan(s_nonceBytes, s_tagBytes), s_purpose);
        CryptographicOperations.ZeroMemory(plain);
        return new(new XElement(ElementName, Convert.ToBase64String(message)), typeof(KeyRingDecryptor));
    }

    /// <summary>Gives back what <see cref="Encrypt"/> was given.</summary>
    /// <exception cref="CryptographicException">It was changed, or encrypted under a signing key that is not accepted here.</exception>
    public XElement Decrypt(XElement encryptedElement) => Decrypt(encryptedElement, out _);

    /// <summary>As <see cref="Decrypt(XElement)"/>; tells whether the element is under <see cref="AuthOptions.SigningKey"/> and no earlier one.</summary>
    public XElement Decrypt(XElement encryptedElement, out bool isCurrent)
    {
        byte[] message;
        try
        {
            message = Convert.FromBase64String(encryptedElement.Value);
        }
        catch (FormatException exception)
        {
            throw new CryptographicException("The key's ciphertext is not base64.", exception);
        }

        if (message.Length < s_nonceBytes + s_tagBytes) throw new CryptographicException("The key's ciphertext is cut short.");
        for (var i = 0; ; i++)
        {
            try
            {
                var plain = Open(_keys[i], message);
                isCurrent = i == 0;
                return XElement.Parse(Encoding.UTF8.GetString(plain));
            }
            catch (AuthenticationTagMismatchException) when (i + 1 < _keys.Length)
            {
                // Perhaps under the next one.
            }
        }
    }

    private static byte[] Open(byte[] key, byte[] message)
    {
        var plain = new byte[message.Length - s_nonceBytes - s_tagBytes];
        using var aes = new AesGcm(key, s_tagBytes);
        aes.Decrypt(
            message.AsSpan(0, s_nonceBytes), message.AsSpan(s_nonceBytes + s_tagBytes), message.AsSpan(s_nonceBytes, s_tagBytes), plain, s_purpose);
        return plain;
    }
}

/// <summary>What the framework makes, by the type name stored with each key, to decrypt it. The name and this constructor must stay.</summary>
internal sealed class KeyRingDecryptor(IServiceProvider services) : IXmlDecryptor
{
    public XElement Decrypt(XElement encryptedElement) => services.GetRequiredService<KeyRingCipher>().Decrypt(encryptedElement);
}
