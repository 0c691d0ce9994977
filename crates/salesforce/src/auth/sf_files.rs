//! Logins that the sf CLI keeps in the user's home: `~/.sfdx/<user name>.json`, the aliases and the key.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use serde::Deserialize;

use super::{App, JwtKey, Login};
use crate::address::Address;
use crate::error::{Error, Result};
use crate::id::OrgId;
use crate::secret::Secret;

const HINT: &str =
    "run `sf org auth show-sfdx-auth-url --target-org ORG` (older: `sf org display --verbose`) and give its URL";
const HEX: usize = 2;

/// A login that the sf CLI made.
#[derive(Debug)]
pub struct SfLogin {
    /// The user.
    pub username: String,
    /// The org, as the file says.
    pub org: Option<OrgId>,
    /// How to sign in.
    pub login: Login,
}

/// The files of the sf CLI below a home folder.
#[derive(Debug, Clone)]
pub struct SfFiles {
    home: PathBuf,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    username: Option<String>,
    org_id: Option<String>,
    access_token: Option<Secret<String>>,
    refresh_token: Option<Secret<String>>,
    client_id: Option<String>,
    client_secret: Option<Secret<String>>,
    private_key: Option<PathBuf>,
    instance_url: Option<String>,
    login_url: Option<String>,
}

#[derive(Deserialize, Default)]
struct Aliases {
    #[serde(default)]
    orgs: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct KeyFile {
    key: Secret<String>,
}

impl SfFiles {
    /// The files of the user with this home folder.
    pub fn of(home: impl Into<PathBuf>) -> Self {
        Self { home: home.into() }
    }

    /// Alias and user name of each alias.
    pub fn aliases(&self) -> Result<BTreeMap<String, String>> {
        let mut aliases = BTreeMap::new();
        for folder in [".sf", ".sfdx"] {
            let path = self.home.join(folder).join("alias.json");
            if path.exists() {
                aliases.extend(read::<Aliases>(&path)?.orgs);
            }
        }
        Ok(aliases)
    }

    /// The login of an alias or user name. Secrets are decrypted with the key in `~/.sfdx/key.json`.
    ///
    /// # Errors
    /// `bad_configuration` when there is none, or when the key is in the keychain of the operating system.
    pub fn login(&self, name: &str) -> Result<SfLogin> {
        let username = self.aliases()?.remove(name).unwrap_or_else(|| name.to_owned());
        let path = self.home.join(".sfdx").join(format!("{username}.json"));
        // A name is no path.
        if username.contains(['/', '\\']) || !path.exists() {
            return Err(Error::Configuration {
                what: format!("the sf CLI has no login for `{name}`"),
                hint: "`sf org list` shows its logins; `sf org login web` makes one",
            });
        }
        let entry: Entry = read(&path)?;
        self.login_of(entry, username)
    }

    fn login_of(&self, entry: Entry, username: String) -> Result<SfLogin> {
        let host = |first: &Option<String>, second: &Option<String>| -> Result<Address> {
            let text = first.as_deref().or(second.as_deref());
            text.unwrap_or(Address::PRODUCTION).parse()
        };
        let app_id = entry.client_id.unwrap_or_else(|| App::platform_cli().id);
        let login = if let Some(file) = &entry.private_key {
            let pem = fs::read_to_string(file).map_err(|error| Error::Configuration {
                what: format!(
                    "the key {} of the sf CLI's login cannot be read: {error}",
                    file.display()
                ),
                hint: "sign in again with `sf org login jwt`",
            })?;
            let host = host(&entry.login_url, &entry.instance_url)?;
            Login::Jwt {
                app: app_id,
                user: username.clone(),
                key: Arc::new(JwtKey::from_pem(&pem)?),
                audience: None,
                host,
            }
        } else if let Some(token) = &entry.refresh_token {
            let secret = entry.client_secret.as_ref().map(|secret| self.decrypt(secret));
            Login::RefreshToken {
                app: App {
                    id: app_id,
                    secret: secret.transpose()?.filter(|secret| !secret.is_empty()),
                },
                host: host(&entry.login_url, &entry.instance_url)?,
                token: self.decrypt(token)?,
            }
        } else if let Some(token) = &entry.access_token {
            Login::AccessToken {
                instance: host(&entry.instance_url, &entry.login_url)?,
                token: self.decrypt(token)?,
            }
        } else {
            return Err(Error::Configuration {
                what: format!("the sf CLI's login of {username} holds no token and no key"),
                hint: "sign in again with `sf org login web`",
            });
        };
        Ok(SfLogin {
            username: entry.username.unwrap_or(username),
            org: entry.org_id.map(|id| id.parse()).transpose()?,
            login,
        })
    }

    /// `<iv><cipher text>:<tag>` in hexadecimal. With a key of 64 characters all is hexadecimal (version 2); with one of 32
    /// characters key and iv are used as the text that they are (version 1).
    fn decrypt(&self, value: &Secret<String>) -> Result<Secret<String>> {
        let Some((front, tag)) = encrypted(value.expose()) else {
            return Ok(value.clone());
        };
        let key = self.key()?;
        let wrong = || Error::Configuration {
            what: "a secret of the sf CLI cannot be decrypted with ~/.sfdx/key.json".to_owned(),
            hint: HINT,
        };
        let second = key.expose().len() == 32 * HEX;
        let iv_length = if second { 12 * HEX } else { 6 * HEX };
        let (iv, text) = front.split_at_checked(iv_length).ok_or_else(wrong)?;
        let bytes = |text: &str| {
            if second {
                from_hex(text)
            } else {
                Some(text.as_bytes().to_vec())
            }
        };
        let key = UnboundKey::new(&AES_256_GCM, &bytes(key.expose()).ok_or_else(wrong)?).map_err(|_| wrong())?;
        let nonce = Nonce::try_assume_unique_for_key(&bytes(iv).ok_or_else(wrong)?).map_err(|_| wrong())?;
        let mut sealed = from_hex(text).ok_or_else(wrong)?;
        sealed.extend(from_hex(tag).ok_or_else(wrong)?);
        let plain = LessSafeKey::new(key)
            .open_in_place(nonce, Aad::empty(), &mut sealed)
            .map_err(|_| wrong())?;
        let text = String::from_utf8(plain.to_vec()).map_err(|_| wrong())?;
        Ok(text.into())
    }

    fn key(&self) -> Result<Secret<String>> {
        let path = self.home.join(".sfdx").join("key.json");
        if !path.exists() {
            return Err(Error::Configuration {
                what: format!(
                    "the sf CLI keeps its key in the keychain of the operating system ({} does not exist), so its logins cannot be read",
                    path.display()
                ),
                hint: HINT,
            });
        }
        Ok(read::<KeyFile>(&path)?.key)
    }
}

/// What stands before the colon, and the tag, when a value has the form of an encrypted one.
fn encrypted(value: &str) -> Option<(&str, &str)> {
    let (front, tag) = value.split_once(':')?;
    let hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    (tag.len() == 16 * HEX && hex(tag) && hex(front)).then_some((front, tag))
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(HEX) || !text.is_ascii() {
        return None;
    }
    (0..text.len())
        .step_by(HEX)
        .map(|at| u8::from_str_radix(&text[at..at + HEX], 16).ok())
        .collect()
}

/// Reads a file of JSON. The parser's message is left away: it could quote a secret.
fn read<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<T> {
    let bytes = fs::read(path).map_err(|error| Error::io(format!("read {}", path.display()), error))?;
    serde_json::from_slice(&bytes).map_err(|error| Error::Configuration {
        what: format!(
            "{} is not what the sf CLI writes (line {})",
            path.display(),
            error.line()
        ),
        hint: HINT,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values made with Node's `crypto`, the way the sf CLI does, from the text `5Aep-secret`.
    const V1_KEY: &str = "0123456789abcdef0123456789abcdef";
    const V2_KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    const V1: &str = "a1b2c3d4e5f6127d8a6411cb6547f2f9c1:c1d6e066fd347e6d56ebf7ec3f6b04a9";
    const V2: &str = "a1b2c3d4e5f6a1b2c3d4e5f6652599a4641fcaf66ca1cc:f845e49f413d45766beedfb96cd66441";

    fn home(key: Option<&str>, entry: serde_json::Value) -> tempfile::TempDir {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join(".sfdx");
        fs::create_dir(&folder).unwrap();
        if let Some(key) = key {
            let text = format!(r#"{{"account":"local","key":"{key}","service":"sfdx"}}"#);
            fs::write(folder.join("key.json"), text).unwrap();
        }
        fs::write(folder.join("ops@acme.example.json"), entry.to_string()).unwrap();
        fs::write(folder.join("alias.json"), r#"{"orgs":{"uat":"ops@acme.example"}}"#).unwrap();
        home
    }

    fn entry(token: &str) -> serde_json::Value {
        serde_json::json!({
            "username": "ops@acme.example", "orgId": "00DD000000IRt53", "clientId": "PlatformCLI", "refreshToken": token,
            "instanceUrl": "https://acme--uat.sandbox.my.salesforce.com", "loginUrl": "https://test.salesforce.com",
        })
    }

    #[test]
    fn both_versions_of_encryption_and_plain_text() {
        for (key, token) in [(V1_KEY, V1), (V2_KEY, V2), (V2_KEY, "5Aep-secret")] {
            let home = home(Some(key), entry(token));
            let found = SfFiles::of(home.path()).login("uat").unwrap();
            assert_eq!(found.username, "ops@acme.example");
            let Login::RefreshToken { token, host, app } = found.login else {
                panic!("{found:?}")
            };
            assert_eq!(token.expose(), "5Aep-secret");
            assert_eq!(host.as_str(), "https://test.salesforce.com");
            assert_eq!(app.id, "PlatformCLI");
        }
    }

    #[test]
    fn what_cannot_be_read_says_what_to_do() {
        let check = |key: Option<&str>, token: &str, name: &str, part: &str| {
            let home = home(key, entry(token));
            let error = SfFiles::of(home.path()).login(name).unwrap_err();
            assert_eq!(error.kind(), crate::Kind::Config);
            assert!(error.to_string().contains(part), "{error}");
            error.hints().join(" ")
        };
        assert!(check(None, V2, "uat", "keychain").contains("show-sfdx-auth-url"));
        assert!(check(Some(V1_KEY), V2, "uat", "cannot be decrypted").contains("show-sfdx-auth-url"));
        assert!(check(Some(V2_KEY), V2, "dev", "no login for `dev`").contains("sf org list"));
        check(Some(V2_KEY), V2, "../key", "no login for `../key`");
    }
}
