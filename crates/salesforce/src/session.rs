//! The session of a connection, and starting another one when it ends.

use std::sync::{Arc, PoisonError};

use tokio::sync::Mutex;

use crate::address::Address;
use crate::auth::{Login, Token};
use crate::connection::{Connection, Options};
use crate::error::{Error, Result};
use crate::guard::Refusal;
use crate::http::Http;
use crate::secret::Secret;

/// What requests carry.
pub(crate) struct Session {
    pub(crate) token: Secret<String>,
    pub(crate) instance: Address,
}

impl Session {
    pub(crate) fn of(token: Token) -> Self {
        Self {
            token: token.access,
            instance: token.instance,
        }
    }

    /// Tokens in JWT form serve REST, but not SOAP.
    pub(crate) fn is_jwt(&self) -> bool {
        !self.token.expose().contains('!')
    }
}

/// The login, and at most one use of it at a time.
pub(crate) struct Renewal {
    renews: bool,
    state: Mutex<State>,
}

struct State {
    login: Login,
    /// What the sign-in said about a session that could not be replaced, so that waiters do not try it again.
    refused: Option<(Arc<Session>, String, String)>,
}

impl Renewal {
    pub(crate) fn new(login: Login) -> Self {
        Self {
            renews: login.renews(),
            state: Mutex::new(State { login, refused: None }),
        }
    }

    pub(crate) fn renews(&self) -> bool {
        self.renews
    }

    /// Takes over a new refresh token and has it saved.
    pub(crate) async fn rotated(&self, options: &Options, refresh: Option<Secret<String>>) -> Result<()> {
        rotate(&mut self.state.lock().await.login, options, refresh).await
    }
}

async fn rotate(login: &mut Login, options: &Options, refresh: Option<Secret<String>>) -> Result<()> {
    let (Login::RefreshToken { token, .. }, Some(new)) = (login, refresh) else {
        return Ok(());
    };
    if *token == new {
        return Ok(());
    }
    *token = new.clone();
    if let Some(save) = &options.on_rotation {
        save(new).await.map_err(|why| Error::Internal {
            what: format!("the new refresh token of {} could not be saved: {why}", options.name),
        })?;
    }
    Ok(())
}

/// Starts a session. What passes by itself is tried again: a lost answer to a sign-in leaves nothing but an unused session.
pub(crate) async fn sign_in(http: &Http, login: &Login, options: &Options) -> Result<Token> {
    let mut attempt = 0;
    loop {
        attempt += 1;
        let failure = match login.sign_in(http, &options.clock).await {
            Ok(token) => return Ok(token),
            Err(failure) => failure,
        };
        let passes = match &failure {
            Error::Transport { .. } => true,
            Error::NotApi { status, .. } => matches!(status, 420 | 429 | 500..=504),
            _ => false,
        };
        match options.retry.wait(attempt, None).filter(|_| passes) {
            Some(wait) => options.clock.sleep(wait).await,
            None => return Err(failure),
        }
    }
}

impl Connection {
    /// Replaces a session that ended. Of many callers with the same old session only one signs in.
    pub(crate) async fn renew(&self, ended: &Arc<Session>) -> Result<()> {
        let inner = &self.inner;
        let mut state = inner.renewal.state.lock().await;
        if !Arc::ptr_eq(&self.session(), ended) {
            return Ok(());
        }
        if let Some((session, error, description)) = &state.refused
            && Arc::ptr_eq(session, ended)
        {
            return Err(Error::Login {
                attempted: format!("sign in to {} again", self.name()),
                error: error.clone(),
                description: description.clone(),
            });
        }
        let token = match sign_in(&inner.http, &state.login, &inner.options).await {
            Ok(token) => token,
            Err(failure) => {
                if let Error::Login { error, description, .. } = &failure {
                    state.refused = Some((ended.clone(), error.clone(), description.clone()));
                }
                return Err(failure);
            }
        };
        let org = match &token.org {
            Some(org) => org.clone(),
            None => crate::auth::identity(&inner.http, &token).await?.organization_id,
        };
        if org != inner.org {
            return Err(Error::Refused(Refusal::WrongOrg {
                org: self.name().to_owned(),
                expected: inner.org.clone(),
                found: org,
            }));
        }
        let refresh = token.refresh.clone();
        *inner.session.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(Session::of(token));
        tracing::info!(org = %inner.org, "signed in again");
        rotate(&mut state.login, &inner.options, refresh).await
    }
}
