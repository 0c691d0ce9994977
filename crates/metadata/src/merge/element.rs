//! Merge of one element: decide for each child, arrange, and splice into our text.

use std::collections::{BTreeMap, BTreeSet};

use super::decide::start_tag;
use super::doubts::Doubts;
use super::output::Pieces;
use super::plan::plan;
use super::special::numbering;
use crate::align::{Alignment, SIDES, Units, align};
use crate::component::ComponentId;
use crate::conflict::{Conflict, Reason};
use crate::path::{ElementPath, Step};
use crate::table::Type;
use crate::xml::{Chunk, Node, children};

/// Base, ours, theirs; the base may be absent.
#[derive(Clone, Copy)]
pub(super) struct Triple<'a, 'i> {
    pub base: Option<Node<'a, 'i>>,
    pub ours: Node<'a, 'i>,
    pub theirs: Node<'a, 'i>,
}

/// State of one document's merge.
pub(super) struct Merger<'a, 'i> {
    pub component: &'a ComponentId,
    /// Text of base, ours and theirs; empty where absent.
    pub texts: [&'i str; SIDES],
    pub line_ends: [&'static str; SIDES],
    pub doubts: &'a Doubts,
    /// When given, only these elements may change; everything else stays as in ours.
    pub selection: Option<&'a [ElementPath]>,
    pub path: Vec<Step>,
    pub conflicts: Vec<Conflict>,
    pub out: Pieces,
}

pub(super) const BASE: usize = 0;
pub(super) const OURS: usize = 1;
pub(super) const THEIRS: usize = 2;

/// What becomes of an element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is absent from the result.
    Absent,
    Ours,
    Theirs,
    /// Its children are merged one by one.
    Parts,
    /// One side deleted it, and with it the values of the base; what the other side added stays.
    Dissolved,
    Conflict(Reason),
}

/// Which lists keep the order of ours whatever theirs did.
pub(super) enum KeepOrder {
    /// None does.
    Never,
    /// All but those of these names.
    ButFor(BTreeSet<Box<str>>),
}

/// The children of one element on all sides, and what becomes of them.
pub(super) struct Family<'a, 'i> {
    /// Lists that conflict as a whole.
    pub clashing: BTreeSet<u32>,
    /// Lists that cannot be settled, by name.
    pub doubtful: BTreeMap<Box<str>, Reason>,
    /// Lists keep the order of ours.
    pub keep_order: KeepOrder,
    /// Type of the element whose children these are.
    pub ty: Option<&'static Type>,
    pub chunks: [Vec<Chunk<'a, 'i>>; SIDES],
    pub alignment: Alignment<'a>,
    pub verdicts: Vec<Verdict>,
    pub layout: ParentLayout<'i>,
}

/// Where children without a neighbour go.
pub(super) struct ParentLayout<'i> {
    /// Indentation of the parent's own line in ours and in theirs.
    pub indents: [&'i str; SIDES],
}

impl<'a, 'i: 'a> Merger<'a, 'i> {
    /// Merges the children of an element and writes it.
    pub fn parts(&mut self, t: Triple<'a, 'i>, ty: Option<&'static Type>, indents: [&'i str; SIDES]) {
        let split = |side: usize, node: Option<Node<'a, 'i>>| node.map(|n| children(self.texts[side], n));
        let (base, ours, theirs) = (
            split(BASE, t.base),
            split(OURS, Some(t.ours)),
            split(THEIRS, Some(t.theirs)),
        );
        let tail = ours.as_ref().map_or(0..0, |(_, tail)| tail.clone());
        let chunks = [base, ours, theirs].map(|side| side.map(|(chunks, _)| chunks).unwrap_or_default());
        // A person selects a formula and its items one by one, as the comparison shows them.
        let units = if self.selection.is_some() {
            Units::Apart
        } else {
            Units::Together
        };
        let alignment = align(ty, [&chunks[BASE], &chunks[OURS], &chunks[THEIRS]], units);
        let mut family = Family {
            chunks,
            alignment,
            verdicts: Vec::new(),
            clashing: BTreeSet::new(),
            doubtful: self.doubtful_lists(),
            layout: ParentLayout { indents },
            ty,
            keep_order: self.lists_in_our_order(),
        };
        family.verdicts = (0..family.alignment.slots.len())
            .map(|slot| self.decide(&family, slot as u32))
            .collect();
        let plan = plan(&mut family);

        let text = self.texts[OURS];
        let range = t.ours.range();
        let first = family.chunks[OURS].first().map_or(tail.start, |c| c.lead);
        let start = match start_tag(t) {
            Some(OURS) | None => &text[range.start..first],
            Some(_) => {
                let (theirs, tail) = children(self.texts[THEIRS], t.theirs);
                &self.texts[THEIRS][t.theirs.range().start..theirs.first().map_or(tail.start, |c| c.lead)]
            }
        };
        let empty = tail.end == range.end;
        let emitted = plan
            .iter()
            .any(|entry| family.verdicts[entry.slot as usize] != Verdict::Absent);
        let open = start.strip_suffix("/>").or(start.strip_suffix('>')).unwrap_or(start);
        match (empty, emitted) {
            // `<a/>` receives children.
            (true, true) => self.out.push(open.trim_end().as_bytes()),
            (true, false) | (false, _) => self.out.push(open.as_bytes()),
        }
        self.out.push(if empty && !emitted { b"/>" } else { b">" });
        let mut numbered: Vec<Option<(&'static str, usize)>> = (0..family.alignment.groups.len())
            .map(|group| numbering(&family, group as u32))
            .collect();
        for entry in &plan {
            let mark = self.out.mark();
            self.emit(&family, entry);
            let group = family.alignment.slots[entry.slot as usize].group as usize;
            if let Some((index, number)) = &mut numbered[group]
                && self.out.mark() != mark
            {
                self.out.renumber(mark, index, *number);
                *number += 1;
            }
        }
        if empty && emitted {
            self.out.push(self.line_ends[OURS].as_bytes());
            self.out.push(indents[OURS].as_bytes());
            self.out.push(format!("</{}>", t.ours.tag_name().name()).as_bytes());
        } else {
            self.out.push(&text.as_bytes()[tail.start..range.end]);
        }
    }
}
