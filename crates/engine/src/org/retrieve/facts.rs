//! What is known of an org as of its last snapshot beside its files: dates and authors, kept beside the repository's objects.
//! Losing it costs a complete retrieve, no truth.

use std::collections::BTreeMap;
use std::fs;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use syncline_git::Repository;
use syncline_salesforce::metadata::FileProperties;

use super::plan::{KnownDates, Part, trusted_date};
use super::trail::{Copy, Member, TrailEntry, User};
use crate::org::OrgError;

/// What is known of a snapshot itself: small, since it is read for every environment at once.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Head {
    /// The org.
    pub org: String,
    /// The snapshot's commit.
    pub commit: String,
    /// When it was taken, milliseconds since 1970 in UTC. A snapshot that found no change moves it, not the commit.
    pub taken: i64,
    /// What was in scope, as a digest.
    pub scope: String,
    /// Types that could not be listed, and why.
    pub refused: BTreeMap<String, String>,
    /// The last copies of sandboxes, if this org has any.
    pub copies: Vec<Copy>,
}

/// What is known of its components.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Facts {
    /// When they were asked for: that of the head they belong to.
    pub taken: i64,
    /// Who asked: the user of the login.
    pub user: User,
    /// The components of the org.
    pub components: Vec<Fact>,
    /// Children that come with them, as fields of objects.
    #[serde(default)]
    pub children: Vec<Fact>,
    /// Rows of the setup audit trail, the newest first; `None` where the user may not read it.
    pub trail: Option<Vec<TrailEntry>>,
    /// Rows of source tracking; `None` where the org does not track.
    pub members: Option<Vec<Member>>,
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

impl Head {
    /// Of the snapshot of that name; `None` when there is none or it cannot be read.
    pub fn read(repository: &Repository, name: &str) -> Option<Self> {
        read(&folder(repository).join(format!("{name}.json")))
    }

    /// Of its components; `None` when they are of another time or cannot be read.
    pub fn facts(&self, repository: &Repository, name: &str) -> Option<Facts> {
        let facts: Facts = read(&folder(repository).join(format!("{name}.components.json")))?;
        (facts.taken == self.taken).then_some(facts)
    }

    /// Writes both; the head last, since it says which facts hold.
    pub(super) fn write(&self, repository: &Repository, name: &str, facts: &Facts) -> Result<(), OrgError> {
        let folder = folder(repository);
        write(&folder.join(format!("{name}.components.json")), facts)?;
        write(&folder.join(format!("{name}.json")), self)
    }
}

impl Facts {
    /// When each component and each child changed.
    pub(super) fn dates(&self) -> KnownDates {
        let part = |fact: &Fact| ((fact.0.clone(), fact.1.clone()), fact.2.clone());
        self.components.iter().chain(&self.children).map(part).collect()
    }

    /// What a list tells of components.
    pub(super) fn of(listed: &BTreeMap<Part, FileProperties>) -> Vec<Fact> {
        let fact = |((kind, name), row): (&(String, String), &FileProperties)| {
            let date = trusted_date(kind, row.last_modified_date.as_deref(), name).unwrap_or_default();
            let by = row.last_modified_by_name.clone().unwrap_or_default();
            Fact(kind.clone(), name.clone(), date.to_owned(), by)
        };
        listed.iter().map(fact).collect()
    }
}

fn folder(repository: &Repository) -> PathBuf {
    repository.common_dir().join("syncline").join("snapshot")
}

fn read<T: DeserializeOwned>(path: &Path) -> Option<T> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

fn write(path: &Path, value: &impl Serialize) -> Result<(), OrgError> {
    let write = || {
        let folder = path.parent().unwrap_or(path);
        fs::create_dir_all(folder)?;
        let mut file = BufWriter::new(tempfile::NamedTempFile::new_in(folder)?);
        serde_json::to_writer(&mut file, value)?;
        let file = file.into_inner().map_err(std::io::IntoInnerError::into_error)?;
        file.persist(path).map(drop).map_err(|error| error.error)
    };
    write().map_err(OrgError::file("could not write", path))
}
