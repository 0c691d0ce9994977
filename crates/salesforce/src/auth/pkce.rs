//! Proof key for code exchange (RFC 7636).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};

use crate::error::{Error, Result};
use crate::secret::Secret;

/// The secret that ties the code from the browser to who asked for it.
#[derive(Debug, Clone)]
pub struct Verifier(Secret<String>);

impl Verifier {
    /// A new one, of 32 random bytes.
    pub fn random() -> Result<Self> {
        random_text().map(|text| Self(text.into()))
    }

    /// The base64url of its SHA-256 (method `S256`).
    pub fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(digest(&SHA256, self.0.expose().as_bytes()))
    }

    pub(crate) fn secret(&self) -> &Secret<String> {
        &self.0
    }
}

/// 32 random bytes as base64url, 43 characters.
pub(crate) fn random_text() -> Result<String> {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).map_err(|_| Error::Internal {
        what: "this machine gives no randomness".to_owned(),
    })?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_standard() {
        // RFC 7636, appendix B.
        let verifier = Verifier("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".into());
        assert_eq!(verifier.challenge(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn verifiers_differ_and_have_an_allowed_length() {
        let (one, other) = (random_text().unwrap(), random_text().unwrap());
        assert_ne!(one, other);
        assert_eq!(one.len(), 43);
    }
}
