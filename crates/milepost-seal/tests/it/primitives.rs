//! That the ciphers and the derivation are those of their specifications: their own test vectors.

use aes_gcm_siv::Aes256GcmSiv;
use chacha20poly1305::{
    XChaCha20Poly1305,
    aead::{Aead, KeyInit, Payload},
};
use hkdf::Hkdf;
use sha2::Sha256;

use crate::vectors::bytes;

/// draft-irtf-cfrg-xchacha-03, appendix A.3.1.
#[test]
fn xchacha20_poly1305_is_that_of_its_draft() {
    let key: [u8; 32] = std::array::from_fn(|place| 0x80 + u8::try_from(place).unwrap());
    let nonce: [u8; 24] = std::array::from_fn(|place| 0x40 + u8::try_from(place).unwrap());
    let message = b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.";
    let data = bytes("50515253c0c1c2c3c4c5c6c7");
    let expected = "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff921f9664c97637da9768812f615c68b13b52ec0875924c1c7987947deafd8780acf49";
    let cipher = XChaCha20Poly1305::new(&key.into());
    let payload = Payload {
        msg: message,
        aad: &data,
    };
    assert_eq!(
        cipher.encrypt(&nonce.into(), payload).unwrap(),
        bytes(expected)
    );
}

/// RFC 8452, appendix C.2, some of each length.
#[test]
fn aes_256_gcm_siv_is_that_of_its_rfc() {
    let key = "0100000000000000000000000000000000000000000000000000000000000000";
    let nonce = "030000000000000000000000";
    let cases = [
        (key, nonce, "", "", "07f5f4169bbf55a8400cd47ea6fd400f"),
        (
            key,
            nonce,
            "",
            "0100000000000000",
            "c2ef328e5c71c83b843122130f7364b761e0b97427e3df28",
        ),
        (
            key,
            nonce,
            "010000000000000000000000",
            "02000000",
            "22b3f4cd1835e517741dfddccfa07fa4661b74cf",
        ),
        (
            "d1894728b3fed1473c528b8426a582995929a1499e9ad8780c8d63d0ab4149c0",
            "9f572c614b4745914474e7c7",
            "489c8fde2be2cf97e74e932d4ed87d",
            "c9882e5386fd9f92ec",
            "0df9e308678244c44bc0fd3dc6628dfe55ebb0b9fb2295c8c2",
        ),
    ];
    for (key, nonce, data, message, expected) in cases {
        let key: [u8; 32] = bytes(key).try_into().unwrap();
        let nonce: [u8; 12] = bytes(nonce).try_into().unwrap();
        let (data, message) = (bytes(data), bytes(message));
        let payload = Payload {
            msg: &message,
            aad: &data,
        };
        let sealed = Aes256GcmSiv::new(&key.into()).encrypt(&nonce.into(), payload);
        assert_eq!(sealed.unwrap(), bytes(expected));
    }
}

/// RFC 5869, appendix A.1.
#[test]
fn hkdf_sha_256_is_that_of_its_rfc() {
    let (salt, info) = (
        bytes("000102030405060708090a0b0c"),
        bytes("f0f1f2f3f4f5f6f7f8f9"),
    );
    let mut output = [0; 42];
    let derivation = Hkdf::<Sha256>::new(Some(&salt), &[0x0b; 22]);
    derivation.expand(&info, &mut output).unwrap();
    let expected =
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865";
    assert_eq!(output.as_slice(), bytes(expected));
}
