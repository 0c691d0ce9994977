//! Counts over a comparison.

use std::collections::BTreeMap;

use syncline_metadata::diff::ChangeKind;

use super::Comparison;

/// How many components of a type are new, gone, different or moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stat {
    /// New components.
    pub added: usize,
    /// Components that are gone.
    pub removed: usize,
    /// Components that differ.
    pub changed: usize,
    /// Components that only lie elsewhere.
    pub moved: usize,
    /// Changes of elements inside components that are on both sides.
    pub elements: usize,
}

impl Comparison {
    /// Counts by type.
    pub fn stat(&self) -> BTreeMap<&str, Stat> {
        let mut stats: BTreeMap<&str, Stat> = BTreeMap::new();
        for component in &self.components {
            let stat = stats.entry(&component.id.type_name).or_default();
            match component.kind {
                ChangeKind::Added => stat.added += 1,
                ChangeKind::Removed => stat.removed += 1,
                ChangeKind::Changed => stat.changed += 1,
                ChangeKind::Moved => stat.moved += 1,
            }
            stat.elements += component.elements.iter().filter(|e| !e.path.steps.is_empty()).count();
        }
        stats
    }

    /// Whether the states mean the same.
    pub fn is_equal(&self) -> bool {
        self.components.is_empty() && self.unknown.is_empty()
    }
}
