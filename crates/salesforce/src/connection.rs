//! A signed-in org: all requests pass here.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::OnceCell;

use crate::address::Address;
use crate::auth::{Login, Token};
use crate::clock::{BoxFuture, Clock};
use crate::error::{Error, Result};
use crate::guard::{Refusal, WritePermit};
use crate::http::Http;
use crate::id::OrgId;
use crate::limits::{Reserve, Seen as SeenLimits, Usage};
use crate::organization::Organization;
use crate::rest;
use crate::retry::Retry;
use crate::secret::Secret;
use crate::session::{Renewal, Session};
use crate::still::Still;
use crate::version::ApiVersion;

/// Called with a new refresh token, before it is used: it replaces the old one, which is dead by then.
pub type OnRotation = Arc<dyn Fn(Secret<String>) -> BoxFuture<Result<(), String>> + Send + Sync>;

/// What a connection needs beside the login.
#[derive(Clone)]
pub struct Options {
    /// What the user calls this org; it stands in errors, and permits name it.
    pub name: String,
    /// The API version; without one, the newest that the org has.
    pub api_version: Option<ApiVersion>,
    /// The org that it has to be.
    pub expected_org: Option<OrgId>,
    /// Allows writes if the org is a production.
    pub permit: Option<WritePermit>,
    /// What background work leaves to others.
    pub reserve: Reserve,
    /// How attempts are repeated.
    pub retry: Retry,
    /// The time.
    pub clock: Clock,
    /// Saves a new refresh token.
    pub on_rotation: Option<OnRotation>,
}

impl Options {
    /// The defaults for an org of this name.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            api_version: None,
            expected_org: None,
            permit: None,
            reserve: Reserve::default(),
            retry: Retry::default(),
            clock: Clock::system(),
            on_rotation: None,
        }
    }
}

/// A signed-in org. Cloning is cheap; clones share the session, the limits and what is known of the org.
#[derive(Clone)]
pub struct Connection {
    pub(crate) inner: Arc<Inner>,
    /// Whether this one, and its clones, may still write.
    pub(crate) still: Option<Still>,
}

pub(crate) struct Inner {
    pub(crate) http: Http,
    pub(crate) options: Options,
    pub(crate) api_version: ApiVersion,
    pub(crate) org: OrgId,
    pub(crate) session: RwLock<Arc<Session>>,
    pub(crate) renewal: Renewal,
    pub(crate) limits: SeenLimits,
    organization: OnceCell<Organization>,
}

impl Connection {
    /// Signs in.
    ///
    /// # Errors
    /// `login_refused` when Salesforce says no; `wrong_org` when it is not `expected_org`; `no_answer` without connection.
    pub async fn open(http: &Http, login: Login, options: Options) -> Result<Self> {
        let token = crate::session::sign_in(http, &login, &options).await?;
        Self::with_token(http, login, token, options).await
    }

    /// Uses a session that was started before, by the browser or by an earlier [`Connection::open`].
    pub async fn with_token(http: &Http, login: Login, token: Token, options: Options) -> Result<Self> {
        let org = match &token.org {
            Some(org) => org.clone(),
            None => crate::auth::identity(http, &token).await?.organization_id,
        };
        if let Some(expected) = options.expected_org.as_ref().filter(|expected| **expected != org) {
            return Err(Error::Refused(Refusal::WrongOrg {
                org: options.name.clone(),
                expected: expected.clone(),
                found: org,
            }));
        }
        let api_version = match options.api_version {
            Some(version) => version,
            None => rest::newest_version(http, &token.instance).await?,
        };
        let renewal = Renewal::new(login);
        renewal.rotated(&options, token.refresh.clone()).await?;
        Ok(Self {
            inner: Arc::new(Inner {
                http: http.clone(),
                options,
                api_version,
                org,
                session: RwLock::new(Arc::new(Session::of(token))),
                renewal,
                limits: SeenLimits::default(),
                organization: OnceCell::new(),
            }),
            still: None,
        })
    }

    /// The same, which writes only while it may. It is asked before each attempt, repeats included, and before each piece of a
    /// deployment's zip: what is left is the time of one system call.
    #[must_use]
    pub fn only_while(mut self, still: Still) -> Self {
        self.still = Some(still);
        self
    }

    /// What the user calls this org.
    pub fn name(&self) -> &str {
        &self.inner.options.name
    }

    /// The org's id. It stays the same for this connection and all its clones.
    pub fn org(&self) -> &OrgId {
        &self.inner.org
    }

    /// The API version of all requests.
    pub fn api_version(&self) -> ApiVersion {
        self.inner.api_version
    }

    /// The org's own address.
    pub fn instance(&self) -> Address {
        self.session().instance.clone()
    }

    /// The clock that waits go through.
    pub fn clock(&self) -> &Clock {
        &self.inner.options.clock
    }

    /// The API requests of 24 hours, as the newest answer told.
    pub fn usage(&self) -> Option<Usage> {
        self.inner.limits.usage()
    }

    /// The access token, for programs that we start on the user's behalf.
    pub fn access_token(&self) -> Secret<String> {
        self.session().token.clone()
    }

    /// The row `Organization`; read once.
    pub async fn organization(&self) -> Result<&Organization> {
        let read = async {
            let rows: Vec<Organization> = self.query(Organization::QUERY).rows().await?;
            let row = rows.into_iter().next();
            let row = row.ok_or_else(|| Error::unexpected("read Organization", "it has no row"))?;
            if row.id != self.inner.org {
                return Err(Error::Refused(Refusal::WrongOrg {
                    org: self.name().to_owned(),
                    expected: self.inner.org.clone(),
                    found: row.id,
                }));
            }
            Ok(row)
        };
        self.inner.organization.get_or_try_init(|| read).await
    }

    pub(crate) fn session(&self) -> Arc<Session> {
        self.inner
            .session
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Connection({}, {})", self.name(), self.inner.org)
    }
}
