//! Places that a merge must leave to a person, as the rules of a whole document and the self-check found them.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::decide::members_digest;
use super::element::{BASE, Family, Merger, OURS, THEIRS, Triple, Verdict};
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
    /// Lists whose order, or whose items without a key, cannot be settled.
    lists: Vec<(ElementPath, Reason)>,
    /// Elements whose merge the self-check does not accept.
    unproven: Vec<ElementPath>,
}

impl Doubts {
    /// Takes up what the self-check found: the order of a list, or a list whose items are told apart by
    /// their content, where which is which is a guess; else the smallest element around the place that is
    /// not in doubt already. `false` when only the whole document is left.
    pub fn add(&mut self, violation: &Violation) -> bool {
        let mut path = violation.path.clone();
        if violation.problem.is_order() && self.add_list(path.clone(), Reason::Order) || self.add_unkeyed(&path) {
            return true;
        }
        while self.unproven.contains(&path) {
            path.steps.pop();
        }
        let is_inside = !path.steps.is_empty();
        self.unproven.push(path);
        is_inside
    }

    /// Takes up the lists of conflicts that have one path, because each side counts positions on its own.
    pub fn add_repeated(&mut self, open: &[ElementPath]) -> bool {
        let mut seen = HashSet::new();
        let repeated: Vec<&ElementPath> = open.iter().filter(|path| !seen.insert(*path)).collect();
        repeated.into_iter().any(|path| self.add_unkeyed(path))
    }

    /// The smallest list around the place whose items have no key, unless it is in doubt already.
    fn add_unkeyed(&mut self, path: &ElementPath) -> bool {
        let positions = path.steps.iter().enumerate().rev();
        let mut positions = positions.filter(|(_, step)| matches!(step.selector, Selector::Position(_)));
        positions.any(|(i, _)| {
            let mut list = path.clone();
            list.steps.truncate(i + 1);
            list.steps[i].selector = Selector::Only;
            self.add_list(list, Reason::BothChanged)
        })
    }

    fn add_list(&mut self, list: ElementPath, reason: Reason) -> bool {
        let is_new = self.lists.iter().all(|(known, _)| *known != list);
        if is_new {
            self.lists.push((list, reason));
        }
        is_new
    }
}

impl<'a, 'i: 'a> Merger<'a, 'i> {
    /// Lists of this element that cannot be settled, by name.
    pub fn doubtful_lists(&self) -> BTreeMap<Box<str>, Reason> {
        let lists = self.doubts.lists.iter();
        let lists = lists.filter_map(|(list, reason)| Some((list.steps.split_last()?, reason)));
        lists
            .filter(|((_, above), _)| is_here(above, self.path.iter()))
            .map(|((list, _), reason)| (list.name.clone(), reason.clone()))
            .collect()
    }

    /// Whether the self-check did not accept what became of an element on which the sides disagree.
    pub fn is_unproven(&self, family: &Family<'a, 'i>, slot: u32) -> bool {
        if self.doubts.unproven.is_empty() {
            return false;
        }
        let last = self.step(family, slot);
        let mut unproven = self.doubts.unproven.iter();
        unproven.any(|path| is_here(&path.steps, self.path.iter().chain([&last])))
            && members_digest(family, slot, OURS) != members_digest(family, slot, THEIRS)
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

/// Whether steps of the self-check may lead to the same place as `here`.
fn is_here<'s>(steps: &[Step], here: impl Iterator<Item = &'s Step>) -> bool {
    let here: Vec<&Step> = here.collect();
    steps.len() == here.len() && steps.iter().zip(here).all(|(a, b)| may_be_same(a, b))
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
