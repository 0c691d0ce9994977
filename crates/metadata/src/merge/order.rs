//! The order of one list after a merge.

use std::collections::{HashMap, HashSet};

use xxhash_rust::xxh3::Xxh3DefaultBuilder;

use crate::order::longest_ascending;
use crate::table::Order;

/// The merged order of a group's slots.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Arranged {
    /// Slots of ours and of theirs, deleted ones of ours included.
    pub order: Vec<u32>,
    /// Items of ours do not stand in the order of ours any more.
    pub moved: bool,
    /// Both sides arranged the list in ways that do not go together.
    pub clash: bool,
}

/// The slots of a group as they stand on each side; every slot at most once a side.
#[derive(Clone, Copy)]
pub(super) struct Sequences<'a> {
    pub base: &'a [u32],
    pub ours: &'a [u32],
    pub theirs: &'a [u32],
    /// Theirs with the items that ours deleted.
    pub theirs_all: &'a [u32],
}

/// Arranges a list. `less` compares keys where the list is kept sorted.
pub(super) fn arrange(s: Sequences<'_>, order: Order, less: Option<&dyn Fn(u32, u32) -> bool>) -> Arranged {
    if order == Order::None {
        let known: HashSet<u32, Xxh3DefaultBuilder> = s.ours.iter().copied().collect();
        if s.theirs.iter().all(|slot| known.contains(slot)) {
            return Arranged {
                order: s.ours.to_vec(),
                moved: false,
                clash: false,
            };
        }
    }
    let rank = |side: &[u32]| -> HashMap<u32, usize> { side.iter().enumerate().map(|(i, s)| (*s, i)).collect() };
    if s.theirs.is_empty() || s.ours == s.theirs {
        return Arranged {
            order: s.ours.to_vec(),
            moved: false,
            clash: false,
        };
    }
    let (base, ours, theirs) = (rank(s.base), rank(s.ours), rank(s.theirs));
    let theirs_all = rank(s.theirs_all);
    let is_gone = |x: &u32| theirs_all.contains_key(x) && !theirs.contains_key(x);
    let insert = |skeleton: &[u32], other: &[u32], in_other: &HashMap<u32, usize>, first: bool| {
        let new_in_skeleton = |slot: u32| !base.contains_key(&slot) && !in_other.contains_key(&slot);
        let place: HashMap<u32, usize> = skeleton.iter().enumerate().map(|(i, x)| (*x, i)).collect();
        let shared: Vec<usize> = other.iter().filter_map(|x| place.get(x).copied()).collect();
        // An item that was moved says nothing about the place of its neighbours, nor does one that is gone and stood
        // elsewhere to those that are left.
        let left: Vec<usize> = shared.iter().copied().filter(|i| !is_gone(&skeleton[*i])).collect();
        let left = longest_ascending(&left);
        let shared = fitting(&shared, &left, |i| is_gone(&skeleton[i]));
        let stays: HashSet<u32> = longest_ascending(&shared).into_iter().map(|i| skeleton[i]).collect();
        let is_new = |slot: u32| !base.contains_key(&slot);
        Chain::of(skeleton).insert_all(
            other,
            (&new_in_skeleton, &is_new),
            &|slot| stays.contains(&slot),
            less,
            first,
        )
    };
    let mut moved = false;
    let mut clash = false;
    let mut skeleton = s.ours.to_vec();
    let mut from_theirs = true;
    if order != Order::None {
        // Items on all sides by their place in the base; items that only both sides added, in our order.
        let common = |side: &[u32]| -> Vec<usize> {
            side.iter()
                .filter(|x| ours.contains_key(x) && theirs.contains_key(x))
                .filter_map(|x| base.get(x).copied())
                .collect()
        };
        let (in_ours, in_theirs) = (common(s.ours), common(s.theirs));
        clash |= both_placed(s, &base, &in_ours, &in_theirs);
        match (in_ours.is_sorted(), in_theirs.is_sorted()) {
            (_, true) => {}
            (true, false) => {
                (skeleton, from_theirs, moved) = (s.theirs.to_vec(), false, true);
            }
            (false, false) if in_ours == in_theirs => {}
            (false, false) => {
                let swapped = Sequences {
                    ours: s.theirs,
                    theirs: s.ours,
                    ..s
                };
                let there = both_moved(s, &base, &in_ours, &in_theirs);
                let back = both_moved(swapped, &base, &in_theirs, &in_ours);
                // Which items were moved may be told in several ways: both must come to the same.
                match (there, back) {
                    (Some(order), Some(back)) if common(&order) == common(&back) => (skeleton, moved) = (order, true),
                    _ => clash = true,
                }
            }
        }
    }
    let (other, in_other) = if from_theirs {
        (s.theirs, &theirs)
    } else {
        (s.ours, &ours)
    };
    let (arranged, same_gap) = if order == Order::Display && s.theirs_all.len() > s.theirs.len() {
        // What ours deleted still tells where the new items behind it stand.
        let (other, in_other) = if from_theirs {
            (s.theirs_all, &theirs_all)
        } else {
            (other, in_other)
        };
        let skeleton = if from_theirs { &skeleton } else { s.theirs_all };
        let is_old = |x: &u32| ours.contains_key(x) || is_gone(x);
        let old: Vec<u32> = s.base.iter().copied().filter(is_old).collect();
        let (with_gone, _) = insert(skeleton, &old, &base, false);
        let (mut arranged, same_gap) = insert(&with_gone, other, in_other, !from_theirs);
        arranged.retain(|x| !is_gone(x));
        (arranged, same_gap)
    } else {
        insert(&skeleton, other, in_other, !from_theirs)
    };
    clash |= same_gap && order == Order::Evaluation;
    Arranged {
        order: arranged,
        moved,
        clash,
    }
}

/// Of the places of a side's items, those of `left` and those of gone items that stand to all of `left` as before.
fn fitting(places: &[usize], left: &[usize], is_gone: impl Fn(usize) -> bool) -> Vec<usize> {
    let mut passed = 0;
    let mut fitting = Vec::with_capacity(places.len());
    for at in places {
        if left.get(passed) == Some(at) {
            passed += 1;
        } else if !is_gone(*at) || left.partition_point(|l| l < at) != passed {
            continue;
        }
        fitting.push(*at);
    }
    fitting
}

/// Whether both sides added an item and put it at different places, seen from the items that nobody moved.
fn both_placed(s: Sequences<'_>, base: &HashMap<u32, usize>, in_ours: &[usize], in_theirs: &[usize]) -> bool {
    let common = |side: &[u32], other: &[u32]| -> Vec<u32> {
        let other: HashSet<u32> = other.iter().copied().collect();
        side.iter().copied().filter(|x| other.contains(x)).collect()
    };
    let (ours, theirs) = (common(s.ours, s.theirs), common(s.theirs, s.ours));
    if ours == theirs || ours.iter().all(|x| base.contains_key(x)) {
        return false;
    }
    let (fixed_ours, fixed_theirs) = (longest_ascending(in_ours), longest_ascending(in_theirs));
    let stays = |x: &u32| {
        base.get(x)
            .is_none_or(|r| fixed_ours.binary_search(r).is_ok() && fixed_theirs.binary_search(r).is_ok())
    };
    let fixed = |side: Vec<u32>| -> Vec<u32> { side.into_iter().filter(stays).collect() };
    fixed(ours) != fixed(theirs)
}

/// Our order with their moves, when the moves do not touch.
fn both_moved(
    s: Sequences<'_>,
    base: &HashMap<u32, usize>,
    in_ours: &[usize],
    in_theirs: &[usize],
) -> Option<Vec<u32>> {
    let still_ours = longest_ascending(in_ours);
    let still_theirs = longest_ascending(in_theirs);
    let moved_by_theirs = |rank: usize| in_theirs.contains(&rank) && still_theirs.binary_search(&rank).is_err();
    let moved_by_ours = |rank: usize| in_ours.contains(&rank) && still_ours.binary_search(&rank).is_err();
    if in_ours.iter().any(|r| moved_by_ours(*r) && moved_by_theirs(*r)) {
        return None;
    }
    let mut order: Vec<u32> = s
        .ours
        .iter()
        .copied()
        .filter(|x| !base.get(x).is_some_and(|r| moved_by_theirs(*r)))
        .collect();
    let rank_of = |x: &u32| base.get(x).copied().filter(|r| in_theirs.contains(r));
    for (at, rank) in in_theirs.iter().enumerate().filter(|(_, r)| moved_by_theirs(**r)) {
        let before = in_theirs[..at].iter().next_back().copied();
        let after = in_theirs[at + 1..].iter().copied().find(|r| !moved_by_theirs(*r));
        if [before, after].into_iter().flatten().any(moved_by_ours) {
            return None;
        }
        let slot = *s.theirs.iter().find(|x| base.get(x) == Some(rank))?;
        let place = match before {
            None => 0,
            Some(before) => 1 + order.iter().position(|x| base.get(x) == Some(&before))?,
        };
        let next = order[place..].iter().find_map(rank_of);
        if next != after && next.is_some_and(|r| moved_by_ours(r) || after.is_some()) {
            return None;
        }
        order.insert(place, slot);
    }
    Some(order)
}

/// A list into which items are put behind others in constant time.
struct Chain {
    items: Vec<u32>,
    next: Vec<usize>,
    place: HashMap<u32, usize>,
}

/// End of the chain; the head is the last index of `next`.
const END: usize = usize::MAX;

impl Chain {
    fn of(items: &[u32]) -> Self {
        let n = items.len();
        let mut next: Vec<usize> = (1..=n).collect();
        if let Some(last) = next.last_mut() {
            *last = END;
        }
        // Index n is the head.
        next.push(if n == 0 { END } else { 0 });
        let mut chain = Self {
            items: items.to_vec(),
            next,
            place: items.iter().enumerate().map(|(i, s)| (*s, i)).collect(),
        };
        chain.items.push(u32::MAX);
        chain
    }

    /// Puts every item of `other` that is missing behind its nearest predecessor there that `stays`. Says whether a new
    /// item was put where the chain had a new one as well. With `first`, the item stands before those.
    fn insert_all(
        mut self,
        other: &[u32],
        (new_here, new_there): (&dyn Fn(u32) -> bool, &dyn Fn(u32) -> bool),
        stays: &dyn Fn(u32) -> bool,
        less: Option<&dyn Fn(u32, u32) -> bool>,
        first: bool,
    ) -> (Vec<u32>, bool) {
        let head = self.items.len() - 1;
        let mut before = head;
        let mut same_gap = false;
        for slot in other {
            if let Some(at) = self.place.get(slot) {
                if stays(*slot) {
                    before = *at;
                }
                continue;
            }
            let mut at = before;
            while self.next[at] != END && new_here(self.items[self.next[at]]) {
                same_gap |= new_there(*slot);
                if first || less.is_some_and(|less| less(*slot, self.items[self.next[at]])) {
                    break;
                }
                at = self.next[at];
            }
            let index = self.items.len();
            self.items.push(*slot);
            self.next.push(self.next[at]);
            self.next[at] = index;
            self.place.insert(*slot, index);
            before = index;
        }
        let mut order = Vec::with_capacity(self.items.len());
        let mut at = self.next[head];
        while at != END {
            order.push(self.items[at]);
            at = self.next[at];
        }
        (order, same_gap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(order: Order, base: &[u32], ours: &[u32], theirs: &[u32], expect: Option<&[u32]>) {
        let arranged = arrange(
            Sequences {
                base,
                ours,
                theirs,
                theirs_all: theirs,
            },
            order,
            None,
        );
        assert_eq!(
            arranged.clash,
            expect.is_none(),
            "{base:?} {ours:?} {theirs:?} {arranged:?}"
        );
        if let Some(expect) = expect {
            assert_eq!(arranged.order, expect, "{base:?} {ours:?} {theirs:?}");
        }
    }

    #[test]
    fn insertions() {
        use Order::{Display, Evaluation, None as Any};
        check(Any, &[1, 2], &[1, 2], &[1, 3, 2], Some(&[1, 3, 2]));
        check(Any, &[1, 2], &[2, 1], &[1, 3, 2], Some(&[3, 2, 1]));
        check(Display, &[1, 2], &[1, 4, 2], &[1, 2, 3], Some(&[1, 4, 2, 3]));
        check(Display, &[1, 2], &[1, 2, 4], &[1, 2, 3], Some(&[1, 2, 4, 3]));
        check(Evaluation, &[1, 2], &[1, 4, 2], &[1, 2, 3], Some(&[1, 4, 2, 3]));
        check(Evaluation, &[1, 2], &[1, 2, 4], &[1, 2, 3], None);
        check(Display, &[], &[1, 2], &[2, 1], None);
    }

    #[test]
    fn what_is_gone_and_moved_is_no_neighbour() {
        let s = Sequences {
            base: &[1, 2, 3],
            ours: &[4, 2],
            theirs: &[2, 5],
            theirs_all: &[2, 1, 5, 3],
        };
        assert_eq!(arrange(s, Order::Display, None).order, [4, 2, 5]);
    }

    #[test]
    fn moves() {
        use Order::Display;
        check(Display, &[1, 2, 3], &[1, 2, 3], &[3, 1, 2], Some(&[3, 1, 2]));
        check(Display, &[1, 2, 3], &[2, 3, 1], &[1, 2, 3], Some(&[2, 3, 1]));
        check(Display, &[1, 2, 3], &[3, 1, 2], &[3, 1, 2], Some(&[3, 1, 2]));
        // Their new item follows its predecessor; ours does not follow the item that they moved.
        check(
            Display,
            &[1, 2, 3],
            &[1, 2, 3, 4],
            &[3, 5, 1, 2],
            Some(&[3, 5, 1, 2, 4]),
        );
        // Independent moves.
        check(
            Display,
            &[1, 2, 3, 4, 5, 6],
            &[2, 1, 3, 4, 5, 6],
            &[1, 2, 3, 4, 6, 5],
            Some(&[2, 1, 3, 4, 6, 5]),
        );
        // The same item to two places.
        check(Display, &[1, 2, 3, 4, 5], &[2, 3, 1, 4, 5], &[2, 3, 4, 5, 1], None);
    }
}
