//! The rule of the self-check, for one value and for a number of things.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use super::compare::Four;
use super::{Problem, Side};

/// What the rule demands of a value: `None` where both sides changed it differently.
pub(super) fn expected<T: PartialEq + Copy>(base: T, ours: T, theirs: T) -> Option<T> {
    if ours == base || ours == theirs {
        Some(theirs)
    } else if theirs == base {
        Some(ours)
    } else {
        None
    }
}

/// How often something may be in the result, from how often it is on each side.
fn allowed(base: u32, ours: u32, theirs: u32) -> RangeInclusive<u32> {
    match expected(base, ours, theirs) {
        Some(n) => n..=n,
        None => {
            let both = (ours + theirs).saturating_sub(base);
            ours.min(theirs).min(both)..=ours.max(theirs).max(both)
        }
    }
}

/// Names what is wrong, when `result` is not what the rule demands.
pub(super) fn problem<T: PartialEq>(four: &Four<Option<T>>) -> Problem {
    let [base, ours, theirs, result] = four;
    let blame = || match (ours == base, theirs == base) {
        _ if ours == theirs => Side::Both,
        (true, false) => Side::Theirs,
        (false, true) => Side::Ours,
        _ if result == ours => Side::Theirs,
        _ => Side::Ours,
    };
    match result {
        None => Problem::Lost(blame()),
        Some(_) if result == base && (ours.is_none() || theirs.is_none()) => Problem::Resurrected,
        Some(_) if result == base || result == ours || result == theirs => Problem::Lost(blame()),
        Some(_) if base.is_none() && ours.is_none() && theirs.is_none() => Problem::Invented,
        Some(_) if ours.is_none() && theirs.is_none() => Problem::Resurrected,
        Some(_) => Problem::ChangedByNobody,
    }
}

/// How often each thing is in each document.
pub(super) fn count<K: std::hash::Hash + Eq>(four: Four<impl Iterator<Item = K>>) -> HashMap<K, Four<u32>> {
    let mut counts: HashMap<K, Four<u32>> = HashMap::new();
    for (side, things) in four.into_iter().enumerate() {
        for thing in things {
            counts.entry(thing).or_default()[side] += 1;
        }
    }
    counts
}

/// What is wrong when the result does not have something as often as it may.
pub(super) fn miscounted(counts: &Four<u32>) -> Option<Problem> {
    let [base, ours, theirs, _] = *counts;
    beyond(counts, &allowed(base, ours, theirs))
}

/// What is wrong when the result does not have something as often as a range says.
pub(super) fn beyond(counts: &Four<u32>, allowed: &RangeInclusive<u32>) -> Option<Problem> {
    let [base, ours, theirs, result] = *counts;
    if result < *allowed.start() {
        return Some(Problem::Lost(match (ours > result, theirs > result) {
            (true, false) => Side::Ours,
            (false, true) => Side::Theirs,
            _ if ours == base => Side::Theirs,
            _ if theirs == base => Side::Ours,
            _ => Side::Both,
        }));
    }
    (result > *allowed.end()).then_some(match (base, ours, theirs) {
        (0, 0, 0) => Problem::Invented,
        _ if *allowed.end() == 0 => Problem::Resurrected,
        _ => Problem::Doubled,
    })
}
