//! Elements that are less than they seem: places in a list, ids made by the org, blocks of plain values.

use std::collections::BTreeSet;

use super::element::{Family, OURS, THEIRS, Triple};
use crate::align::{Group, NONE};
use crate::table::{Holds, Type};
use crate::xml::{Node, canonical_text, children, elements, leaf_text};

/// Plain values in the lists of an element, with the element's name.
pub(super) fn values(node: Node<'_, '_>, ty: Option<&'static Type>) -> BTreeSet<(String, String)> {
    elements(node)
        .filter(|c| is_value(*c, ty))
        .map(|c| (c.tag_name().name().to_owned(), leaf_text(c).into_owned()))
        .collect()
}

fn is_value(node: Node<'_, '_>, ty: Option<&'static Type>) -> bool {
    ty.and_then(|t| t.child(node.tag_name().name()))
        .is_some_and(|c| c.list && c.holds == Holds::Text)
}

/// Whether an element has nothing but plain values that another one has not.
pub(super) fn adds_only_values(base: Node<'_, '_>, left: Node<'_, '_>, ty: Option<&'static Type>) -> bool {
    let rest = |node: Node<'_, '_>| -> Vec<String> {
        let kept = node.children().filter(|c| !(c.is_element() && is_value(*c, ty)));
        let texts = kept.map(|c| {
            if c.is_element() {
                canonical_text(c)
            } else {
                c.text().unwrap_or_default().trim().to_owned()
            }
        });
        texts.filter(|text| !text.is_empty()).collect()
    };
    let base = rest(base);
    rest(left).iter().all(|part| base.contains(part))
}

/// The text of an element without some of its plain values.
pub(super) fn without(
    text: &str,
    node: Node<'_, '_>,
    gone: &BTreeSet<(String, String)>,
    ty: Option<&'static Type>,
) -> String {
    let (chunks, tail) = children(text, node);
    let range = node.range();
    let mut out = text[range.start..chunks.first().map_or(tail.start, |c| c.lead)].to_owned();
    for chunk in chunks {
        let value = (
            chunk.node.tag_name().name().to_owned(),
            leaf_text(chunk.node).into_owned(),
        );
        if !is_value(chunk.node, ty) || !gone.contains(&value) {
            out.push_str(&text[chunk.lead..chunk.node.range().end]);
        }
    }
    out.push_str(&text[tail.start..range.end]);
    out
}

/// Whether ours and theirs say the same thing in two ways that do not go together.
pub(super) fn says_it_otherwise(t: Triple<'_, '_>, ty: &'static Type) -> bool {
    let has = |node: Node<'_, '_>, name: &str| elements(node).any(|c| c.tag_name().name() == name);
    let only = |node: Node<'_, '_>, one: &str, other: &str| has(node, one) && !has(node, other);
    ty.either.iter().any(|(one, other)| {
        only(t.ours, one, other) && only(t.theirs, other, one) || only(t.ours, other, one) && only(t.theirs, one, other)
    })
}

/// Whether a difference is made by the org: a place in a list, or a record id.
pub(super) fn is_no_change(
    parent: Option<&'static Type>,
    group: &Group<'_>,
    ours: Node<'_, '_>,
    theirs: Node<'_, '_>,
) -> bool {
    let is_place = |node: Node<'_, '_>| parent.is_some_and(|t| t.is_place(group.name, &leaf_text(node)));
    is_place(ours) && is_place(theirs)
        || group
            .child
            .is_some_and(|c| c.is_generated(&leaf_text(ours)) && c.is_generated(&leaf_text(theirs)))
}

/// For a list whose items hold their own place: the element, and the first number, when they count one by one.
pub(super) fn numbering(family: &Family<'_, '_>, group: u32) -> Option<(&'static str, usize)> {
    let index = family.alignment.groups[group as usize].ty?.index?;
    let in_ours = family
        .alignment
        .slots
        .iter()
        .any(|s| s.group == group && s.at[OURS] != NONE);
    let side = if in_ours { OURS } else { THEIRS };
    let mut numbers = family.chunks[side]
        .iter()
        .zip(&family.alignment.slot_of[side])
        .filter(|(_, slot)| family.alignment.slots[**slot as usize].group == group)
        .map(|(chunk, _)| {
            let place = elements(chunk.node).find(|c| c.tag_name().name() == index)?;
            leaf_text(place).parse::<usize>().ok()
        });
    let first = numbers.next()??;
    numbers
        .enumerate()
        .all(|(i, n)| n == Some(first + i + 1))
        .then_some((index, first))
}
