//! Where everything goes: our children, what comes in between them, and lists that are arranged anew.

use std::collections::HashSet;

use super::element::{BASE, Family, KeepOrder, OURS, THEIRS, Verdict};
use super::order::{Sequences, arrange};
use crate::align::{COMMENT, Mode, NONE, SIDES, Slot};
use crate::conflict::Reason;
use crate::table::{Order, Proof};
use crate::xml::{digest_all, leaf_text};

/// A place in the result.
pub(super) struct Entry {
    pub slot: u32,
    /// The chunk of ours that stands here, or [`NONE`].
    pub ours: u32,
    /// A chunk of ours whose surroundings a new element copies, or [`NONE`].
    pub like: u32,
}

/// The order of everything in the result. Lists that clash become one conflict.
pub(super) fn plan(family: &mut Family<'_, '_>) -> Vec<Entry> {
    let groups = family.alignment.groups.len();
    let mut sequences: Vec<[Vec<u32>; SIDES]> = (0..groups).map(|_| Default::default()).collect();
    for (side, slots) in family.alignment.slot_of.iter().enumerate() {
        for slot in slots {
            let group = family.alignment.slots[*slot as usize].group as usize;
            let sequence = &mut sequences[group][side];
            if sequence.last() != Some(slot)
                && (family.alignment.groups[group].mode != Mode::Together || sequence.is_empty())
            {
                sequence.push(*slot);
            }
        }
    }
    let mut blocks: Vec<Option<Vec<u32>>> = (0..groups).map(|_| None).collect();
    // Insertions behind a chunk of ours: (anchor + 1, place in theirs, slots).
    let mut insertions: Vec<(usize, u32, Vec<u32>)> = Vec::new();
    for (g, [base, ours, theirs]) in sequences.iter().enumerate() {
        let wanted = |slot: &u32| {
            let s = &family.alignment.slots[*slot as usize];
            s.at[OURS] != NONE
                || matches!(
                    family.verdicts[*slot as usize],
                    Verdict::Theirs | Verdict::Dissolved | Verdict::Conflict(_)
                )
        };
        let theirs_all = theirs;
        let theirs: Vec<u32> = theirs.iter().copied().filter(wanted).collect();
        let group = &family.alignment.groups[g];
        let order = match &family.keep_order {
            KeepOrder::ButFor(names) if !names.contains(group.name) => Order::None,
            _ => group.order,
        };
        let keys = sort_keys(family, g, ours);
        let less = keys.as_ref().map(|keys| {
            move |a: u32, b: u32| match (keys.get(a as usize), keys.get(b as usize)) {
                (Some(a), Some(b)) => a < b,
                _ => false,
            }
        });
        let less: Option<&dyn Fn(u32, u32) -> bool> = less.as_ref().map(|f| f as &dyn Fn(u32, u32) -> bool);
        let doubtful = family.doubtful.get(group.name).filter(|_| differs(family, g)).cloned();
        if let Some(reason) = doubtful.or_else(|| replaced_by_both(family, g)) {
            clash(family, [base, ours, &theirs], reason, &mut insertions);
            continue;
        }
        let arranged = arrange(
            Sequences {
                base,
                ours,
                theirs: &theirs,
                theirs_all,
            },
            order,
            less,
        );
        let stays = |slot: &u32| family.verdicts[*slot as usize] != Verdict::Absent;
        let is_guess = || {
            let ours_left: Vec<u32> = ours.iter().copied().filter(stays).collect();
            let swapped = Sequences {
                base,
                ours: theirs_all,
                theirs: &ours_left,
                theirs_all: ours,
            };
            let back = arrange(swapped, order, less);
            // New items of both at one place stand in the order of the sides; that is no difference.
            let but_for = |new: usize, order: &[u32]| -> Vec<u32> {
                let is_new = |s: &Slot| s.at[BASE] == NONE && s.at[OURS + THEIRS - new] == NONE;
                let slots = order.iter().copied().filter(stays);
                slots
                    .filter(|s| !is_new(&family.alignment.slots[*s as usize]))
                    .collect()
            };
            let differ = |new: usize| but_for(new, &arranged.order) != but_for(new, &back.order);
            back.clash || differ(OURS) || differ(THEIRS)
        };
        if arranged.clash || order != Order::None && repeats_in_both(family, g, &sequences[g]) && is_guess() {
            clash(family, [base, ours, &theirs], Reason::Order, &mut insertions);
            continue;
        }
        if arranged.moved {
            blocks[g] = Some(arranged.order);
            continue;
        }
        collect_insertions(family, g, &arranged.order, &mut insertions);
    }
    place(family, &sequences, &mut blocks, insertions)
}

/// Whether a list is not the same in ours and theirs.
fn differs(family: &Family<'_, '_>, group: usize) -> bool {
    let ty = family.alignment.groups[group].ty;
    let list = |side: usize| {
        let members = family.chunks[side].iter().zip(&family.alignment.slot_of[side]);
        let members = members.filter(|(_, slot)| family.alignment.slots[**slot as usize].group as usize == group);
        digest_all(members.map(|(chunk, _)| (chunk.node, ty)))
    };
    list(OURS) != list(THEIRS)
}

/// Makes a whole list one conflict.
fn clash(
    family: &mut Family<'_, '_>,
    sides: [&[u32]; SIDES],
    reason: Reason,
    insertions: &mut Vec<(usize, u32, Vec<u32>)>,
) {
    let [_, ours, theirs] = sides;
    let Some(first) = ours.first().or(theirs.first()) else {
        return;
    };
    for slot in sides.into_iter().flatten() {
        family.verdicts[*slot as usize] = Verdict::Absent;
    }
    family.verdicts[*first as usize] = Verdict::Conflict(reason);
    family.clashing.insert(family.alignment.slots[*first as usize].group);
    if ours.is_empty() {
        insertions.push((usize::MAX, 0, vec![*first]));
    }
}

/// Whether both sides replaced an item of a list whose items are told apart by their content: one is
/// gone on both, and each has a new one of its own. What each wrote may be the same item changed in two
/// ways, so the two do not stand side by side.
fn replaced_by_both(family: &Family<'_, '_>, group: usize) -> Option<Reason> {
    let g = &family.alignment.groups[group];
    let is_criteria = family
        .ty
        .is_some_and(|ty| ty.units.iter().any(|(_, list)| *list == g.name));
    let by_content =
        g.mode == Mode::Unkeyed || g.order == Order::Evaluation || g.child.is_some_and(|c| c.proof == Proof::Weak);
    let any = |on: [bool; SIDES]| {
        let mut slots = family.alignment.slots.iter().filter(|s| s.group as usize == group);
        slots.any(|s| s.at.map(|at| at != NONE) == on)
    };
    let replaced = (is_criteria || by_content)
        && any([true, false, false])
        && any([false, true, false])
        && any([false, false, true]);
    replaced.then_some(if is_criteria {
        Reason::Criteria
    } else {
        Reason::BothChanged
    })
}

/// Whether both sides changed an ordered list, and not all have the items that repeat in it: which of them is
/// which is a guess, and may be another one with the sides swapped.
fn repeats_in_both(family: &Family<'_, '_>, group: usize, [base, ours, theirs]: &[Vec<u32>; SIDES]) -> bool {
    let slots = &family.alignment.slots;
    // The occurrences of one item are neighbours.
    let repeats = |i: usize| slots[i].occurrence > 1 || slots.get(i + 1).is_some_and(|next| next.occurrence > 1);
    let is_uneven = |i: usize| slots[i].group as usize == group && slots[i].at.contains(&NONE) && repeats(i);
    ours != base && theirs != base && ours != theirs && (0..slots.len()).any(is_uneven)
}

/// Keys of the slots of an unordered list that ours keeps sorted, by slot.
fn sort_keys(family: &Family<'_, '_>, group: usize, ours: &[u32]) -> Option<Vec<String>> {
    let g = &family.alignment.groups[group];
    if g.order != Order::None || ours.is_empty() || !matches!(g.mode, Mode::Keyed | Mode::Values) || g.name == COMMENT {
        return None;
    }
    // Only lists where something comes in behind something new need keys.
    let fresh = |side: usize| {
        let other = OURS + THEIRS - side;
        family
            .alignment
            .slots
            .iter()
            .any(|s| s.group as usize == group && s.at[side] != NONE && s.at[BASE] == NONE && s.at[other] == NONE)
    };
    if !fresh(OURS) || !fresh(THEIRS) {
        return None;
    }
    let mut keys = vec![String::new(); family.alignment.slots.len()];
    for (i, s) in family
        .alignment
        .slots
        .iter()
        .enumerate()
        .filter(|(_, s)| s.group as usize == group)
    {
        let side = if s.at[OURS] == NONE { THEIRS } else { OURS };
        if let Some(chunk) = family.chunks[side].get(s.at[side] as usize) {
            keys[i] = match (g.mode, g.child) {
                (Mode::Keyed, Some(child)) => crate::align::key_text(chunk.node, &child.key).into_owned(),
                _ => leaf_text(chunk.node).into_owned(),
            };
        }
    }
    ours.is_sorted_by_key(|s| &keys[*s as usize]).then_some(keys)
}

/// Finds the place of slots that only theirs has.
fn collect_insertions(
    family: &Family<'_, '_>,
    group: usize,
    order: &[u32],
    insertions: &mut Vec<(usize, u32, Vec<u32>)>,
) {
    let slots = &family.alignment.slots;
    let last_chunk = |slot: u32| family.alignment.members(slot, OURS).last();
    let mut anchor: Option<usize> = None;
    let mut reached = 0;
    for slot in order {
        let s = &slots[*slot as usize];
        if s.at[OURS] != NONE {
            anchor = last_chunk(*slot);
            continue;
        }
        let place = match anchor {
            Some(anchor) => anchor + 1,
            None => match order.iter().find(|other| slots[**other as usize].at[OURS] != NONE) {
                Some(first) => slots[*first as usize].at[OURS] as usize,
                // Not before the item that comes first, where the list is scattered in theirs.
                None => across(family, group, s.at[THEIRS]).max(reached),
            },
        };
        reached = place;
        match insertions.last_mut() {
            Some((at, _, list))
                if *at == place && list.last().is_some_and(|l| slots[*l as usize].group as usize == group) =>
            {
                list.push(*slot);
            }
            _ => insertions.push((place, s.at[THEIRS], vec![*slot])),
        }
    }
}

/// The place of a list that ours does not have: behind what stands before it in theirs.
fn across(family: &Family<'_, '_>, group: usize, at: u32) -> usize {
    let name = family.alignment.groups[group].name;
    let [_, ours, theirs] = &family.alignment.slot_of;
    let at = (at as usize).min(theirs.len());
    let in_ours = |slot: &u32| family.alignment.slots[*slot as usize].at[OURS] != NONE;
    if let Some(before) = theirs[..at].iter().rfind(|s| in_ours(s)) {
        let mut place = family.alignment.members(*before, OURS).last().map_or(0, |i| i + 1);
        while let Some(slot) = ours.get(place) {
            let s = &family.alignment.slots[*slot as usize];
            let new = s.at[BASE] == NONE && s.at[THEIRS] == NONE;
            if !new || family.alignment.group(*slot).name > name {
                break;
            }
            place += 1;
        }
        return place;
    }
    match theirs[at..].iter().find(|s| in_ours(s)) {
        Some(after) => family.alignment.slots[*after as usize].at[OURS] as usize,
        None => ours.len(),
    }
}

/// Writes down the whole order: our chunks, insertions between them, rearranged lists as blocks.
fn place(
    family: &Family<'_, '_>,
    sequences: &[[Vec<u32>; SIDES]],
    blocks: &mut [Option<Vec<u32>>],
    mut insertions: Vec<(usize, u32, Vec<u32>)>,
) -> Vec<Entry> {
    let slots = &family.alignment.slots;
    let ours = &family.alignment.slot_of[OURS];
    // A neighbour of the same list, else any, shows how a new element is laid out.
    let like = |slot: u32, near: usize| {
        let group = slots[slot as usize].group as usize;
        sequences[group][OURS].first().map_or_else(
            || {
                if ours.is_empty() {
                    NONE
                } else {
                    near.saturating_sub(1).min(ours.len() - 1) as u32
                }
            },
            |s| slots[*s as usize].at[OURS],
        )
    };
    insertions.sort_by_key(|(at, in_theirs, _)| (*at, *in_theirs));
    let mut entries = Vec::with_capacity(ours.len() + insertions.len());
    let mut pending = insertions.into_iter().peekable();
    let mut written: HashSet<u32> = HashSet::new();
    for at in 0..=ours.len() {
        while let Some((_, _, list)) = pending.next_if(|(place, _, _)| *place <= at || at == ours.len()) {
            entries.extend(list.into_iter().map(|slot| Entry {
                slot,
                ours: NONE,
                like: like(slot, at),
            }));
        }
        let Some(slot) = ours.get(at) else { break };
        let s = &slots[*slot as usize];
        let group = s.group as usize;
        if let Some(block) = blocks[group].take() {
            for slot in block {
                entries.push(Entry {
                    slot,
                    ours: slots[slot as usize].at[OURS],
                    like: like(slot, at),
                });
                written.insert(slot);
            }
        }
        if written.contains(slot) {
            continue;
        }
        let again = family.alignment.groups[group].mode == Mode::Together && s.at[OURS] as usize != at;
        if again && family.verdicts[*slot as usize] != Verdict::Ours {
            continue;
        }
        entries.push(Entry {
            slot: *slot,
            ours: at as u32,
            like: NONE,
        });
    }
    entries
}
