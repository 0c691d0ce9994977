//! Logging in to orgs, and connections of kept logins.

use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;
use syncline_salesforce::auth::{self, App, JwtKey, SfFiles, Token};
use syncline_salesforce::{Address, Clock, Connection, Http, Login, Options, OrgId, OrgKind, Secret, WritePermit};

use super::error::OrgError;
use super::vault::{Entry, StoredGrant, Vault};

/// What a person signs in with.
#[derive(Debug)]
pub enum Grant {
    /// A token that somebody got.
    AccessToken(Secret<String>),
    /// The app's key, as PEM.
    Jwt {
        /// The consumer key.
        client_id: String,
        /// The user.
        username: String,
        /// The private key.
        pem: Secret<String>,
    },
    /// The app itself.
    ClientCredentials {
        /// The consumer key.
        client_id: String,
        /// The consumer secret.
        secret: Secret<String>,
    },
    /// An SFDX auth URL.
    SfdxUrl(Secret<String>),
    /// A login of the sf CLI.
    SfCli {
        /// Its alias or user name.
        name: String,
    },
    /// A session that the browser has started.
    Browser {
        /// The app.
        app: App,
        /// The session.
        token: Token,
    },
}

/// What to log in to.
#[derive(Debug)]
pub struct NewLogin {
    /// The name from now on.
    pub name: String,
    /// Where to sign in; not needed where the grant tells.
    pub host: Option<Address>,
    /// With what.
    pub grant: Grant,
    /// Allow changes if it is a production.
    pub production_writes: bool,
}

/// A kept login in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrgSummary {
    /// The name.
    pub name: String,
    /// The org.
    pub org_id: OrgId,
    /// The user.
    pub username: String,
    /// The address.
    pub instance: String,
    /// `production`, `sandbox`, …
    pub kind: String,
    /// Whether changes to it are allowed if it is a production.
    pub production_writes: bool,
    /// How it signs in.
    pub grant: &'static str,
}

impl OrgSummary {
    fn of(name: &str, entry: &Entry) -> Self {
        Self {
            name: name.to_owned(),
            org_id: entry.org_id.clone(),
            username: entry.username.clone(),
            instance: entry.instance.clone(),
            kind: entry.kind.clone(),
            production_writes: entry.production_writes,
            grant: match entry.grant {
                StoredGrant::AccessToken {} => "access token",
                StoredGrant::RefreshToken { .. } => "refresh token",
                StoredGrant::Jwt { .. } => "JWT",
                StoredGrant::ClientCredentials { .. } => "client credentials",
                StoredGrant::SfCli { .. } => "sf CLI",
            },
        }
    }
}

/// Where logins are, and how they are used.
#[derive(Debug, Clone)]
pub struct Orgs {
    /// The kept logins.
    pub vault: Vault,
    /// The network.
    pub http: Http,
    /// The user's home folder, for logins of the sf CLI.
    pub home: Option<PathBuf>,
    /// The clock that waits for orgs go through.
    pub clock: Clock,
}

/// The kind in one word.
pub fn kind_name(kind: OrgKind) -> &'static str {
    match kind {
        OrgKind::Production => "production",
        OrgKind::Sandbox => "sandbox",
        OrgKind::Scratch => "scratch",
        OrgKind::Developer => "developer",
        OrgKind::Trial => "trial",
    }
}

impl Orgs {
    /// Signs in, asks what the org is, and keeps the login.
    pub async fn login(&self, new: NewLogin) -> Result<OrgSummary, OrgError> {
        let (grant, secrets, login) = self.read(&new)?;
        let options = Options {
            clock: self.clock.clone(),
            ..Options::named(&new.name)
        };
        let connection = match new.grant {
            Grant::Browser { token, .. } => Connection::with_token(&self.http, login, token, options).await?,
            _ => Connection::open(&self.http, login, options).await?,
        };
        let organization = connection.organization().await?;
        let identity = connection.identity().await?;
        let mut entry = Entry::new(connection.org().clone(), grant);
        entry.username = identity.preferred_username;
        entry.instance = connection.instance().as_str().to_owned();
        kind_name(organization.kind()).clone_into(&mut entry.kind);
        entry.production_writes = new.production_writes;
        let summary = OrgSummary::of(&new.name, &entry);
        self.vault.keep(&new.name, entry, &secrets)?;
        Ok(summary)
    }

    /// All kept logins.
    pub fn list(&self) -> Result<Vec<OrgSummary>, OrgError> {
        let entries = self.vault.entries()?;
        Ok(entries
            .iter()
            .map(|(name, entry)| OrgSummary::of(name, entry))
            .collect())
    }

    /// One kept login.
    pub fn summary(&self, name: &str) -> Result<OrgSummary, OrgError> {
        Ok(OrgSummary::of(name, &self.vault.entry(name)?))
    }

    /// Forgets a login. A token that only we have is ended in the org first; whether that worked is returned.
    pub async fn logout(&self, name: &str) -> Result<bool, OrgError> {
        let entry = self.vault.entry(name)?;
        let token = self.vault.secret(name, &entry, "token");
        let revoked = match (&entry.grant, token) {
            (StoredGrant::RefreshToken { host, .. }, Ok(Some(token))) => {
                let host: Address = host.parse()?;
                auth::revoke(&self.http, &host, &token).await.is_ok()
            }
            _ => false,
        };
        self.vault.forget(name)?;
        Ok(revoked)
    }

    /// Connects with a kept login, to read.
    pub async fn connect(&self, name: &str) -> Result<Connection, OrgError> {
        self.connect_with(name, None).await
    }

    /// Connects to change the org. A production needs a login that allows it, and its name once more in `confirmed`.
    pub async fn connect_to_write(&self, name: &str, confirmed: Option<&str>) -> Result<Connection, OrgError> {
        let permit = self.permit(name, confirmed)?;
        self.connect_with(name, permit).await
    }

    /// What a connection needs to change an org: nothing, or a permit that names the production.
    pub fn permit(&self, name: &str, confirmed: Option<&str>) -> Result<Option<WritePermit>, OrgError> {
        let entry = self.vault.entry(name)?;
        if entry.kind != "production" {
            return Ok(None);
        }
        if !entry.production_writes {
            return Err(OrgError::ProductionLogin { org: name.to_owned() });
        }
        if confirmed != Some(name) {
            return Err(OrgError::NotConfirmed { org: name.to_owned() });
        }
        Ok(Some(WritePermit::naming(name)))
    }

    /// Connects to run tests: they change no data and no metadata, so a production needs no permit of its user.
    pub async fn connect_for_tests(&self, name: &str) -> Result<Connection, OrgError> {
        self.connect_with(name, Some(WritePermit::naming(name))).await
    }

    async fn connect_with(&self, name: &str, permit: Option<WritePermit>) -> Result<Connection, OrgError> {
        let entry = self.vault.entry(name)?;
        let login = self.stored(name, &entry)?;
        let vault = self.vault.clone();
        let owner = name.to_owned();
        let by_sf = matches!(entry.grant, StoredGrant::SfCli { .. });
        let options = Options {
            expected_org: Some(entry.org_id.clone()),
            permit,
            clock: self.clock.clone(),
            on_rotation: Some(Arc::new(move |token| {
                let saved = match by_sf {
                    // We cannot write into the sf CLI's files.
                    true => Err("the login belongs to the sf CLI; log in with --web instead".to_owned()),
                    false => vault
                        .replace_secret(&owner, "token", &token)
                        .map_err(|error| error.to_string()),
                };
                Box::pin(async move { saved })
            })),
            ..Options::named(name)
        };
        Ok(Connection::open(&self.http, login, options).await?)
    }

    /// What is kept of a new login, its secrets, and the login itself.
    fn read(&self, new: &NewLogin) -> Result<(StoredGrant, Secrets, Login), OrgError> {
        let host = |default: &str| -> Result<Address, OrgError> {
            Ok(match &new.host {
                Some(host) => host.clone(),
                None => default.parse()?,
            })
        };
        let needed = || OrgError::Argument {
            what: "this login needs the org's own address".to_owned(),
            hint: "give it with --instance, as in --instance https://acme.my.salesforce.com",
        };
        Ok(match &new.grant {
            Grant::AccessToken(token) => {
                let instance = new.host.clone().ok_or_else(needed)?;
                let login = Login::AccessToken {
                    instance,
                    token: token.clone(),
                };
                (StoredGrant::AccessToken {}, vec![("token", token.clone())], login)
            }
            Grant::Jwt {
                client_id,
                username,
                pem,
            } => {
                let host = host(Address::PRODUCTION)?;
                let stored = StoredGrant::Jwt {
                    client_id: client_id.clone(),
                    host: host.as_str().to_owned(),
                };
                let login = jwt(client_id, username, pem, host)?;
                (stored, vec![("key", pem.clone())], login)
            }
            Grant::ClientCredentials { client_id, secret } => {
                let stored = StoredGrant::ClientCredentials {
                    client_id: client_id.clone(),
                };
                let login = Login::ClientCredentials {
                    app: App {
                        id: client_id.clone(),
                        secret: Some(secret.clone()),
                    },
                    host: new.host.clone().ok_or_else(needed)?,
                };
                (stored, vec![("clientSecret", secret.clone())], login)
            }
            Grant::SfdxUrl(url) => refreshing(auth::parse_sfdx_url(url)?)?,
            Grant::SfCli { name } => {
                let stored = StoredGrant::SfCli { name: name.clone() };
                (stored, Vec::new(), self.sf_login(name)?)
            }
            Grant::Browser { app, token } => {
                let refresh = token.refresh.clone().ok_or_else(|| OrgError::Argument {
                    what: "the app gives no refresh token, so the login would end with the session".to_owned(),
                    hint: "add the scope refresh_token to the app",
                })?;
                refreshing(Login::RefreshToken {
                    app: app.clone(),
                    host: token.instance.clone(),
                    token: refresh,
                })?
            }
        })
    }

    fn sf_login(&self, name: &str) -> Result<Login, OrgError> {
        let home = self.home.clone().ok_or_else(|| OrgError::Argument {
            what: "there is no home folder, so the logins of the sf CLI cannot be found".to_owned(),
            hint: "set HOME",
        })?;
        Ok(SfFiles::of(home).login(name)?.login)
    }

    fn stored(&self, name: &str, entry: &Entry) -> Result<Login, OrgError> {
        let secret = |field: &'static str| -> Result<Secret<String>, OrgError> {
            self.vault
                .secret(name, entry, field)?
                .ok_or_else(|| OrgError::Argument {
                    what: format!("the login `{name}` lacks its {field}"),
                    hint: "log in again",
                })
        };
        Ok(match &entry.grant {
            StoredGrant::AccessToken {} => Login::AccessToken {
                instance: entry.instance.parse()?,
                token: secret("token")?,
            },
            StoredGrant::RefreshToken { client_id, host } => Login::RefreshToken {
                app: App {
                    id: client_id.clone(),
                    secret: self.vault.secret(name, entry, "clientSecret")?,
                },
                host: host.parse()?,
                token: secret("token")?,
            },
            StoredGrant::Jwt { client_id, host } => jwt(client_id, &entry.username, &secret("key")?, host.parse()?)?,
            StoredGrant::ClientCredentials { client_id } => Login::ClientCredentials {
                app: App {
                    id: client_id.clone(),
                    secret: Some(secret("clientSecret")?),
                },
                host: entry.instance.parse()?,
            },
            StoredGrant::SfCli { name } => self.sf_login(name)?,
        })
    }
}

type Secrets = Vec<(&'static str, Secret<String>)>;

fn jwt(client_id: &str, username: &str, pem: &Secret<String>, host: Address) -> Result<Login, OrgError> {
    Ok(Login::Jwt {
        app: client_id.to_owned(),
        user: username.to_owned(),
        key: Arc::new(JwtKey::from_pem(pem.expose())?),
        host,
        audience: None,
    })
}

fn refreshing(login: Login) -> Result<(StoredGrant, Secrets, Login), OrgError> {
    let Login::RefreshToken { app, host, token } = &login else {
        return Err(OrgError::Argument {
            what: "this login has no refresh token".to_owned(),
            hint: "log in with --web",
        });
    };
    let stored = StoredGrant::RefreshToken {
        client_id: app.id.clone(),
        host: host.as_str().to_owned(),
    };
    let mut secrets = vec![("token", token.clone())];
    secrets.extend(app.secret.clone().map(|secret| ("clientSecret", secret)));
    Ok((stored, secrets, login))
}
