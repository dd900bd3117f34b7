using System.Security.Cryptography;
using System.Text;
using System.Xml.Linq;
using Microsoft.AspNetCore.DataProtection.XmlEncryption;
using Microsoft.Extensions.Options;
using Pulse.Web.Auth;

namespace Pulse.Web.Keys;

/// <summary>Encrypts the key ring where it is stored: whoever reads the database cannot forge forms or sign-in states.</summary>
/// <remarks>
/// AES-256-GCM under a key that HKDF (RFC 5869) derives from <see cref="AuthOptions.SigningKey"/>. After a change of that setting the old ring is
/// unreadable and a new one begins: sign-ins under way and forms that are open have to be started anew. Sessions have ended then too: <see cref="Sessions.SessionSecrets"/>.
/// </remarks>
internal sealed class KeyRingCipher(IOptions<AuthOptions> options) : IXmlEncryptor
{
    private const string ElementName = "sealed";
    private const int KeyBytes = 32;

    // What the key is for: no other use of the setting derives the same one. Also bound to every message, so that none passes for another's.
    private static readonly byte[] s_purpose = "pulse/data-protection-key-ring/v1"u8.ToArray();
    private static readonly int s_nonceBytes = AesGcm.NonceByteSizes.MaxSize;
    private static readonly int s_tagBytes = AesGcm.TagByteSizes.MaxSize;

    private readonly byte[] _key = HKDF.DeriveKey(
        HashAlgorithmName.SHA256, Encoding.UTF8.GetBytes(options.Value.SigningKey!), KeyBytes, salt: null, s_purpose);

    public EncryptedXmlInfo Encrypt(XElement plaintextElement)
    {
        var plain = Encoding.UTF8.GetBytes(plaintextElement.ToString(SaveOptions.DisableFormatting));
        var message = new byte[s_nonceBytes + s_tagBytes + plain.Length];
        var nonce = message.AsSpan(0, s_nonceBytes);

        // NIST SP 800-38D section 8.3: random nonces do for 2^32 messages under one key; a ring has a handful.
        RandomNumberGenerator.Fill(nonce);
        using var aes = new AesGcm(_key, s_tagBytes);
        aes.Encrypt(nonce, plain, message.AsSpan(s_nonceBytes + s_tagBytes), message.AsSpan(s_nonceBytes, s_tagBytes), s_purpose);
        CryptographicOperations.ZeroMemory(plain);
        return new(new XElement(ElementName, Convert.ToBase64String(message)), typeof(KeyRingDecryptor));
    }

    /// <summary>Gives back what <see cref="Encrypt"/> was given.</summary>
    /// <exception cref="CryptographicException">It was changed, or encrypted under another signing key.</exception>
    public XElement Decrypt(XElement encryptedElement)
    {
        var message = Convert.FromBase64String(encryptedElement.Value);
        if (message.Length < s_nonceBytes + s_tagBytes) throw new CryptographicException("The key's ciphertext is cut short.");

        var plain = new byte[message.Length - s_nonceBytes - s_tagBytes];
        using var aes = new AesGcm(_key, s_tagBytes);
        aes.Decrypt(
            message.AsSpan(0, s_nonceBytes), message.AsSpan(s_nonceBytes + s_tagBytes), message.AsSpan(s_nonceBytes, s_tagBytes), plain, s_purpose);
        return XElement.Parse(Encoding.UTF8.GetString(plain));
    }
}

/// <summary>What the framework makes, by the type name stored with each key, to decrypt it. The name and this constructor must stay.</summary>
internal sealed class KeyRingDecryptor(IServiceProvider services) : IXmlDecryptor
{
    public XElement Decrypt(XElement encryptedElement) => services.GetRequiredService<KeyRingCipher>().Decrypt(encryptedElement);
}
