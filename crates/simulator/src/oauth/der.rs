//! The RSA public key inside a PEM text: a certificate, a public key, or the bare PKCS#1 key.

use base64::Engine as _;

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const VERSION: u8 = 0xa0;

/// The bytes of the first PEM block whose label ends so; text around it is skipped.
pub(super) fn pem(text: &str, label: &str) -> Option<Vec<u8>> {
    let begin = format!("{label}-----");
    let start = text.find("-----BEGIN ")?;
    let (head, rest) = text[start..].split_once('\n')?;
    if !head.trim_end().ends_with(&begin) {
        return None;
    }
    let (body, _) = rest.split_once("-----END ")?;
    let body: String = body.chars().filter(|c| !c.is_whitespace()).collect();
    base64::engine::general_purpose::STANDARD.decode(body).ok()
}

/// The PKCS#1 `RSAPublicKey` in a PEM text; none when there is none.
pub(super) fn rsa_public_key(text: &str) -> Option<Vec<u8>> {
    if let Some(der) = pem(text, "RSA PUBLIC KEY") {
        return Some(der);
    }
    if let Some(der) = pem(text, "PUBLIC KEY") {
        return from_key_info(&der);
    }
    from_certificate(&pem(text, "CERTIFICATE")?)
}

/// Certificate → tbsCertificate → the sixth element after the optional version: the public key.
fn from_certificate(der: &[u8]) -> Option<Vec<u8>> {
    let (_, certificate, _) = element(der)?;
    let (_, mut rest, _) = element(certificate)?;
    let (tag, _, after) = element(rest)?;
    if tag == VERSION {
        rest = after;
    }
    // Serial number, signature algorithm, issuer, validity, subject.
    for expected in [INTEGER, SEQUENCE, SEQUENCE, SEQUENCE, SEQUENCE] {
        let (tag, _, after) = element(rest)?;
        if tag != expected {
            return None;
        }
        rest = after;
    }
    let (_, _, after) = element(rest)?;
    from_key_info(&rest[..rest.len() - after.len()])
}

/// SubjectPublicKeyInfo → the bits of the key.
fn from_key_info(der: &[u8]) -> Option<Vec<u8>> {
    let (tag, info, _) = element(der)?;
    if tag != SEQUENCE {
        return None;
    }
    let (_, _, rest) = element(info)?;
    let (tag, bits, _) = element(rest)?;
    // The first byte says how many bits of the last byte are unused: none.
    (tag == BIT_STRING && bits.first() == Some(&0)).then(|| bits[1..].to_vec())
}

/// Tag, content and what follows of the first element.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, mut rest) = rest.split_first()?;
    let mut length = usize::from(first);
    if first & 0x80 != 0 {
        let bytes = usize::from(first & 0x7f);
        if bytes == 0 || bytes > 4 || rest.len() < bytes {
            return None;
        }
        length = rest[..bytes].iter().fold(0, |sum, b| sum << 8 | usize::from(*b));
        rest = &rest[bytes..];
    }
    (rest.len() >= length).then(|| (tag, &rest[..length], &rest[length..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_comes_out_of_a_certificate() {
        let key = rsa_public_key(crate::oauth::jwt::TEST_CERTIFICATE).expect("key");
        assert_eq!(key.len(), 270);
        assert_eq!(rsa_public_key("no PEM"), None);
        assert_eq!(element(&[SEQUENCE, 0x05, 1]), None);
        assert_eq!(element(&[SEQUENCE, 0x85, 1, 1, 1, 1, 1]), None);
    }
}
