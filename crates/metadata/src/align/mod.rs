//! Which children of an element are the same thing on several sides.
//!
//! Children of one name form a group. The table says how the items of a group are told apart; each
//! distinct item is a slot, with at most one member on each side.

mod keyed;
mod unkeyed;

pub(crate) use keyed::key_text;

use std::borrow::Cow;

use crate::path::{Selector, Step};
use crate::table::{Child, Holds, Order, Type};
use crate::xml::{self, Chunk, Node, child_type, elements, leaf_text};

/// Sides that can be aligned at once: base, ours, theirs.
pub(crate) const SIDES: usize = 3;

/// No member on that side.
pub(crate) const NONE: u32 = u32::MAX;

/// The name of the group that holds comments, processing instructions and stray text.
pub(crate) const COMMENT: &str = "#comment";

/// The children of one element on each side.
#[derive(Debug)]
pub(crate) struct Alignment<'a> {
    pub groups: Vec<Group<'a>>,
    pub slots: Vec<Slot>,
    /// For each side, the slot of each chunk.
    pub slot_of: [Vec<u32>; SIDES],
}

/// Children of one name.
#[derive(Debug)]
pub(crate) struct Group<'a> {
    pub name: &'a str,
    pub child: Option<&'static Child>,
    /// Type of the items' content.
    pub ty: Option<&'static Type>,
    pub mode: Mode,
    pub order: Order,
}

/// How the items of a group are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// There is at most one.
    One,
    /// By key fields.
    Keyed,
    /// By their text.
    Values,
    /// By content and place.
    Unkeyed,
    /// Not at all: the whole group is one slot.
    Together,
}

/// One thing, with its member on each side.
#[derive(Debug)]
pub(crate) struct Slot {
    pub group: u32,
    /// Index of the (first) chunk on each side, or [`NONE`].
    pub at: [u32; SIDES],
    /// Occurrence among items of the same key, from 1.
    pub occurrence: u32,
    /// Paired by place only: not to be merged from parts.
    pub whole: bool,
}

/// What to do with a formula and the items it names by number.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Units {
    /// They are one slot, as a merge wants them.
    Together,
    /// Each is on its own, as a person wants to read them.
    Apart,
}

/// Aligns the children of one element; an absent side has no chunks.
pub(crate) fn align<'a>(ty: Option<&'static Type>, sides: [&[Chunk<'a, '_>]; SIDES], units: Units) -> Alignment<'a> {
    let mut builder = Builder {
        alignment: Alignment {
            groups: Vec::new(),
            slots: Vec::new(),
            slot_of: sides.map(|chunks| vec![NONE; chunks.len()]),
        },
        members: Vec::new(),
        sides,
    };
    builder.collect(ty, units);
    for group in 0..builder.alignment.groups.len() {
        builder.fill(group);
    }
    builder.alignment
}

impl Alignment<'_> {
    /// The group of a slot.
    pub fn group(&self, slot: u32) -> &Group<'_> {
        &self.groups[self.slots[slot as usize].group as usize]
    }

    /// Chunks of a slot on one side.
    pub fn members(&self, slot: u32, side: usize) -> impl Iterator<Item = usize> + '_ {
        let first = self.slots[slot as usize].at[side];
        let together = self.group(slot).mode == Mode::Together;
        let range = match (first, together) {
            (NONE, _) => 0..0,
            (at, false) => at as usize..at as usize + 1,
            (at, true) => at as usize..self.slot_of[side].len(),
        };
        range.filter(move |i| self.slot_of[side][*i] == slot)
    }

    /// The step of an element path that names a slot. `prefer` orders the sides whose text is used.
    pub fn step(&self, slot: u32, sides: [&[Chunk<'_, '_>]; SIDES], prefer: [usize; SIDES]) -> Step {
        let s = &self.slots[slot as usize];
        let group = self.group(slot);
        let side = prefer.into_iter().find(|side| s.at[*side] != NONE).unwrap_or(prefer[0]);
        let Some(chunk) = sides[side].get(s.at[side] as usize) else {
            return Step {
                name: group.name.into(),
                selector: Selector::Only,
            };
        };
        let selector = match group.mode {
            Mode::One | Mode::Together => Selector::Only,
            Mode::Values => Selector::Value(value_text(chunk.node).into(), s.occurrence),
            Mode::Keyed => {
                let fields = group.child.map_or(&[][..], |c| &c.key);
                Selector::Key(
                    fields
                        .iter()
                        .map(|f| ((*f).into(), field_text(chunk.node, f).into()))
                        .collect(),
                    s.occurrence,
                )
            }
            Mode::Unkeyed => {
                let before = self.slot_of[side][..=s.at[side] as usize]
                    .iter()
                    .filter(|other| self.slots[**other as usize].group == s.group)
                    .count();
                Selector::Position(u32::try_from(before).unwrap_or(u32::MAX))
            }
        };
        Step {
            name: group.name.into(),
            selector,
        }
    }
}

struct Builder<'a, 'b, 'i> {
    alignment: Alignment<'a>,
    /// For each group and side, its chunks.
    members: Vec<[Vec<u32>; SIDES]>,
    sides: [&'b [Chunk<'a, 'i>]; SIDES],
}

impl<'a> Builder<'a, '_, '_> {
    /// Sorts the children of all sides into groups and decides how each is told apart.
    fn collect(&mut self, ty: Option<&'static Type>, units: Units) {
        let units = match units {
            Units::Together => self.units(ty),
            Units::Apart => Vec::new(),
        };
        let mut last = (COMMENT, usize::MAX);
        for side in 0..SIDES {
            for (i, chunk) in self.sides[side].iter().enumerate() {
                let name = chunk_name(chunk.node);
                let name = units
                    .iter()
                    .find(|(formula, _)| *formula == name)
                    .map_or(name, |(_, list)| list);
                if last.0 != name || last.1 == usize::MAX {
                    last = (name, self.group_named(name, ty));
                }
                self.members[last.1][side].push(i as u32);
            }
        }
        for (group, members) in self.alignment.groups.iter_mut().zip(&self.members) {
            let most = members.iter().map(Vec::len).max().unwrap_or(0);
            group.mode = match group.child {
                _ if group.name == COMMENT => Mode::Values,
                _ if units.iter().any(|(_, list)| *list == group.name) => Mode::Together,
                Some(child) if child.list && child.holds == Holds::Text => Mode::Values,
                Some(child) if child.list && !child.key.is_empty() => Mode::Keyed,
                Some(child) if child.list => Mode::Unkeyed,
                _ if most <= 1 => Mode::One,
                _ => Mode::Together,
            };
        }
    }

    /// Formulas that really name items by number on some side.
    fn units(&self, ty: Option<&'static Type>) -> Vec<(&'static str, &'static str)> {
        let Some(ty) = ty else { return Vec::new() };
        let by_number = |formula: &str| {
            self.sides.iter().flat_map(|side| side.iter()).any(|c| {
                c.node.is_element()
                    && c.node.tag_name().name() == formula
                    && leaf_text(c.node).bytes().any(|b| b.is_ascii_digit())
            })
        };
        ty.units
            .iter()
            .copied()
            .filter(|(formula, _)| by_number(formula))
            .collect()
    }

    fn group_named(&mut self, name: &'a str, ty: Option<&'static Type>) -> usize {
        if let Some(found) = self.alignment.groups.iter().position(|g| g.name == name) {
            return found;
        }
        let child = ty.and_then(|t| t.child(name));
        let order = if name == COMMENT {
            Order::None
        } else {
            child.map_or(Order::Display, |c| c.order)
        };
        self.alignment.groups.push(Group {
            name,
            child,
            ty: child_type(ty, name),
            mode: Mode::One,
            order,
        });
        self.members.push(Default::default());
        self.alignment.groups.len() - 1
    }

    fn fill(&mut self, group: usize) {
        match self.alignment.groups[group].mode {
            Mode::One | Mode::Together => {
                let at = [0, 1, 2].map(|side| self.members[group][side].first().copied().unwrap_or(NONE));
                let slot = self.new_slot(group, at, 1, false);
                for side in 0..SIDES {
                    for i in std::mem::take(&mut self.members[group][side]) {
                        self.alignment.slot_of[side][i as usize] = slot;
                    }
                }
            }
            Mode::Keyed | Mode::Values => self.fill_keyed(group),
            Mode::Unkeyed => self.fill_unkeyed(group),
        }
    }

    fn new_slot(&mut self, group: usize, at: [u32; SIDES], occurrence: u32, whole: bool) -> u32 {
        let slot = self.alignment.slots.len() as u32;
        for (slots, chunk) in self
            .alignment
            .slot_of
            .iter_mut()
            .zip(at)
            .filter(|(_, chunk)| *chunk != NONE)
        {
            slots[chunk as usize] = slot;
        }
        self.alignment.slots.push(Slot {
            group: group as u32,
            at,
            occurrence,
            whole,
        });
        slot
    }

    fn node(&self, side: usize, chunk: u32) -> Node<'a, '_> {
        self.sides[side][chunk as usize].node
    }

    fn digest(&self, group: usize, side: usize, chunk: u32) -> xml::Digest {
        xml::digest(self.node(side, chunk), self.alignment.groups[group].ty)
    }
}

fn chunk_name<'a>(node: Node<'a, '_>) -> &'a str {
    if node.is_element() {
        node.tag_name().name()
    } else {
        COMMENT
    }
}

/// The text of a plain value, a comment or stray text.
fn value_text<'a>(node: Node<'a, '_>) -> Cow<'a, str> {
    if node.is_element() {
        leaf_text(node)
    } else {
        Cow::Borrowed(node.text().unwrap_or_default().trim())
    }
}

/// The text of a key field: `a/b` one level down, `@a` an attribute; a complex field by its content.
pub(crate) fn field_text<'a>(node: Node<'a, '_>, field: &str) -> Cow<'a, str> {
    if let Some(name) = field.strip_prefix('@') {
        return Cow::Borrowed(node.attribute(name).unwrap_or_default());
    }
    let (first, rest) = match field.split_once('/') {
        Some((first, rest)) => (first, Some(rest)),
        None => (field, None),
    };
    let Some(child) = elements(node).find(|c| c.tag_name().name() == first) else {
        return Cow::Borrowed("");
    };
    match rest {
        Some(rest) => field_text(child, rest),
        None if child.first_element_child().is_none() => leaf_text(child),
        None => Cow::Owned(xml::canonical_text(child)),
    }
}
