//! Drift: in what an org differs from the branch of its environment, since when, by whom, and what to do about it.

mod adopt;
mod author;
mod find;
mod open;
mod overlay;
mod revert;
mod select;

use std::collections::BTreeMap;

use serde::Serialize;
pub use syncline_domain::drift::Class;
use syncline_domain::time::Millis;
use syncline_git::{Oid, Repository};
use syncline_metadata::component::ComponentId;
use syncline_metadata::diff::ChangeKind;
use syncline_metadata::path::ElementPath;

pub(crate) use adopt::edits;
pub use adopt::{Adopt, Adopted, Left, adopt};
pub use author::{Author, AuthorSource};
pub use open::Change;
pub(crate) use open::{ENVIRONMENT, ITEM, changes, target_of};
pub use overlay::OverlayError;
pub(crate) use overlay::{overlay_text, with_overlays};
pub use revert::{Revert, Reverted, Sent, revert};
pub use select::Picked;
pub(crate) use select::pick;

use crate::config;
use crate::environment::{EnvironmentError, find as environment, seen_of, tip_of};
use crate::wire;

/// In what an org differs from its branch.
#[derive(Clone, Debug, Serialize)]
pub struct Drift {
    /// The environment.
    pub environment: String,
    /// Its branch.
    pub branch: String,
    /// The branch's commit.
    #[serde(with = "wire::shown")]
    pub commit: Oid,
    /// The snapshot's commit.
    #[serde(with = "wire::shown")]
    pub snapshot: Oid,
    /// When it was taken.
    pub taken: Millis,
    /// The org.
    pub org: Option<String>,
    /// The branch was rewritten since the last snapshot, so that nobody knows who changed what.
    pub rewritten: bool,
    /// The differences by component; numbers of people count from 1 in this order.
    pub differences: Vec<Difference>,
    /// Types that the org could not list: nothing is known about them.
    pub not_listed: BTreeMap<String, String>,
    /// Changed files that no rule explains: path and reason.
    pub unknown: Vec<(String, String)>,
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// From 1.
    pub number: usize,
    /// The component.
    #[serde(with = "wire::shown")]
    pub component: ComponentId,
    /// The element; the component itself when it is there on one side only.
    #[serde(with = "wire::shown")]
    pub path: ElementPath,
    /// What the org did, seen from the branch.
    #[serde(with = "kind")]
    pub kind: ChangeKind,
    /// The value on the branch.
    pub branch: Option<String>,
    /// The value in the org.
    pub org: Option<String>,
    /// What is behind it.
    pub class: Class,
    /// The open change that has it.
    pub change: Option<String>,
    /// Who changed it last in the org.
    pub author: Option<Author>,
    /// The difference in words.
    pub words: String,
}

/// Differences of a type by class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counted {
    /// Components only the org has.
    pub added: usize,
    /// Components only the branch has.
    pub removed: usize,
    /// Components that differ inside.
    pub changed: usize,
}

/// Finds the drift of an environment: its last snapshot against its branch.
pub fn drift(repository: &Repository, name: &str) -> Result<Drift, EnvironmentError> {
    let config = config::read(repository)?;
    let environment = environment(&config, name)?;
    let (seen, tip) = (seen_of(repository, environment)?, tip_of(repository, environment)?);
    find::drift(repository, &config, environment, &seen, tip)
}

impl Drift {
    /// Differences that somebody should look at: all but noise and what an overlay explains.
    pub fn news(&self) -> impl Iterator<Item = &Difference> {
        self.differences
            .iter()
            .filter(|one| !matches!(one.class, Class::Noise | Class::Overlay))
    }

    /// How many components of a class there are by type.
    pub fn by_type(&self, class: Class) -> BTreeMap<&str, Counted> {
        let mut counts: BTreeMap<&str, Counted> = BTreeMap::new();
        let mut last: Option<&ComponentId> = None;
        for one in self.differences.iter().filter(|one| one.class == class) {
            if last == Some(&one.component) {
                continue;
            }
            last = Some(&one.component);
            let counted = counts.entry(&one.component.type_name).or_default();
            match (one.path.steps.is_empty(), one.kind) {
                (true, ChangeKind::Added) => counted.added += 1,
                (true, ChangeKind::Removed) => counted.removed += 1,
                _ => counted.changed += 1,
            }
        }
        counts
    }
}

mod kind {
    use serde::Serializer;
    use syncline_metadata::diff::ChangeKind;

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
    pub(super) fn serialize<S: Serializer>(kind: &ChangeKind, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(kind.name())
    }
}
