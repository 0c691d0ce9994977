//! Secret values of metadata, sealed before they reach git.
//!
//! A sealed value is AES-256-GCM with a nonce made from the key, the place and the value (as in RFC 5297): the same secret at the
//! same place is the same text, so that comparing needs no key, and nothing else can be told from it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Range;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hmac;
use roxmltree::Node;
use syncline_domain::overlay::{File, Overlays, rewrite};
use syncline_metadata::component::ComponentId;
use syncline_metadata::table::schema::{self, Holds, Type};
use syncline_metadata::xml::{self, Document};
use syncline_salesforce::Secret;

use super::vault::{Vault, VaultError};

/// What every sealed value begins with.
pub const PREFIX: &str = "sealed:";

/// Gives what is to stand at a place instead of a value, if anything.
type New<'a> = &'a dyn Fn(&str, &str) -> Option<Result<String, VaultError>>;

/// Seals and opens values with the key of the logins.
pub struct Sealer {
    key: LessSafeKey,
    nonces: hmac::Key,
    /// Types that hold a secret, themselves or further down.
    secretive: RefCell<HashMap<&'static str, bool>>,
    /// Places that hold a secret because an environment's overlays say so.
    own: Overlays,
}

impl Vault {
    /// What seals with the key of these logins: `SYNCLINE_KEY`, else the file `key`. Everybody who shares a repository needs the same.
    pub fn sealer(&self) -> Result<Sealer, VaultError> {
        let bytes = self.key_bytes()?;
        let derived = |what: &str| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &bytes), what.as_bytes());
        let key = UnboundKey::new(&AES_256_GCM, derived("syncline sealed values").as_ref());
        Ok(Sealer {
            key: LessSafeKey::new(key.expect("32 bytes are a key")),
            nonces: hmac::Key::new(hmac::HMAC_SHA256, derived("syncline nonces").as_ref()),
            secretive: RefCell::default(),
            own: Overlays::default(),
        })
    }
}

impl Sealer {
    /// The same for an environment: what its overlays call secret is sealed and opened too.
    #[must_use]
    pub fn of(self, overlays: &Overlays) -> Self {
        Self {
            own: overlays.secrets(),
            ..self
        }
    }

    /// Seals a value for a place, as in `NamedCredential:Erp/password`; it can be opened for that place only.
    pub fn seal(&self, place: &str, value: &str) -> String {
        let mut context = hmac::Context::with_key(&self.nonces);
        context.update(&(place.len() as u64).to_be_bytes());
        context.update(place.as_bytes());
        context.update(value.as_bytes());
        let mut nonce = [0; NONCE_LEN];
        nonce.copy_from_slice(&context.sign().as_ref()[..NONCE_LEN]);
        let mut text = value.as_bytes().to_vec();
        let sealing = Nonce::assume_unique_for_key(nonce);
        (self.key)
            .seal_in_place_append_tag(sealing, Aad::from(place.as_bytes()), &mut text)
            .expect("a value of a file is shorter than 64 GiB");
        format!("{PREFIX}{}", STANDARD.encode([&nonce[..], &text].concat()))
    }

    /// Opens a sealed value.
    pub fn open(&self, place: &str, sealed: &str) -> Result<Secret<String>, VaultError> {
        let failed = || VaultError::Sealed {
            name: place.to_owned(),
            field: "sealed value".to_owned(),
        };
        let text = sealed.strip_prefix(PREFIX).ok_or_else(failed)?;
        let bytes = STANDARD.decode(text).map_err(|_| failed())?;
        let (nonce, text) = bytes.split_at_checked(NONCE_LEN).ok_or_else(failed)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| failed())?;
        let mut text = text.to_vec();
        let opened = (self.key)
            .open_in_place(nonce, Aad::from(place.as_bytes()), &mut text)
            .map_err(|_| failed())?;
        Ok(std::str::from_utf8(opened).map_err(|_| failed())?.into())
    }

    /// A file with its secrets sealed. Which elements are secrets stands in the table of types, and in the overlays of an environment.
    pub fn seal_file(&self, component: &ComponentId, bytes: &[u8]) -> Option<Vec<u8>> {
        let new = |place: &str, value: &str| {
            let is_open = !value.starts_with(PREFIX) && !value.trim().is_empty();
            is_open.then(|| Ok(self.seal(place, value)))
        };
        self.both(component, bytes, &new).unwrap_or_default()
    }

    /// A file as it is sent to an org: its sealed values opened. `None` when it has none.
    ///
    /// # Errors
    /// A value that was sealed with another key or for another place.
    pub fn open_file(&self, component: &ComponentId, bytes: &[u8]) -> Result<Option<Vec<u8>>, VaultError> {
        let new = |place: &str, value: &str| {
            let is_sealed = value.starts_with(PREFIX);
            is_sealed.then(|| Ok(self.open(place, value)?.expose().clone()))
        };
        self.both(component, bytes, &new)
    }

    /// Replaces values at the places of the overlays, then those at the places of the table.
    fn both(&self, component: &ComponentId, bytes: &[u8], new: New<'_>) -> Result<Option<Vec<u8>>, VaultError> {
        let file = File {
            path: "",
            component: Some(component),
            bytes,
        };
        let mut failed = None;
        let own = rewrite(
            &self.own,
            file,
            &mut |path, value| match new(&path.to_string(), value)? {
                Ok(value) => Some(value),
                Err(error) => {
                    failed = Some(error);
                    None
                }
            },
        );
        if let Some(error) = failed {
            return Err(error);
        }
        // What cannot be read has no secrets that anybody could find.
        let own = own.unwrap_or_default();
        let escaped = |place: &str, value: &str| {
            let escape = |value: String| value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            new(place, value).map(|value| value.map(escape))
        };
        let known = self.replace(component, own.as_deref().unwrap_or(bytes), &escaped)?;
        Ok(known.or(own))
    }

    /// Replaces secret values; what is no XML has none.
    fn replace(&self, component: &ComponentId, bytes: &[u8], new: New<'_>) -> Result<Option<Vec<u8>>, VaultError> {
        if !xml::is_metadata(bytes) {
            return Ok(None);
        }
        let Ok(document) = Document::parse(bytes) else {
            return Ok(None);
        };
        let Some(root) = document.root_type().filter(|root| self.is_secretive(root)) else {
            return Ok(None);
        };
        let mut found = Vec::new();
        secrets(document.root(), root, &component.to_string(), &mut found);
        let mut edits = Vec::new();
        for (place, range, value) in found {
            if let Some(new) = new(&place, &value) {
                edits.push((range, new?));
            }
        }
        if edits.is_empty() {
            return Ok(None);
        }
        let mut made = bytes.to_vec();
        // From the end, so that the places before stay where they are.
        edits.sort_by_key(|(range, _)| std::cmp::Reverse(range.start));
        for (range, text) in edits {
            made.splice(range, text.into_bytes());
        }
        Ok(Some(made))
    }

    fn is_secretive(&self, ty: &'static Type) -> bool {
        let known = self.secretive.borrow().get(ty.name).copied();
        known.unwrap_or_else(|| {
            // A type within itself adds nothing.
            self.secretive.borrow_mut().insert(ty.name, false);
            let inside = |holds: Holds| match holds {
                Holds::Complex(name) => schema::get(name).is_some_and(|inner| self.is_secretive(inner)),
                Holds::Text | Holds::Unknown => false,
            };
            let is = !ty.secrets.is_empty() || ty.children.iter().any(|child| inside(child.holds));
            self.secretive.borrow_mut().insert(ty.name, is);
            is
        })
    }
}

/// Secret values below an element: their places, where their text stands, and the text.
fn secrets(node: Node<'_, '_>, ty: &'static Type, place: &str, found: &mut Vec<(String, Range<usize>, String)>) {
    for child in xml::elements(node) {
        let name = child.tag_name().name();
        let place = format!("{place}/{name}");
        if ty.secrets.contains(&name) {
            let value = xml::leaf_text(child);
            let texts: Vec<_> = child
                .children()
                .filter(Node::is_text)
                .map(|text| text.range())
                .collect();
            if let (Some(first), Some(last), false) = (texts.first(), texts.last(), value.trim().is_empty()) {
                found.push((place, first.start..last.end, value.into_owned()));
            }
        } else if let Some(Holds::Complex(inner)) = ty.child(name).map(|child| child.holds)
            && let Some(inner) = schema::get(inner)
        {
            secrets(child, inner, &place, found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer() -> (tempfile::TempDir, Sealer) {
        let folder = tempfile::tempdir().expect("a folder");
        let key = STANDARD.encode([7; 32]);
        let sealer = Vault::open(folder.path(), Some(key.into())).sealer().expect("a key");
        (folder, sealer)
    }

    #[test]
    fn secrets_of_a_file_are_sealed_and_opened() {
        let (_folder, sealer) = sealer();
        let file = |secret: &str| {
            format!(
                "\u{feff}<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ConnectedApp xmlns=\"http://soap.sforce.com/2006/04/metadata\">\n    \
                 <label>Erp</label>\n    <oauthConfig>\n        <callbackUrl>https://a.example</callbackUrl>\n        \
                 <consumerSecret>{secret}</consumerSecret>\n    </oauthConfig>\n</ConnectedApp>\n"
            )
        };
        let id = ComponentId::new("ConnectedApp", "Erp");
        let sealed = sealer
            .seal_file(&id, file("CANARY&amp;7").as_bytes())
            .expect("it has one");
        let text = String::from_utf8(sealed.clone()).expect("UTF-8");
        assert!(
            text.contains("<consumerSecret>sealed:") && !text.contains("CANARY"),
            "{text}"
        );
        assert_eq!(
            sealer.seal_file(&id, file("CANARY&amp;7").as_bytes()),
            Some(sealed.clone()),
            "the same again"
        );
        assert_eq!(sealer.seal_file(&id, &sealed), None, "what is sealed stays");
        let opened = sealer.open_file(&id, &sealed).expect("opened").expect("it has one");
        assert_eq!(String::from_utf8(opened).expect("UTF-8"), file("CANARY&amp;7"));
        let other = ComponentId::new("ConnectedApp", "Other");
        assert!(sealer.open_file(&other, &sealed).is_err(), "good for its place only");
        assert_ne!(sealer.seal("a", "x"), sealer.seal("b", "x"));
    }

    #[test]
    fn what_has_no_secret_stays() {
        let (_folder, sealer) = sealer();
        let id = ComponentId::new("ApexClass", "A");
        for text in [
            "<ApexClass xmlns=\"http://soap.sforce.com/2006/04/metadata\"><password>x</password></ApexClass>",
            "public class A {}",
            "<NamedCredential xmlns=\"http://soap.sforce.com/2006/04/metadata\"><password></password></NamedCredential>",
        ] {
            assert_eq!(sealer.seal_file(&id, text.as_bytes()), None, "{text}");
        }
    }
}
