//! The assertion of the JWT bearer grant (RFC 7523), signed with RS256.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::json;

use crate::error::{Error, Result};
use crate::secret::Secret;

/// How long an assertion is good for: what Salesforce advises at most.
const LIFETIME: Duration = Duration::from_secs(180);

/// An RSA key for signing in.
pub struct JwtKey(RsaKeyPair);

impl fmt::Debug for JwtKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JwtKey")
    }
}

impl JwtKey {
    /// Reads a private key in PEM form: `PRIVATE KEY` (PKCS#8) or `RSA PRIVATE KEY` (PKCS#1), 2048 bits or more, without a
    /// password.
    ///
    /// # Errors
    /// `bad_configuration` when it is another thing.
    pub fn from_pem(pem: &str) -> Result<Self> {
        let wrong = |what: &str| Error::Configuration {
            what: format!("the key for signing in cannot be used: {what}"),
            hint: "make one with `openssl genrsa -out server.key 2048`; it begins with BEGIN PRIVATE KEY or BEGIN RSA PRIVATE KEY",
        };
        let (label, der) = block(pem).ok_or_else(|| wrong("it holds no private key in PEM form"))?;
        let pair = match label {
            "PRIVATE KEY" => RsaKeyPair::from_pkcs8(der.expose()),
            "RSA PRIVATE KEY" if pem.contains("ENCRYPTED") => return Err(wrong("it is locked with a password")),
            "RSA PRIVATE KEY" => RsaKeyPair::from_der(der.expose()),
            "ENCRYPTED PRIVATE KEY" => return Err(wrong("it is locked with a password")),
            other => return Err(wrong(&format!("it holds a {other}"))),
        };
        pair.map(Self).map_err(|error| wrong(&error.to_string()))
    }

    /// The signed claims `iss`, `sub`, `aud` and `exp`.
    pub(crate) fn assertion(&self, app: &str, user: &str, audience: &str, now: SystemTime) -> Result<Secret<String>> {
        let internal = |what: &str| Error::Internal {
            what: format!("the assertion cannot be signed: {what}"),
        };
        let end = now
            .duration_since(UNIX_EPOCH)
            .map_err(|_| internal("the clock is before 1970"))?
            + LIFETIME;
        let claims = json!({"iss": app, "sub": user, "aud": audience, "exp": end.as_secs()});
        let mut text = URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256"}"#);
        text.push('.');
        URL_SAFE_NO_PAD.encode_string(claims.to_string(), &mut text);
        let mut signature = vec![0; self.0.public().modulus_len()];
        self.0
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature)
            .map_err(|_| internal("no randomness"))?;
        text.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut text);
        Ok(text.into())
    }
}

/// The first block of a PEM file whose label ends in `PRIVATE KEY`, decoded; headers inside are left away.
fn block(pem: &str) -> Option<(&str, Secret<Vec<u8>>)> {
    let mut rest = pem;
    loop {
        let (_, after) = rest.split_once("-----BEGIN ")?;
        let (label, after) = after.split_once("-----")?;
        let (body, after) = after.split_once(&format!("-----END {label}-----"))?;
        if label.ends_with("PRIVATE KEY") {
            let lines = body.lines().filter(|line| !line.contains(':'));
            let text: String = lines.flat_map(str::split_whitespace).collect();
            // The body of a locked key is no key; its label and headers say so.
            let der = STANDARD.decode(text).unwrap_or_default();
            return Some((label, Secret::new(der)));
        }
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
    use serde_json::Value;

    use super::*;

    /// A new key in both forms. A key in the repository would look like a leak.
    fn keys() -> (String, String) {
        let openssl = |arguments: &[&str]| {
            let output = Command::new("openssl")
                .args(arguments)
                .output()
                .expect("openssl is installed");
            assert!(output.status.success(), "{output:?}");
            String::from_utf8(output.stdout).unwrap()
        };
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key.pem");
        let pkcs8 = openssl(&["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]);
        std::fs::write(&file, &pkcs8).unwrap();
        let pkcs1 = openssl(&["rsa", "-traditional", "-in", &file.to_string_lossy()]);
        (pkcs8, pkcs1)
    }

    #[test]
    fn the_assertion_is_signed_by_the_key_in_both_forms() {
        let (pkcs8, pkcs1) = keys();
        assert!(pkcs1.contains("BEGIN RSA PRIVATE KEY"));
        let now = UNIX_EPOCH + Duration::from_secs(1_772_446_530);
        let audience = "https://test.salesforce.com";
        let sign = |pem: &str| {
            let key = JwtKey::from_pem(pem).unwrap();
            let assertion = key.assertion("app-1", "ops@acme.example", audience, now).unwrap();
            (key, assertion.expose().clone())
        };
        let (key, assertion) = sign(&pkcs8);
        assert_eq!(assertion, sign(&pkcs1).1);

        let parts: Vec<&str> = assertion.split('.').collect();
        let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap();
        let expected = json!({"iss": "app-1", "sub": "ops@acme.example", "aud": audience, "exp": 1_772_446_710});
        assert_eq!(claims, expected);
        let signature = URL_SAFE_NO_PAD.decode(parts[2]).unwrap();
        let public = RsaPublicKeyComponents::<Vec<u8>>::from(key.0.public());
        let signed = format!("{}.{}", parts[0], parts[1]);
        public
            .verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &signature)
            .unwrap();
        assert!(
            public
                .verify(&RSA_PKCS1_2048_8192_SHA256, b"other", &signature)
                .is_err()
        );
    }

    #[test]
    fn what_is_no_key_is_refused_with_a_reason() {
        let begin = |label: &str, body: &str| format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n");
        let check = |pem: &str, part: &str| {
            let text = JwtKey::from_pem(pem).unwrap_err().to_string();
            assert!(text.contains(part), "{text}");
        };
        check("", "holds no private key");
        check(&begin("CERTIFICATE", "AAAA"), "holds no private key");
        check(&begin("ENCRYPTED PRIVATE KEY", "AAAA"), "locked");
        check(&begin("RSA PRIVATE KEY", "Proc-Type: 4,ENCRYPTED\n\nAAAA"), "locked");
        check(&begin("EC PRIVATE KEY", "AAAA"), "EC PRIVATE KEY");
        check(&begin("PRIVATE KEY", "CANARY"), "cannot be used");
        assert!(
            !JwtKey::from_pem(&begin("PRIVATE KEY", "CANARY"))
                .unwrap_err()
                .to_string()
                .contains("CANARY")
        );
    }
}
