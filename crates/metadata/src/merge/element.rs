//! Merge of one element: decide for each child, arrange, and splice into our text.

use std::collections::{BTreeMap, BTreeSet};

use super::doubts::Doubts;
use super::output::Pieces;
use super::plan::{Entry, plan};
use super::special::{adds_only_values, is_no_change, numbering, says_it_otherwise, values, without};
use super::splice::{Layout, adapt, indent_of, one_break};
use crate::align::{Alignment, COMMENT, Group, Mode, NONE, SIDES, Units, align};
use crate::component::ComponentId;
use crate::conflict::{Conflict, Reason};
use crate::path::{ElementPath, Step};
use crate::table::Type;
use crate::xml::{
    Chunk, Content, Digest, Document, Node, children, content, digest, digest_all, foreign_namespace, leaf_text, source,
};

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
    indents: [&'i str; SIDES],
}

impl<'a, 'i: 'a> Merger<'a, 'i> {
    /// What becomes of an element that ours and theirs have. `whole`: not to be merged from parts.
    pub fn verdict(&self, t: Triple<'a, 'i>, ty: Option<&'static Type>, whole: bool) -> Verdict {
        let raw = |side: usize, node: Node<'a, 'i>| source(self.texts[side], node);
        if raw(OURS, t.ours) == raw(THEIRS, t.theirs) {
            return Verdict::Ours;
        }
        let divisible = !whole
            && ty.is_some_and(|ty| !ty.whole && !says_it_otherwise(t, ty))
            && !both_strayed(t)
            && [Some(t.ours), Some(t.theirs), t.base]
                .into_iter()
                .flatten()
                .all(has_parts)
            && start_tag(t).is_some();
        if divisible && self.holds_forced(t) {
            return Verdict::Parts;
        }
        if t.base.is_some_and(|base| raw(BASE, base) == raw(THEIRS, t.theirs)) {
            return Verdict::Ours;
        }
        if divisible {
            return Verdict::Parts;
        }
        let (ours, theirs) = (digest(t.ours, ty), digest(t.theirs, ty));
        let base = t.base.map(|base| digest(base, ty));
        if theirs == ours || base == Some(theirs) {
            Verdict::Ours
        } else if base == Some(ours) {
            Verdict::Theirs
        } else if base.is_some() {
            Verdict::Conflict(Reason::BothChanged)
        } else {
            Verdict::Conflict(Reason::BothAdded)
        }
    }

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

    fn decide(&self, family: &Family<'a, 'i>, slot: u32) -> Verdict {
        if self.is_unproven(family, slot) {
            return Verdict::Conflict(Reason::Unproven);
        }
        if self.is_selected(family, slot) {
            return self.decide_alone(family, slot);
        }
        if family.alignment.slots[slot as usize].at[OURS] == NONE {
            Verdict::Absent
        } else {
            Verdict::Ours
        }
    }

    /// Whether a slot, something in it or something around it was asked for.
    fn is_selected(&self, family: &Family<'a, 'i>, slot: u32) -> bool {
        let Some(selection) = self.selection else { return true };
        let mut path = self.here();
        path.steps.push(self.step(family, slot));
        selection.iter().any(|s| path.is_within(s) || s.is_within(&path))
    }

    /// A list takes the order of theirs only when the element around it or an item of it was asked for.
    fn lists_in_our_order(&self) -> KeepOrder {
        let Some(selection) = self.selection else {
            return KeepOrder::Never;
        };
        let here = self.here();
        if selection.iter().any(|s| here.is_within(s)) {
            return KeepOrder::Never;
        }
        let items = selection
            .iter()
            .filter(|s| s.steps.len() == here.steps.len() + 1 && s.is_within(&here));
        KeepOrder::ButFor(
            items
                .filter_map(|s| s.steps.last())
                .map(|step| step.name.clone())
                .collect(),
        )
    }

    fn here(&self) -> ElementPath {
        ElementPath {
            component: self.component.clone(),
            steps: self.path.clone(),
        }
    }

    fn decide_alone(&self, family: &Family<'a, 'i>, slot: u32) -> Verdict {
        let s = &family.alignment.slots[slot as usize];
        let group = family.alignment.group(slot);
        let ty = group.ty;
        let node = |side: usize| family.chunks[side].get(s.at[side] as usize).map(|c| c.node);
        if group.mode == Mode::Together {
            return together(family, slot);
        }
        match (node(BASE), node(OURS), node(THEIRS)) {
            (base, Some(ours), Some(theirs)) => {
                if group.name == COMMENT || is_no_change(family.ty, group, ours, theirs) {
                    return Verdict::Ours;
                }
                self.verdict(Triple { base, ours, theirs }, ty, s.whole)
            }
            (Some(base), Some(ours), None) => self.deleted(base, (OURS, ours), group, Reason::DeletedByThem),
            (Some(base), None, Some(theirs)) => self.deleted(base, (THEIRS, theirs), group, Reason::DeletedByUs),
            (None, Some(ours), None) => self.forced_within(OURS, ours).unwrap_or(Verdict::Ours),
            (None, None, Some(theirs)) => self.forced_within(THEIRS, theirs).unwrap_or(Verdict::Theirs),
            (_, None, None) => Verdict::Absent,
        }
    }

    fn deleted(
        &self,
        base: Node<'a, 'i>,
        (side, left): (usize, Node<'a, 'i>),
        group: &Group<'_>,
        reason: Reason,
    ) -> Verdict {
        let ty = group.ty;
        let changed = source(self.texts[BASE], base) != source(self.texts[side], left)
            && group.name != COMMENT
            && digest(base, ty) != digest(left, ty);
        if changed && group.child.is_some_and(|c| c.dissolves) && adds_only_values(base, left, ty) {
            let gone = values(base, ty);
            return if values(left, ty).is_subset(&gone) {
                Verdict::Absent
            } else {
                Verdict::Dissolved
            };
        }
        if changed {
            return Verdict::Conflict(reason);
        }
        self.forced_at(base).unwrap_or(Verdict::Absent)
    }

    fn emit(&mut self, family: &Family<'a, 'i>, entry: &Entry) {
        let slot = &family.alignment.slots[entry.slot as usize];
        let lead = self.lead(family, entry);
        match &family.verdicts[entry.slot as usize] {
            Verdict::Absent => {}
            Verdict::Ours => {
                if let Some(chunk) = family.chunks[OURS].get(entry.ours as usize) {
                    self.out
                        .push(&self.texts[OURS].as_bytes()[chunk.lead..chunk.node.range().end]);
                }
            }
            Verdict::Theirs => {
                let text = self.joined(family, entry.slot, THEIRS, &lead);
                if let Some(text) = text {
                    self.out.push(lead.as_bytes());
                    self.out.push(&text);
                }
            }
            Verdict::Parts => {
                let node = |side: usize| family.chunks[side].get(slot.at[side] as usize).copied();
                if let (base, Some(ours), Some(theirs)) = (node(BASE), node(OURS), node(THEIRS)) {
                    let indent = |side: usize, c: Option<Chunk<'a, 'i>>| {
                        c.map_or("", |c| indent_of(&self.texts[side][c.lead..c.node.range().start]))
                    };
                    let indents = [
                        indent(BASE, base),
                        indent(OURS, Some(ours)),
                        indent(THEIRS, Some(theirs)),
                    ];
                    self.out.push(lead.as_bytes());
                    self.path.push(self.step(family, entry.slot));
                    let triple = Triple {
                        base: base.map(|c| c.node),
                        ours: ours.node,
                        theirs: theirs.node,
                    };
                    self.parts(triple, family.alignment.group(entry.slot).ty, indents);
                    self.path.pop();
                }
            }
            Verdict::Dissolved => {
                let side = if slot.at[OURS] == NONE { THEIRS } else { OURS };
                let node = |side: usize| family.chunks[side].get(slot.at[side] as usize).map(|c| c.node);
                if let (Some(base), Some(left)) = (node(BASE), node(side)) {
                    let ty = family.alignment.group(entry.slot).ty;
                    self.out.push(lead.as_bytes());
                    let text = without(self.texts[side], left, &values(base, ty), ty);
                    self.out.push_with_line_ends(&text, self.line_ends[OURS]);
                }
            }
            Verdict::Conflict(reason) => {
                let step = self.step(family, entry.slot);
                let mut steps = self.path.clone();
                steps.push(step);
                let text = |side: usize| self.joined(family, entry.slot, side, &lead);
                let is_list = family.clashing.contains(&slot.group);
                let (base, ours, theirs) = if is_list {
                    let all = |side: usize| self.joined_group(family, slot.group, side, &lead);
                    (all(BASE), all(OURS), all(THEIRS))
                } else {
                    (text(BASE), text(OURS), text(THEIRS))
                };
                let path = ElementPath {
                    component: self.component.clone(),
                    steps,
                };
                let path = if is_list { list_path(path) } else { path };
                self.out.push_open(lead.as_bytes(), self.conflicts.len());
                self.conflicts.push(Conflict {
                    path,
                    reason: reason.clone(),
                    base,
                    ours,
                    theirs,
                });
            }
        }
    }

    pub fn step(&self, family: &Family<'a, 'i>, slot: u32) -> Step {
        // A selection comes from a comparison, which counts places in the newer list.
        let prefer = if self.selection.is_some() {
            [THEIRS, OURS, BASE]
        } else {
            [OURS, THEIRS, BASE]
        };
        family.alignment.step(
            slot,
            [&family.chunks[BASE], &family.chunks[OURS], &family.chunks[THEIRS]],
            prefer,
        )
    }

    /// The white space in front of a slot's place in the result.
    fn lead(&self, family: &Family<'a, 'i>, entry: &Entry) -> String {
        let own = |chunk: &Chunk<'a, 'i>| &self.texts[OURS][chunk.lead..chunk.node.range().start];
        if let Some(chunk) = family.chunks[OURS].get(entry.ours as usize) {
            return own(chunk).to_owned();
        }
        if let Some(chunk) = family.chunks[OURS].get(entry.like as usize) {
            return one_break(own(chunk)).to_owned();
        }
        // An element without children in ours: the step from parent to child is theirs.
        let slot = &family.alignment.slots[entry.slot as usize];
        let side = if slot.at[THEIRS] == NONE { BASE } else { THEIRS };
        let Some(chunk) = family.chunks[side].get(slot.at[side] as usize) else {
            return String::new();
        };
        let lead = &self.texts[side][chunk.lead..chunk.node.range().start];
        if !lead.contains('\n') {
            return lead.to_owned();
        }
        let indent = indent_of(lead);
        let step = indent.strip_prefix(family.layout.indents[side]).unwrap_or(indent);
        format!("{}{}{step}", self.line_ends[OURS], family.layout.indents[OURS])
    }

    /// The text of a slot on one side, laid out for ours; several chunks with the space between them.
    fn joined(&self, family: &Family<'a, 'i>, slot: u32, side: usize, lead: &str) -> Option<Vec<u8>> {
        self.join(
            side,
            lead,
            family.alignment.members(slot, side).map(|i| family.chunks[side][i]),
        )
    }

    fn joined_group(&self, family: &Family<'a, 'i>, group: u32, side: usize, lead: &str) -> Option<Vec<u8>> {
        let members = family.alignment.slot_of[side].iter().enumerate();
        let members = members.filter(|(_, s)| family.alignment.slots[**s as usize].group == group);
        self.join(side, lead, members.map(|(i, _)| family.chunks[side][i]))
    }

    fn join(&self, side: usize, lead: &str, chunks: impl Iterator<Item = Chunk<'a, 'i>>) -> Option<Vec<u8>> {
        let text = self.texts[side];
        let to = Layout {
            indent: indent_of(lead),
            line_end: self.line_ends[OURS],
        };
        let mut joined: Option<Vec<u8>> = None;
        for chunk in chunks {
            let space = &text[chunk.lead..chunk.node.range().start];
            let from = Layout {
                indent: indent_of(space),
                line_end: self.line_ends[side],
            };
            let out = match &mut joined {
                Some(out) => {
                    out.extend_from_slice(one_break(lead).as_bytes());
                    out
                }
                None => joined.insert(Vec::new()),
            };
            if side == OURS {
                out.extend_from_slice(source(text, chunk.node).as_bytes());
            } else {
                out.extend_from_slice(adapt(text, chunk.node, from, to).as_bytes());
            }
        }
        joined
    }
}

/// What the members of a slot mean on one side; `None` where it has none.
pub(super) fn members_digest(family: &Family<'_, '_>, slot: u32, side: usize) -> Option<Digest> {
    let ty = family.alignment.group(slot).ty;
    let mut nodes: Vec<Node<'_, '_>> = family
        .alignment
        .members(slot, side)
        .map(|i| family.chunks[side][i].node)
        .collect();
    // Whether a formula stands before or behind its items does not matter.
    nodes.sort_by_key(|node| node.tag_name().name());
    (!nodes.is_empty()).then(|| digest_all(nodes.into_iter().map(|node| (node, ty))))
}

/// A group that merges as one.
fn together(family: &Family<'_, '_>, slot: u32) -> Verdict {
    let group = family.alignment.group(slot);
    let content = |side: usize| members_digest(family, slot, side);
    let (base, ours, theirs) = (content(BASE), content(OURS), content(THEIRS));
    let unit = group.child.is_some_and(|c| c.list);
    if ours == theirs || base == theirs {
        return if ours.is_some() { Verdict::Ours } else { Verdict::Absent };
    }
    if base == ours {
        return if theirs.is_some() {
            Verdict::Theirs
        } else {
            Verdict::Absent
        };
    }
    Verdict::Conflict(match (base, ours, theirs) {
        (Some(_), None, _) => Reason::DeletedByUs,
        (Some(_), _, None) => Reason::DeletedByThem,
        _ if unit => Reason::Criteria,
        (None, ..) => Reason::BothAdded,
        _ => Reason::BothChanged,
    })
}

/// Whether an element can be merged child by child.
fn has_parts(node: Node<'_, '_>) -> bool {
    match content(node) {
        Content::Elements => true,
        Content::Leaf => leaf_text(node).is_empty(),
        // Stray text between elements is kept like a comment.
        Content::Mixed => node.first_element_child().is_some() || leaf_text(node).trim().is_empty(),
    }
}

/// Whether a prefix stands for different namespaces on two sides.
fn rebinds(ours: Node<'_, '_>, other: Node<'_, '_>) -> bool {
    ours.namespaces().filter(|ns| ns.name().is_some()).any(|mine| {
        other
            .namespaces()
            .any(|theirs| theirs.name() == mine.name() && theirs.uri() != mine.uri())
    })
}

/// Whether both sides changed the stray text between elements: side by side it would be one text.
fn both_strayed(t: Triple<'_, '_>) -> bool {
    let stray = |node: Node<'_, '_>| -> Vec<String> {
        let texts = node
            .children()
            .filter(Node::is_text)
            .filter_map(|c| c.text())
            .map(str::trim);
        texts.filter(|text| !text.is_empty()).map(str::to_owned).collect()
    };
    let (ours, theirs) = (stray(t.ours), stray(t.theirs));
    let base = t.base.map(stray).unwrap_or_default();
    ours != theirs && ours != base && theirs != base
}

/// The side whose start tag holds the merged attributes; `None` when they conflict.
fn start_tag(t: Triple<'_, '_>) -> Option<usize> {
    // What comes in would take on the namespace of ours.
    let foreign = [Some(t.ours), Some(t.theirs), t.base.or(Some(t.ours))].map(|node| node.and_then(foreign_namespace));
    if t.ours.tag_name().name() != t.theirs.tag_name().name()
        || foreign.iter().any(|ns| *ns != foreign[0])
        || t.base
            .is_some_and(|base| rebinds(t.ours, base) || rebinds(t.theirs, base))
        || rebinds(t.ours, t.theirs)
    {
        return None;
    }
    let attributes = |node: Node<'_, '_>| {
        let mut all: Vec<(String, String)> = node
            .attributes()
            .map(|a| (format!("{:?}{}", a.namespace(), a.name()), a.value().to_owned()))
            .collect();
        all.sort_unstable();
        all
    };
    let (ours, theirs) = (attributes(t.ours), attributes(t.theirs));
    if ours == theirs {
        return Some(OURS);
    }
    let base = attributes(t.base?);
    if base == theirs {
        Some(OURS)
    } else if base == ours {
        Some(THEIRS)
    } else {
        None
    }
}

/// The path of a list as a whole.
fn list_path(mut path: ElementPath) -> ElementPath {
    if let Some(last) = path.steps.last_mut() {
        last.selector = crate::path::Selector::Only;
    }
    path
}

/// Merges the root elements of three documents into `merger.out`, prolog and epilog included.
pub(super) fn merge_roots<'a, 'i: 'a>(
    merger: &mut Merger<'a, 'i>,
    docs: (Option<&'a Document<'i>>, &'a Document<'i>, &'a Document<'i>),
) -> Verdict {
    let (base, ours, theirs) = docs;
    let triple = Triple {
        base: base.map(Document::root),
        ours: ours.root(),
        theirs: theirs.root(),
    };
    let ty = ours.root_type();
    let verdict = match merger.verdict(triple, ty, false) {
        // Theirs as a file, so that nothing of its layout is lost where ours has none of its own.
        Verdict::Parts => Verdict::Parts,
        Verdict::Conflict(Reason::BothChanged) if ty.is_none() => Verdict::Conflict(Reason::Whole),
        other => other,
    };
    if matches!(verdict, Verdict::Conflict(_)) {
        return verdict;
    }
    let prolog = |d: &Document<'i>| &d.text[..d.root().range().start];
    let epilog = |d: &Document<'i>| &d.text[d.root().range().end..];
    let selection = merger.selection.is_some();
    for part in [&prolog as &dyn Fn(&Document<'i>) -> &'i str, &epilog] {
        let texts = [base.map_or("", part), part(ours), part(theirs)];
        let all_differ = texts[0] != texts[1] && texts[0] != texts[2] && texts[1] != texts[2];
        if all_differ && texts.into_iter().any(has_instructions) {
            return Verdict::Conflict(Reason::Whole);
        }
    }
    let is_pick = merger.selection.is_some();
    let around = |part: &dyn Fn(&Document<'i>) -> &'i str| {
        if is_pick {
            return part(ours).to_owned();
        }
        if selection {
            // No path names what stands around the root, so nobody selected it.
            part(ours).to_owned()
        } else {
            around_root(base.map_or("", part), part(ours), part(theirs), ours.line_end())
        }
    };
    merger.out.reserve(ours.text.len() + 1024);
    merger.out.push(around(&prolog).as_bytes());
    match verdict {
        Verdict::Parts => merger.parts(triple, ty, [""; SIDES]),
        Verdict::Theirs => merger
            .out
            .push_with_line_ends(source(theirs.text, triple.theirs), ours.line_end()),
        _ => merger.out.push(source(ours.text, triple.ours).as_bytes()),
    }
    merger.out.push(around(&epilog).as_bytes());
    verdict
}

/// The text before or behind the root element: ours, with the comments that theirs added there and
/// without those that theirs deleted. Theirs alone where ours left it as it was.
fn around_root(base: &str, ours: &str, theirs: &str, line_end: &str) -> String {
    let mut out = String::new();
    if base == ours {
        super::splice::line_ends(theirs, line_end, &mut out);
        return out;
    }
    ours.clone_into(&mut out);
    for gone in comments(base).filter(|c| !theirs.contains(c)) {
        let line = format!("{gone}{line_end}");
        out = out.replace(&line, "").replace(gone, "");
    }
    for added in comments(theirs).filter(|c| !base.contains(c) && !ours.contains(c)) {
        super::splice::line_ends(added, line_end, &mut out);
        out.push_str(line_end);
    }
    out
}

/// Whether the text around a root element holds processing instructions besides the XML declaration.
fn has_instructions(text: &str) -> bool {
    let text = text.trim_start_matches('\u{feff}');
    let declared = ["<?xml version=\"1.", "<?xml version='1."]
        .iter()
        .any(|start| text.starts_with(start));
    text.matches("<?").count() > usize::from(declared)
}

/// Comments in the text around a root element.
fn comments(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("<!--").filter_map(|(start, _)| {
        let end = text[start..].find("-->")?;
        Some(&text[start..start + end + 3])
    })
}
