using System.Security.Cryptography;
using System.Text;
using System.Xml.Linq;
using Microsoft.AspNetCore.DataProtection.XmlEncryption;
using Microsoft.Extensions.Options;
using Pulse.Web.Auth;

namespace Pulse.Web.Keys;

/// <summary>Encrypts the stored key ring, so that a reader of the database cannot forge forms or sign-in states.</summary>
/// <remarks>
/// AES-256-GCM under a key that HKDF (RFC 5869) derives from <see cref="AuthOptions.SigningKey"/>. Elements under
/// <see cref="AuthOptions.PreviousSigningKeys"/> are readable too, and <see cref="KeyRingUpkeep"/> encrypts them again. After a change of
/// the setting without its old value in that list, the ring is unreadable and a new one begins. Running sign-ins and open forms must then
/// be started again, and sessions have ended (<see cref="Sessions.SessionSecrets"/>).
/// </remarks>
internal sealed class KeyRingCipher(IOptions<AuthOptions> options) : IXmlEncryptor
{
    /// <summary>The name of the element that <see cref="Encrypt"/> returns.</summary>
    public const string ElementName = "sealed";

    private const int KeyBytes = 32;

    // The purpose of the key, so that other uses of the setting derive different keys. It is also bound to every message, so that messages
    // of different purposes cannot be exchanged.
    private static readonly byte[] s_purpose = "pulse/data-protection-key-ring/v1"u8.ToArray();
    private static readonly int s_nonceBytes = AesGcm.NonceByteSizes.MaxSize;
    private static readonly int s_tagBytes = AesGcm.TagByteSizes.MaxSize;

    // The first key encrypts, and all decrypt.
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

        // NIST SP 800-38D section 8.3: random nonces suffice for 2^32 messages under one key, and a ring has a handful.
        RandomNumberGenerator.Fill(nonce);
        using var aes = new AesGcm(_keys[0], s_tagBytes);
        aes.Encrypt(nonce, plain, message.AsSpan(s_nonceBytes + s_tagBytes), message.AsSpan(s_nonceBytes, s_tagBytes), s_purpose);
        CryptographicOperations.ZeroMemory(plain);
        return new(new XElement(ElementName, Convert.ToBase64String(message)), typeof(KeyRingDecryptor));
    }

    /// <summary>Decrypts the result of <see cref="Encrypt"/>.</summary>
    /// <exception cref="CryptographicException">The element was altered, or encrypted under an unknown signing key.</exception>
    public XElement Decrypt(XElement encryptedElement) => Decrypt(encryptedElement, out _);

    /// <summary>
    /// As <see cref="Decrypt(XElement)"/>. Also returns whether the element is under <see cref="AuthOptions.SigningKey"/> instead of an
    /// earlier one.
    /// </summary>
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
                // The next key may match.
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

/// <summary>
/// Created by the framework for decryption, by the type name stored with each key. The name and this constructor must stay.
/// </summary>
internal sealed class KeyRingDecryptor(IServiceProvider services) : IXmlDecryptor
{
    public XElement Decrypt(XElement encryptedElement) => services.GetRequiredService<KeyRingCipher>().Decrypt(encryptedElement);
}
