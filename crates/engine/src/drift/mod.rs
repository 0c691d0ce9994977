//! Drift: in what an org differs from the branch of its environment, since when, by whom, and what to do about it.

mod adopt;
mod author;
mod find;
mod open;
mod overlay;
mod select;

use std::collections::BTreeMap;

use serde::Serialize;
pub use syncline_domain::drift::{Attribution, Class};
use syncline_domain::time::Millis;
use syncline_git::{Oid, Repository};
use syncline_metadata::component::ComponentId;
use syncline_metadata::diff::ChangeKind;
use syncline_metadata::path::ElementPath;

pub(crate) use adopt::edits;
pub use adopt::{Adopt, Adopted, Left, adopt};
pub use open::Change;
pub(crate) use open::{ENVIRONMENT, ITEM, changes, target_of};
pub use overlay::OverlayError;
pub(crate) use overlay::{overlay_text, overlays, with_overlays};
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
    #[serde(flatten)]
    pub class: Class,
    /// Who changed it last in the org.
    pub author: Option<Attribution>,
    /// The difference in words.
    pub words: String,
}

impl Difference {
    /// The open change that is about it.
    pub fn change(&self) -> Option<&str> {
        match &self.class {
            Class::Captured { change } | Class::OpenChange { change } => Some(change),
            _ => None,
        }
    }

    /// Whether it was made in the org, so that the branch can take it over, or the org be set back.
    pub fn is_of_org(&self) -> bool {
        matches!(
            self.class,
            Class::Foreign { .. } | Class::Unmanaged | Class::Captured { .. } | Class::OpenChange { .. }
        )
    }

    /// Whether the org can be brought to what the branch says: it was made in the org, or the branch went on.
    pub fn is_revertible(&self) -> bool {
        self.is_of_org() || self.is_pending()
    }

    /// Whether the branch went on.
    pub fn is_pending(&self) -> bool {
        self.class == Class::Pending
    }

    /// Whether it was made in the org and no open change is about it.
    pub fn is_unclaimed(&self) -> bool {
        matches!(self.class, Class::Foreign { .. } | Class::Unmanaged)
    }
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
            .filter(|one| !matches!(one.class, Class::Noise { .. } | Class::Overlay))
    }

    /// How many components of a class, by its name, there are by type.
    pub fn by_type(&self, class: &str) -> BTreeMap<&str, Counted> {
        let mut counts: BTreeMap<&str, Counted> = BTreeMap::new();
        let mut last: Option<&ComponentId> = None;
        for one in self.differences.iter().filter(|one| one.class.name() == class) {
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
