//! What the program knows of a deployment that it sends, for the case that it ends before the deployment does.

use std::path::PathBuf;

use syncline_engine::org::login::Orgs;
use syncline_salesforce::metadata::DeployIntent;

use crate::error::{CommandError, Kind};

/// The record of one org's deployment, by the name of its login.
pub(in crate::commands) struct Deploying {
    org: String,
    file: PathBuf,
}

impl Deploying {
    pub(in crate::commands) fn new(orgs: &Orgs, org: &str) -> Self {
        Self {
            org: org.to_owned(),
            file: orgs.vault.folder().join("deploying").join(format!("{org}.json")),
        }
    }

    /// What an earlier run was about to send when it was ended.
    pub(super) fn earlier(&self) -> Option<DeployIntent> {
        serde_json::from_slice(&std::fs::read(&self.file).ok()?).ok()
    }

    /// Writes down what is about to be sent.
    pub(in crate::commands) fn intend(&self, intent: &DeployIntent) -> Result<(), String> {
        let text = serde_json::to_vec_pretty(intent).map_err(|error| error.to_string())?;
        let folder = self.file.parent().unwrap_or(&self.file);
        std::fs::create_dir_all(folder)
            .and_then(|()| std::fs::write(&self.file, text))
            .map_err(|error| format!("{}: {error}", self.file.display()))
    }

    /// Tells the id of the deployment.
    pub(in crate::commands) fn started(&self, id: &str) {
        eprintln!("deployment {id} in {}", self.org);
    }

    /// The end was seen.
    pub(in crate::commands) fn ended(&self) -> Result<(), CommandError> {
        if !self.file.exists() {
            return Ok(());
        }
        std::fs::remove_file(&self.file).map_err(|error| {
            let message = format!("could not remove {}", self.file.display());
            CommandError::new(Kind::Config, "org.vault", message).because(error)
        })
    }
}
