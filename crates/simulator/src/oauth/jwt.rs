//! JSON web tokens signed with RS256: assertions that clients send, and tokens that the org makes.

use super::der;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{self, RsaKeyPair, UnparsedPublicKey};
use serde_json::{Value, json};

/// A private key for tests, PKCS#8 PEM. It is public; it stands for the key that a client of a real org keeps to itself.
pub const TEST_KEY: &str = include_str!("../../keys/jwt-test-key.pem");
/// The certificate of [`TEST_KEY`], registered with the app that every world begins with.
pub const TEST_CERTIFICATE: &str = include_str!("../../keys/jwt-test-certificate.pem");

/// The claims of a token, not verified; none when it is no JWT signed with RS256.
pub fn claims(token: &str) -> Option<Value> {
    let mut parts = token.split('.');
    let (head, body, _, None) = (parts.next()?, parts.next()?, parts.next()?, parts.next()) else {
        return None;
    };
    let part = |text: &str| -> Option<Value> { serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok() };
    (part(head)?.get("alg")? == "RS256").then(|| part(body)).flatten()
}

/// Whether the key of a PEM text (certificate or public key) signed the token.
pub fn verify(token: &str, pem: &str) -> bool {
    let Some((signed, signature)) = token.rsplit_once('.') else {
        return false;
    };
    let (Some(key), Ok(signature)) = (der::rsa_public_key(pem), URL_SAFE_NO_PAD.decode(signature)) else {
        return false;
    };
    UnparsedPublicKey::new(&signature::RSA_PKCS1_2048_8192_SHA256, key)
        .verify(signed.as_bytes(), &signature)
        .is_ok()
}

/// Signs claims with a private key (PKCS#8 PEM); none when the key is not one.
pub fn sign(claims: &Value, pem: &str) -> Option<String> {
    let key = RsaKeyPair::from_pkcs8(&der::pem(pem, "PRIVATE KEY")?).ok()?;
    let head = URL_SAFE_NO_PAD.encode(json!({ "alg": "RS256" }).to_string());
    let signed = format!("{head}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(
        &signature::RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        signed.as_bytes(),
        &mut signature,
    )
    .ok()?;
    Some(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_signed_is_verified_and_nothing_else() {
        let token = sign(&json!({ "sub": "a" }), TEST_KEY).expect("signed");
        assert!(verify(&token, TEST_CERTIFICATE));
        assert_eq!(claims(&token).expect("claims")["sub"], "a");
        let other = sign(&json!({ "sub": "b" }), TEST_KEY).expect("signed");
        let forged = format!(
            "{}.{}",
            other.rsplit_once('.').expect("parts").0,
            token.rsplit_once('.').expect("parts").1
        );
        assert!(!verify(&forged, TEST_CERTIFICATE));
        assert!(!verify("a.b.c", TEST_CERTIFICATE));
        assert_eq!(claims("a.b.c"), None);
    }
}
