//! What is known of an org as of its last snapshot beside its files: dates and authors, kept beside the repository's objects.
//! Losing it costs a complete retrieve, no truth.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use syncline_git::Repository;

use super::inventory::Inventory;
use super::plan::{KnownDates, trusted_date};
use super::trail::{Member, TrailEntry};
use crate::org::OrgError;

/// Facts of a snapshot.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Facts {
    /// The org.
    pub org: String,
    /// The snapshot's commit.
    pub commit: String,
    /// When it was taken, milliseconds since 1970 in UTC. A snapshot that found no change moves it, not the commit.
    pub taken: i64,
    /// What was in scope, as a digest.
    pub scope: String,
    /// The components of the org.
    pub components: Vec<Fact>,
    /// Types that could not be listed, and why.
    pub refused: BTreeMap<String, String>,
    /// Rows of the setup audit trail, the newest first; `None` where the user may not read it.
    pub trail: Option<Vec<TrailEntry>>,
    /// Rows of source tracking; `None` where the org does not track.
    pub members: Option<Vec<Member>>,
    /// The last copies of sandboxes, if this org has any.
    pub copies: Vec<super::trail::Copy>,
}

/// A component as the org lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact(
    /// Type.
    pub String,
    /// Full name.
    pub String,
    /// When it changed last; empty where the org's date means nothing.
    pub String,
    /// Who changed it last; empty where the org does not tell.
    pub String,
);

impl Facts {
    /// The facts of a snapshot by its name; `None` when there are none or they cannot be read.
    pub fn read(repository: &Repository, name: &str) -> Option<Self> {
        serde_json::from_slice(&fs::read(file(repository, name)).ok()?).ok()
    }

    pub(super) fn write(&self, repository: &Repository, name: &str) -> Result<(), OrgError> {
        let path = file(repository, name);
        let write = || {
            let folder = path.parent().unwrap_or(&path);
            fs::create_dir_all(folder)?;
            let mut file = std::io::BufWriter::new(tempfile::NamedTempFile::new_in(folder)?);
            serde_json::to_writer(&mut file, self)?;
            let file = file.into_inner().map_err(std::io::IntoInnerError::into_error)?;
            file.persist(&path).map(drop).map_err(|error| error.error)
        };
        write().map_err(OrgError::file("could not write", &path))
    }

    /// When each component changed.
    pub(super) fn dates(&self) -> KnownDates {
        let part = |fact: &Fact| ((fact.0.clone(), fact.1.clone()), fact.2.clone());
        self.components.iter().map(part).collect()
    }

    /// The components of an inventory.
    pub(super) fn components_of(inventory: &Inventory) -> Vec<Fact> {
        let fact = |((kind, name), row): (&(String, String), &syncline_salesforce::metadata::FileProperties)| {
            let date = trusted_date(kind, row.last_modified_date.as_deref(), name).unwrap_or_default();
            let by = row.last_modified_by_name.clone().unwrap_or_default();
            Fact(kind.clone(), name.clone(), date.to_owned(), by)
        };
        inventory.components.iter().map(fact).collect()
    }
}

fn file(repository: &Repository, name: &str) -> PathBuf {
    let folder = repository.common_dir().join("syncline").join("snapshot");
    folder.join(format!("{name}.json"))
}
