//! Items without a key: equal content first, then a telling element, then the place.

use std::collections::HashMap;

use imara_diff::{Algorithm, Diff, Hunk, InternedInput};

use super::keyed::key_text;
use super::{Builder, NONE, SIDES};
use crate::xml::Digest;

/// The partner of an item of one side among the items of another.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Partner {
    index: usize,
    /// Found by place only.
    whole: bool,
}

impl Builder<'_, '_, '_> {
    pub(super) fn fill_unkeyed(&mut self, group: usize) {
        let members: [Vec<u32>; SIDES] = self.members[group].clone();
        let digests: Vec<Vec<Digest>> = (0..SIDES)
            .map(|side| members[side].iter().map(|i| self.digest(group, side, *i)).collect())
            .collect();
        let hints: Vec<Vec<Option<String>>> = (0..SIDES)
            .map(|side| members[side].iter().map(|i| self.hint(group, side, *i)).collect())
            .collect();
        let by_place = self.alignment.groups[group].child.is_some_and(|c| c.align == Some("#"));
        let same_count =
            members[1].len() == members[2].len() && (members[0].is_empty() || members[0].len() == members[1].len());
        let pairs = |from: usize, to: usize, free: &dyn Fn(usize) -> bool| -> Vec<Option<Partner>> {
            if by_place && same_count {
                return (0..members[from].len())
                    .map(|index| Some(Partner { index, whole: false }))
                    .collect();
            }
            pair(&digests[from], &digests[to], &hints[from], &hints[to], free)
        };
        let ours = pairs(0, 1, &|_| true);
        let theirs = pairs(0, 2, &|_| true);
        let mut used = [vec![], vec![false; members[1].len()], vec![false; members[2].len()]];
        let mut rows: Vec<([u32; SIDES], bool)> = Vec::new();
        for (b, base) in members[0].iter().enumerate() {
            let mut at = [*base, NONE, NONE];
            let mut whole = false;
            for (side, partner) in [(1, ours[b]), (2, theirs[b])] {
                if let Some(partner) = partner {
                    at[side] = members[side][partner.index];
                    used[side][partner.index] = true;
                    whole |= partner.whole;
                }
            }
            rows.push((at, whole));
        }
        // What only ours and theirs have may be the same addition.
        let both = pairs(1, 2, &|t| !used[2][t]);
        let mut taken = used[2].clone();
        for (o, ours) in members[1].iter().enumerate().filter(|(o, _)| !used[1][*o]) {
            let mut at = [NONE, *ours, NONE];
            if let Some(partner) = both[o].filter(|p| !p.whole && !taken[p.index]) {
                taken[partner.index] = true;
                at[2] = members[2][partner.index];
            }
            rows.push((at, false));
        }
        for (_, theirs) in members[2].iter().enumerate().filter(|(t, _)| !taken[*t]) {
            rows.push(([NONE, NONE, *theirs], false));
        }
        join_replaced(&mut rows);
        for (at, whole) in rows {
            self.new_slot(group, at, 1, whole);
        }
    }

    /// The text an item is looked for by.
    fn hint(&self, group: usize, side: usize, chunk: u32) -> Option<String> {
        let child = self.alignment.groups[group].child?;
        let node = self.node(side, chunk);
        match child.align {
            Some("#") => None,
            Some(field) => Some(key_text(node, &[field]).into_owned()),
            None if child.key.is_empty() => None,
            None => Some(key_text(node, &child.key).into_owned()),
        }
    }
}

/// A single item that is gone on both sides, with a single new one on each, is one item that both replaced.
fn join_replaced(rows: &mut Vec<([u32; SIDES], bool)>) {
    let only = |side: usize| {
        let mut found = rows
            .iter()
            .enumerate()
            .filter(|(_, (at, _))| (0..SIDES).all(|s| (at[s] != NONE) == (s == side)));
        match (found.next(), found.next()) {
            (Some((i, (at, _))), None) => Some((i, at[side])),
            _ => None,
        }
    };
    if let (Some((base, at)), Some((ours, in_ours)), Some((theirs, in_theirs))) = (only(0), only(1), only(2)) {
        rows[base] = ([at, in_ours, in_theirs], true);
        rows.remove(ours.max(theirs));
        rows.remove(ours.min(theirs));
    }
}

/// Pairs two lists: the longest common run of equal items, equal items that moved, items whose hint is
/// unique on both sides, and last a single item that stands where a single item stood.
fn pair(
    from: &[Digest],
    to: &[Digest],
    from_hints: &[Option<String>],
    to_hints: &[Option<String>],
    free: &dyn Fn(usize) -> bool,
) -> Vec<Option<Partner>> {
    let mut partner: Vec<Option<Partner>> = vec![None; from.len()];
    let mut taken: Vec<bool> = (0..to.len()).map(|i| !free(i)).collect();
    let (run, hunks) = common_run(from, to);
    for (f, t) in run {
        join(&mut partner, &mut taken, f, t, false);
    }

    let mut open: HashMap<Digest, Vec<usize>> = HashMap::new();
    for t in (0..to.len()).rev().filter(|t| !taken[*t]) {
        open.entry(to[t]).or_default().push(t);
    }
    for f in 0..from.len() {
        if partner[f].is_none()
            && let Some(t) = open.get_mut(&from[f]).and_then(Vec::pop)
        {
            join(&mut partner, &mut taken, f, t, false);
        }
    }

    let from_free: HashMap<&str, usize> = unique(from_hints, |f| partner[f].is_none());
    let to_free: HashMap<&str, usize> = unique(to_hints, |t| !taken[t]);
    let mut matches: Vec<(usize, usize)> = from_free
        .iter()
        .filter_map(|(hint, f)| Some((*f, *to_free.get(hint)?)))
        .collect();
    matches.sort_unstable();
    for (f, t) in matches {
        join(&mut partner, &mut taken, f, t, false);
    }

    for hunk in hunks {
        let mut left = (hunk.before.start as usize..hunk.before.end as usize).filter(|f| partner[*f].is_none());
        let mut right = (hunk.after.start as usize..hunk.after.end as usize).filter(|t| !taken[*t]);
        if let (Some(f), None, Some(t), None) = (left.next(), left.next(), right.next(), right.next())
            && from_hints[f].is_none()
        {
            join(&mut partner, &mut taken, f, t, true);
        }
    }
    partner
}

/// Pairs of the longest common run of two lists, and what lies between them.
pub(super) fn common_run(from: &[Digest], to: &[Digest]) -> (Vec<(usize, usize)>, Vec<Hunk>) {
    let mut input = InternedInput::default();
    input.update_before(from.iter().copied());
    input.update_after(to.iter().copied());
    let hunks: Vec<Hunk> = Diff::compute(Algorithm::Histogram, &input).hunks().collect();
    let mut pairs = Vec::new();
    let (mut f, mut t) = (0, 0);
    for hunk in &hunks {
        pairs.extend((f..hunk.before.start as usize).zip(t..));
        (f, t) = (hunk.before.end as usize, hunk.after.end as usize);
    }
    pairs.extend((f..from.len()).zip(t..to.len()));
    (pairs, hunks)
}

fn join(partner: &mut [Option<Partner>], taken: &mut [bool], from: usize, to: usize, whole: bool) {
    if !taken[to] {
        partner[from] = Some(Partner { index: to, whole });
        taken[to] = true;
    }
}

/// Hints that stand once among the open items.
fn unique(hints: &[Option<String>], open: impl Fn(usize) -> bool) -> HashMap<&str, usize> {
    let mut seen: HashMap<&str, Option<usize>> = HashMap::new();
    for (i, hint) in hints.iter().enumerate().filter(|(i, _)| open(*i)) {
        if let Some(hint) = hint {
            seen.entry(hint).and_modify(|at| *at = None).or_insert(Some(i));
        }
    }
    seen.into_iter().filter_map(|(hint, at)| Some((hint, at?))).collect()
}
