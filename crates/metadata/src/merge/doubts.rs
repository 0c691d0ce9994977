//! Places that a merge must leave to a person, as the rules of a whole document and the self-check found them.

use std::collections::BTreeSet;

use super::element::{BASE, Family, Merger, OURS, THEIRS, Triple, Verdict, members_digest};
use crate::check::Violation;
use crate::conflict::Reason;
use crate::path::{ElementPath, Selector, Step};
use crate::xml::Node;

/// A place that must not be settled by itself, because a rule over the whole document would break.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Forced {
    /// The side on which the element stands.
    pub side: usize,
    /// Where it begins there, as a byte offset.
    pub at: usize,
    pub reason: Reason,
}

/// What the attempts at one document so far have shown.
#[derive(Debug, Default)]
pub(super) struct Doubts {
    pub forced: Vec<Forced>,
    /// Lists whose order cannot be settled.
    pub unordered: Vec<ElementPath>,
    /// Elements whose merge the self-check does not accept.
    pub unproven: Vec<ElementPath>,
}

impl Doubts {
    /// Takes up what the self-check found: the order of a list, else the smallest element around the
    /// place that is not in doubt already. `false` when only the whole document is left.
    pub fn add(&mut self, violation: &Violation) -> bool {
        let mut path = violation.path.clone();
        if violation.problem.is_order() && !self.unordered.contains(&path) {
            self.unordered.push(path);
            return true;
        }
        while self.unproven.contains(&path) {
            path.steps.pop();
        }
        let is_inside = !path.steps.is_empty();
        self.unproven.push(path);
        is_inside
    }
}

impl<'a, 'i: 'a> Merger<'a, 'i> {
    /// Lists of this element whose order cannot be settled.
    pub fn unordered_here(&self) -> BTreeSet<Box<str>> {
        let names = |steps: &[Step]| -> Vec<Box<str>> { steps.iter().map(|step| step.name.clone()).collect() };
        let here = names(&self.path);
        let lists = self.doubts.unordered.iter().filter_map(|list| list.steps.split_last());
        lists
            .filter(|(_, above)| names(above) == here)
            .map(|(list, _)| list.name.clone())
            .collect()
    }

    /// Whether the self-check did not accept what became of an element on which the sides disagree.
    pub fn is_unproven(&self, family: &Family<'a, 'i>, slot: u32) -> bool {
        let unproven = &self.doubts.unproven;
        if unproven.is_empty() || !self.is_named_by(unproven, &self.step(family, slot)) {
            return false;
        }
        members_digest(family, slot, OURS) != members_digest(family, slot, THEIRS)
    }

    fn is_named_by(&self, paths: &[ElementPath], last: &Step) -> bool {
        paths.iter().any(|path| {
            path.steps.len() == self.path.len() + 1
                && path
                    .steps
                    .iter()
                    .zip(self.path.iter().chain([last]))
                    .all(|(a, b)| may_be_same(a, b))
        })
    }

    /// Whether a forced place lies inside the element on any side.
    pub fn holds_forced(&self, t: Triple<'a, 'i>) -> bool {
        let nodes = [t.base, Some(t.ours), Some(t.theirs)];
        self.doubts
            .forced
            .iter()
            .any(|f| nodes[f.side].is_some_and(|node| node.range().contains(&f.at)))
    }

    /// The conflict that a forced place inside the element makes of it.
    pub fn forced_within(&self, side: usize, node: Node<'a, 'i>) -> Option<Verdict> {
        let found = self
            .doubts
            .forced
            .iter()
            .find(|f| f.side == side && node.range().contains(&f.at))?;
        Some(Verdict::Conflict(found.reason.clone()))
    }

    /// The conflict that a forced place makes of the element of the base itself.
    pub fn forced_at(&self, node: Node<'a, 'i>) -> Option<Verdict> {
        let at = node.range().start;
        let found = self.doubts.forced.iter().find(|f| f.side == BASE && f.at == at)?;
        Some(Verdict::Conflict(found.reason.clone()))
    }
}

/// Whether two steps may mean the same element. The self-check counts positions and occurrences in
/// its own way, so they say nothing here; nor do fields of a key without a value.
fn may_be_same(a: &Step, b: &Step) -> bool {
    let known = |fields: &[(Box<str>, Box<str>)]| -> BTreeSet<(Box<str>, Box<str>)> {
        fields.iter().filter(|(_, value)| !value.is_empty()).cloned().collect()
    };
    a.name == b.name
        && match (&a.selector, &b.selector) {
            (Selector::Key(a, _), Selector::Key(b, _)) => known(a) == known(b),
            (Selector::Value(a, _), Selector::Value(b, _)) => a.trim() == b.trim(),
            _ => true,
        }
}
