//! Logins as a file: what is secret in it is encrypted with AES-256-GCM, bound to the login's name and the field.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};
use syncline_salesforce::{OrgId, Secret};

/// A login as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// The org that it leads to; another one is refused.
    pub org_id: OrgId,
    /// The user.
    pub username: String,
    /// The org's own address.
    pub instance: String,
    /// `production`, `sandbox`, `scratch`, `developer` or `trial`.
    pub kind: String,
    /// Changes to a production are allowed.
    #[serde(default)]
    pub production_writes: bool,
    /// How to sign in.
    pub grant: StoredGrant,
    /// Encrypted values by field.
    #[serde(default)]
    secrets: BTreeMap<String, String>,
}

impl Entry {
    /// A login of which only the org and the grant are known.
    pub fn new(org_id: OrgId, grant: StoredGrant) -> Self {
        Self {
            org_id,
            username: String::new(),
            instance: String::new(),
            kind: String::new(),
            production_writes: false,
            grant,
            secrets: BTreeMap::new(),
        }
    }
}

/// How to sign in, without secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum StoredGrant {
    /// Secret: `token`.
    AccessToken {},
    /// Secrets: `token`, `clientSecret` if the app has one.
    RefreshToken {
        /// The consumer key.
        client_id: String,
        /// Where to sign in.
        host: String,
    },
    /// Secret: `key`, PEM.
    Jwt {
        /// The consumer key.
        client_id: String,
        /// Where to sign in.
        host: String,
    },
    /// Secret: `clientSecret`.
    ClientCredentials {
        /// The consumer key.
        client_id: String,
    },
    /// The sf CLI keeps the login; it is read anew each time.
    SfCli {
        /// Name of the sf CLI's login.
        name: String,
    },
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Kept {
    version: u32,
    orgs: BTreeMap<String, Entry>,
}

const VERSION: u32 = 1;

/// The logins cannot be read or written. No variant holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// There is no such login.
    #[error("there is no login named `{name}`; known are: {known}")]
    Unknown {
        /// The name.
        name: String,
        /// All names, or "none".
        known: String,
    },
    /// A name that cannot stand on a command line or in a ref.
    #[error("`{name}` cannot be the name of a login: letters, digits, `-`, `_` and `.` can")]
    Name {
        /// The name.
        name: String,
    },
    /// A file cannot be read or written.
    #[error("{attempted} {}", .path.display())]
    Io {
        /// What was attempted.
        attempted: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is not ours, or damaged.
    #[error("{} is damaged, or of another version: {why}", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// The key is no key.
    #[error("{place} is no key: it has to be 32 bytes in base64")]
    Key {
        /// The environment variable or the file.
        place: String,
    },
    /// The key is another one, or the file was changed.
    #[error("`{field}` of the login `{name}` cannot be decrypted: the key is another one, or the file was changed")]
    Sealed {
        /// The login.
        name: String,
        /// The field.
        field: String,
    },
    /// This machine gives no random numbers.
    #[error("this machine gives no random numbers")]
    Random,
}

/// Where logins are kept.
#[derive(Debug, Clone)]
pub struct Vault {
    folder: PathBuf,
    key: Option<Secret<String>>,
}

impl Vault {
    /// The logins in this folder. `key` is base64 of 32 bytes; without one, the file `key` in the folder is used, and made when
    /// it is missing.
    pub fn open(folder: impl Into<PathBuf>, key: Option<Secret<String>>) -> Self {
        Self {
            folder: folder.into(),
            key,
        }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// All logins by name.
    pub fn entries(&self) -> Result<BTreeMap<String, Entry>, VaultError> {
        Ok(self.read()?.orgs)
    }

    /// A login.
    pub fn entry(&self, name: &str) -> Result<Entry, VaultError> {
        let mut orgs = self.read()?.orgs;
        let names: Vec<&str> = orgs.keys().map(String::as_str).collect();
        let known = if names.is_empty() {
            "none".to_owned()
        } else {
            names.join(", ")
        };
        orgs.remove(name).ok_or(VaultError::Unknown {
            name: name.to_owned(),
            known,
        })
    }

    /// Keeps a login with its secrets, in place of one of that name.
    pub fn keep(
        &self,
        name: &str,
        mut entry: Entry,
        secrets: &[(&'static str, Secret<String>)],
    ) -> Result<(), VaultError> {
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if name.is_empty() || name.starts_with(['.', '-']) || name.contains("..") || !name.chars().all(fits) {
            return Err(VaultError::Name { name: name.to_owned() });
        }
        let key = self.key()?;
        entry.secrets = BTreeMap::new();
        for (field, secret) in secrets {
            entry
                .secrets
                .insert((*field).to_owned(), seal(&key, name, field, secret)?);
        }
        self.change(|orgs| {
            orgs.insert(name.to_owned(), entry);
            Ok(())
        })
    }

    /// Replaces one secret of a login.
    pub fn replace_secret(&self, name: &str, field: &str, secret: &Secret<String>) -> Result<(), VaultError> {
        let sealed = seal(&self.key()?, name, field, secret)?;
        self.change(|orgs| {
            let entry = orgs.get_mut(name).ok_or_else(|| VaultError::Unknown {
                name: name.to_owned(),
                known: "none".to_owned(),
            })?;
            entry.secrets.insert(field.to_owned(), sealed);
            Ok(())
        })
    }

    /// Forgets a login.
    pub fn forget(&self, name: &str) -> Result<(), VaultError> {
        self.entry(name)?;
        self.change(|orgs| {
            orgs.remove(name);
            Ok(())
        })
    }

    /// A secret of a login; `None` when it has no such field.
    pub fn secret(&self, name: &str, entry: &Entry, field: &str) -> Result<Option<Secret<String>>, VaultError> {
        let Some(sealed) = entry.secrets.get(field) else {
            return Ok(None);
        };
        let failed = || VaultError::Sealed {
            name: name.to_owned(),
            field: field.to_owned(),
        };
        let bytes = STANDARD.decode(sealed).map_err(|_| failed())?;
        let (nonce, text) = bytes.split_at_checked(NONCE_LEN).ok_or_else(failed)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| failed())?;
        let mut text = text.to_vec();
        let opened = self
            .key()?
            .open_in_place(nonce, bound(name, field), &mut text)
            .map_err(|_| failed())?;
        let opened = std::str::from_utf8(opened).map_err(|_| failed())?;
        Ok(Some(opened.into()))
    }

    fn file(&self) -> PathBuf {
        self.folder.join("orgs.json")
    }

    fn read(&self) -> Result<Kept, VaultError> {
        let path = self.file();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Kept::default()),
            Err(source) => return Err(failed("could not read", &path)(source)),
        };
        let damaged = |why: String| VaultError::Damaged {
            path: path.clone(),
            why,
        };
        // The parser's message could quote a value.
        let kept: Kept = serde_json::from_str(&text)
            .map_err(|error| damaged(format!("line {} column {}", error.line(), error.column())))?;
        match kept.version {
            VERSION => Ok(kept),
            other => Err(damaged(format!("version {other}"))),
        }
    }

    /// Changes the file as a whole; other processes wait meanwhile.
    fn change(
        &self,
        change: impl FnOnce(&mut BTreeMap<String, Entry>) -> Result<(), VaultError>,
    ) -> Result<(), VaultError> {
        self.make_folder()?;
        let lock = self.folder.join("orgs.lock");
        let _lock = private(&lock)
            .and_then(|file| file.lock().map(|()| file))
            .map_err(failed("could not lock", &lock))?;
        let mut kept = self.read()?;
        kept.version = VERSION;
        change(&mut kept.orgs)?;
        let path = self.file();
        let text = serde_json::to_vec_pretty(&kept).map_err(|error| VaultError::Damaged {
            path: path.clone(),
            why: error.to_string(),
        })?;
        self.write(&path, &text)
    }

    /// Replaces a file as a whole; only its owner can read it.
    fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), VaultError> {
        let failed = failed("could not write", path);
        // A temporary file is made with mode 0600.
        let written = tempfile::NamedTempFile::new_in(&self.folder).and_then(|mut file| {
            file.write_all(bytes)?;
            file.as_file().sync_all()?;
            file.persist(path).map_err(|error| error.error)
        });
        written.map(drop).map_err(failed)
    }

    fn make_folder(&self) -> Result<(), VaultError> {
        fs::create_dir_all(&self.folder).map_err(failed("could not create the folder", &self.folder))
    }

    fn key(&self) -> Result<LessSafeKey, VaultError> {
        let key = UnboundKey::new(&AES_256_GCM, &self.key_bytes()?);
        Ok(LessSafeKey::new(key.expect("32 bytes are a key")))
    }

    pub(super) fn key_bytes(&self) -> Result<[u8; 32], VaultError> {
        let (place, text) = match &self.key {
            Some(key) => ("SYNCLINE_KEY".to_owned(), key.clone()),
            None => self.key_file()?,
        };
        let bytes = STANDARD.decode(text.expose().trim()).ok();
        bytes
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or(VaultError::Key { place })
    }

    fn key_file(&self) -> Result<(String, Secret<String>), VaultError> {
        let path = self.folder.join("key");
        let read = || fs::read_to_string(&path).map_err(failed("could not read", &path));
        if !path.exists() {
            self.make_folder()?;
            let mut key = [0; 32];
            SystemRandom::new().fill(&mut key).map_err(|_| VaultError::Random)?;
            // Of two processes that make one at once, the first one's stays.
            let file = tempfile::NamedTempFile::new_in(&self.folder).and_then(|mut file| {
                file.write_all(STANDARD.encode(key).as_bytes())?;
                file.as_file().sync_all()?;
                Ok(file)
            });
            let made = file.map_err(failed("could not write", &path))?;
            if let Err(error) = made.persist_noclobber(&path)
                && error.error.kind() != io::ErrorKind::AlreadyExists
            {
                return Err(failed("could not write", &path)(error.error));
            }
        }
        Ok((path.display().to_string(), read()?.into()))
    }
}

fn failed(attempted: &'static str, path: &Path) -> impl FnOnce(io::Error) -> VaultError {
    let path = path.to_owned();
    move |source| VaultError::Io {
        attempted,
        path,
        source,
    }
}

fn private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).write(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// A value is only good for this field of this login.
fn bound(name: &str, field: &str) -> Aad<Vec<u8>> {
    Aad::from(format!("{name}/{field}").into_bytes())
}

fn seal(key: &LessSafeKey, name: &str, field: &str, secret: &Secret<String>) -> Result<String, VaultError> {
    let mut nonce = [0; NONCE_LEN];
    SystemRandom::new().fill(&mut nonce).map_err(|_| VaultError::Random)?;
    let mut text = secret.expose().as_bytes().to_vec();
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), bound(name, field), &mut text)
        .map_err(|_| VaultError::Sealed {
            name: name.to_owned(),
            field: field.to_owned(),
        })?;
    Ok(STANDARD.encode([&nonce[..], &text].concat()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CANARY: &str = "00D000000000001!CANARY.7";

    fn entry() -> Entry {
        Entry {
            org_id: "00DD000000IRt53".parse().expect("an id"),
            username: "ops@acme.example".to_owned(),
            instance: "https://acme.my.salesforce.com".to_owned(),
            kind: "production".to_owned(),
            production_writes: false,
            grant: StoredGrant::AccessToken {},
            secrets: BTreeMap::new(),
        }
    }

    fn vault() -> (tempfile::TempDir, Vault) {
        let folder = tempfile::tempdir().expect("a folder");
        let vault = Vault::open(folder.path().join("deep"), None);
        vault.keep("prod", entry(), &[("token", CANARY.into())]).expect("kept");
        (folder, vault)
    }

    #[test]
    fn what_is_kept_is_read() {
        let (_folder, vault) = vault();
        let read = vault.entry("prod").expect("there");
        assert_eq!(read.username, "ops@acme.example");
        let secret = vault.secret("prod", &read, "token").expect("opened");
        assert_eq!(secret.expect("there").expose(), CANARY);
        assert_eq!(vault.secret("prod", &read, "other").expect("no error"), None);
        vault.replace_secret("prod", "token", &"new".into()).expect("replaced");
        let read = vault.entry("prod").expect("there");
        assert_eq!(
            vault.secret("prod", &read, "token").expect("opened"),
            Some("new".into())
        );
        vault.forget("prod").expect("forgotten");
        let error = vault.entry("prod").expect_err("gone").to_string();
        assert_eq!(error, "there is no login named `prod`; known are: none");
    }

    #[test]
    fn no_secret_stands_in_a_file_or_a_text() {
        let (_folder, vault) = vault();
        let read = vault.entry("prod").expect("there");
        for file in fs::read_dir(vault.folder()).expect("a folder") {
            let path = file.expect("a file").path();
            let bytes = fs::read(&path).expect("read");
            assert!(
                !String::from_utf8_lossy(&bytes).contains("CANARY"),
                "{}",
                path.display()
            );
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt;
                let mode = fs::metadata(&path).expect("there").permissions().mode() & 0o777;
                assert_eq!(mode, 0o600, "{}", path.display());
            }
        }
        assert!(!format!("{read:?} {vault:?}").contains("CANARY"));
    }

    #[test]
    fn a_value_is_good_for_its_place_and_key_only() {
        let (folder, vault) = vault();
        let read = vault.entry("prod").expect("there");
        vault.keep("other", read.clone(), &[("key", "x".into())]).expect("kept");
        let mut moved = vault.entry("other").expect("there");
        moved.secrets.insert("key".to_owned(), read.secrets["token"].clone());
        assert!(matches!(
            vault.secret("other", &moved, "key"),
            Err(VaultError::Sealed { .. })
        ));
        assert!(matches!(
            vault.secret("prod", &moved, "key"),
            Err(VaultError::Sealed { .. })
        ));
        let key = STANDARD.encode([7; 32]);
        let with_key = Vault::open(folder.path().join("deep"), Some(key.into()));
        assert!(matches!(
            with_key.secret("prod", &read, "token"),
            Err(VaultError::Sealed { .. })
        ));
        let no_key = Vault::open(folder.path().join("deep"), Some("CANARY".into()));
        let error = no_key.secret("prod", &read, "token").expect_err("no key");
        assert_eq!(
            error.to_string(),
            "SYNCLINE_KEY is no key: it has to be 32 bytes in base64"
        );
    }

    #[test]
    fn names() {
        let (_folder, vault) = vault();
        for name in ["", "../x", ".x", "-x", "a b", "a/b", "a..b"] {
            assert!(
                matches!(vault.keep(name, entry(), &[]), Err(VaultError::Name { .. })),
                "{name}"
            );
        }
        vault.keep("UAT_2.eu-1", entry(), &[]).expect("a good name");
    }
}
