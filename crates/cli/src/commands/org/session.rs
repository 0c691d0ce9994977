//! Where logins are, and a runtime for calls to orgs.

use std::env;
use std::path::PathBuf;

use syncline_engine::org::OrgError;
use syncline_engine::org::login::Orgs;
use syncline_engine::org::vault::Vault;
use syncline_salesforce::{Clock, Http};

use crate::error::{CommandError, Kind};

/// The logins of this user, and the network. Settings come from the environment: `SYNCLINE_HOME` (folder of the logins),
/// `SYNCLINE_KEY` (their key), `SYNCLINE_CA` (a PEM file with certificates to trust).
pub(in crate::commands) fn orgs() -> Result<Orgs, CommandError> {
    let folder = folder().ok_or_else(|| {
        CommandError::new(Kind::Config, "org.no-home", "there is no folder for logins").hint("set SYNCLINE_HOME")
    })?;
    let key = env::var("SYNCLINE_KEY").ok().map(Into::into);
    let http = match env::var_os("SYNCLINE_CA") {
        Some(file) => Http::trusting(&[crate::file::read(file.as_ref())?]),
        None => Http::new(),
    };
    Ok(Orgs {
        vault: Vault::open(folder, key),
        http: http.map_err(OrgError::from)?,
        home: env::home_dir(),
        clock: Clock::system(),
    })
}

fn folder() -> Option<PathBuf> {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(folder) = set("SYNCLINE_HOME") {
        return Some(folder);
    }
    let settings = if cfg!(target_os = "macos") {
        env::home_dir().map(|home| home.join("Library/Application Support"))
    } else if cfg!(windows) {
        set("APPDATA")
    } else {
        set("XDG_CONFIG_HOME").or_else(|| env::home_dir().map(|home| home.join(".config")))
    };
    settings.map(|folder| folder.join("syncline"))
}

/// Runs calls to orgs to their end.
pub(in crate::commands) fn block_on<T>(work: impl Future<Output = Result<T, OrgError>>) -> Result<T, CommandError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| {
        CommandError::new(Kind::Internal, "org.internal", "could not start the network").because(error)
    })?;
    Ok(runtime.block_on(work)?)
}
