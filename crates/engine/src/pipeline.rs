//! The path between the environments, for people and for documents.

use syncline_domain::config::Way;
use syncline_domain::pipeline::{mermaid, tree};
use syncline_git::Repository;

use crate::config;
use crate::environment::EnvironmentError;

/// The path in several forms.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawn {
    /// As a tree for a terminal.
    pub tree: String,
    /// As a Mermaid flowchart.
    pub mermaid: String,
    /// All ways with their rules: up to the next environment, and down to all below.
    pub ways: Vec<Way>,
}

/// Draws the path of syncline.toml.
pub fn show(repository: &Repository) -> Result<Drawn, EnvironmentError> {
    let config = config::read(repository)?;
    if config.environments().is_empty() {
        return Err(EnvironmentError::Argument {
            what: "syncline.toml names no environment".to_owned(),
            hint: "`syncline init` writes one".to_owned(),
        });
    }
    Ok(Drawn {
        tree: tree(&config),
        mermaid: mermaid(&config),
        ways: config.ways(),
    })
}
