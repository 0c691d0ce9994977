//! The server key, and what is sealed with it: AES-256-GCM, bound to the place where the value is kept.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};

/// Why something could not be sealed or opened. No text holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The text is no key.
    #[error("{place} is no server key: it has to be 32 bytes in base64")]
    NoKey {
        /// The environment variable or the file.
        place: String,
    },
    /// The file of the key cannot be read or written.
    #[error("{attempted} the server key {}", .path.display())]
    File {
        /// What was attempted.
        attempted: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others than the owner can read the file.
    #[error("the server key {} can be read by others than its owner", .path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
    },
    /// The value was sealed with another key.
    #[error("`{id}` was sealed with the server key {found}, this one is {given}")]
    OtherKey {
        /// The value's id.
        id: String,
        /// The id of its key.
        found: String,
        /// The id of the key that is there.
        given: String,
    },
    /// The value was changed, or moved from another place.
    #[error("`{id}` cannot be opened: it was changed, or moved from another place")]
    Changed {
        /// The value's id.
        id: String,
    },
    /// The machine gives no random numbers.
    #[error("this machine gives no random numbers")]
    Random,
}

impl SealError {
    /// What a person can do.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::NoKey { .. } => "make one with `openssl rand -base64 32`",
            Self::File { .. } => "the key lies beside the database, or in SYNCLINE_SERVER_KEY",
            Self::Exposed { .. } => {
                "run `chmod 600` on it; if others could have read it, run `syncline admin rotate-key`"
            }
            Self::OtherKey { .. } => {
                "give the key that it was sealed with; without that key its secrets are lost and have to be given anew"
            }
            Self::Changed { .. } => "give the secret anew, and look for who changed the database",
            Self::Random => return None,
        })
    }
}

/// A secret in clear. `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Plain(Vec<u8>);

impl Plain {
    /// Hides the bytes.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// The bytes themselves.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// The key of all secrets of an installation. It stands in no database and in no backup.
#[derive(Clone)]
pub struct ServerKey {
    bytes: [u8; 32],
    id: String,
}

impl fmt::Debug for ServerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServerKey({})", self.id)
    }
}

impl ServerKey {
    /// A new key.
    pub fn generate() -> Result<Self, SealError> {
        let mut bytes = [0; 32];
        SystemRandom::new().fill(&mut bytes).map_err(|_| SealError::Random)?;
        Ok(Self::of(bytes))
    }

    /// A key from its text; `place` is where the text comes from.
    pub fn parse(text: &str, place: &str) -> Result<Self, SealError> {
        let bytes = STANDARD
            .decode(text.trim())
            .ok()
            .and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self::of).ok_or_else(|| SealError::NoKey {
            place: place.to_owned(),
        })
    }

    /// The key in a file that only its owner can read; `None` without such a file.
    pub fn read(path: &Path) -> Result<Option<Self>, SealError> {
        let failed = |source| SealError::File {
            attempted: "could not read",
            path: path.to_owned(),
            source,
        };
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(path).map_err(failed)?.permissions().mode();
            if mode & 0o077 != 0 {
                return Err(SealError::Exposed { path: path.to_owned() });
            }
        }
        Self::parse(&text, &path.display().to_string()).map(Some)
    }

    /// Writes the key to a new file that only its owner can read. An existing file stays: then the error's kind is
    /// `AlreadyExists`.
    pub fn write_new(&self, path: &Path) -> Result<(), SealError> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let written = options.open(path).and_then(|mut file| {
            file.write_all(STANDARD.encode(self.bytes).as_bytes())?;
            file.sync_all()
        });
        written.map_err(|source| SealError::File {
            attempted: "could not write",
            path: path.to_owned(),
            source,
        })
    }

    fn of(bytes: [u8; 32]) -> Self {
        let hash = digest(&SHA256, &[b"syncline server key ".as_slice(), &bytes].concat());
        Self {
            bytes,
            id: hex(&hash.as_ref()[..8]),
        }
    }

    /// What tells keys apart: 16 hexadecimal digits that say nothing about the key.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Seals bytes for one place: `table/id/column`.
    pub fn seal(&self, place: &str, plain: &Plain) -> Result<String, SealError> {
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).map_err(|_| SealError::Random)?;
        let mut text = plain.0.clone();
        self.cipher()?
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(place), &mut text)
            .map_err(|_| SealError::Random)?;
        Ok(STANDARD.encode([&nonce[..], &text].concat()))
    }

    /// Opens what was sealed for that place with this key.
    pub fn open(&self, place: &str, sealed: &str) -> Result<Plain, SealError> {
        let changed = || SealError::Changed { id: place.to_owned() };
        let bytes = STANDARD.decode(sealed).map_err(|_| changed())?;
        let (nonce, text) = bytes.split_at_checked(NONCE_LEN).ok_or_else(changed)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| changed())?;
        let mut text = text.to_vec();
        let opened = self
            .cipher()?
            .open_in_place(nonce, Aad::from(place), &mut text)
            .map_err(|_| changed())?;
        Ok(Plain::new(&*opened))
    }

    fn cipher(&self) -> Result<LessSafeKey, SealError> {
        let key = UnboundKey::new(&AES_256_GCM, &self.bytes).map_err(|_| SealError::NoKey {
            place: "the server key".to_owned(),
        })?;
        Ok(LessSafeKey::new(key))
    }
}

pub use syncline_domain::wire::hex;

/// Bytes of hexadecimal digits.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| {
            let pair = std::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2)?;
            u8::from_str_radix(pair, 16).ok()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_good_for_its_place_and_key_only() {
        let (key, other) = (
            ServerKey::generate().expect("random"),
            ServerKey::generate().expect("random"),
        );
        let plain = Plain::new("CANARY");
        let sealed = key.seal("secret/a/sealed", &plain).expect("sealed");
        assert!(!sealed.contains("CANARY"));
        assert_eq!(key.open("secret/a/sealed", &sealed).expect("opened"), plain);
        assert!(matches!(
            key.open("secret/b/sealed", &sealed),
            Err(SealError::Changed { .. })
        ));
        assert!(matches!(
            other.open("secret/a/sealed", &sealed),
            Err(SealError::Changed { .. })
        ));
        assert_ne!(key.seal("secret/a/sealed", &plain).expect("sealed"), sealed);
        assert_ne!(key.id(), other.id());
        assert!(!format!("{key:?} {plain:?}").contains("CANARY"));
    }

    #[test]
    fn the_file_is_its_owners() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("server.key");
        assert!(ServerKey::read(&path).expect("no error").is_none());
        let key = ServerKey::generate().expect("random");
        key.write_new(&path).expect("written");
        assert_eq!(ServerKey::read(&path).expect("read").expect("there").id(), key.id());
        assert!(matches!(key.write_new(&path), Err(SealError::File { .. })));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("changed");
            assert!(matches!(ServerKey::read(&path), Err(SealError::Exposed { .. })));
        }
        assert!(matches!(ServerKey::parse("CANARY", "x"), Err(SealError::NoKey { .. })));
    }
}
