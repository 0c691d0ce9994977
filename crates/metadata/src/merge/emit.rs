//! Writes each child of an element into the result: our text, theirs in our layout, or an open place.

use super::element::{BASE, Family, Merger, OURS, THEIRS, Triple, Verdict};
use super::plan::Entry;
use super::special::{values, without};
use super::splice::{Layout, adapt, indent_of, one_break};
use crate::align::NONE;
use crate::conflict::Conflict;
use crate::path::{ElementPath, Step};
use crate::xml::{Chunk, source};

impl<'a, 'i: 'a> Merger<'a, 'i> {
    pub fn emit(&mut self, family: &Family<'a, 'i>, entry: &Entry) {
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

/// The path of a list as a whole.
fn list_path(mut path: ElementPath) -> ElementPath {
    if let Some(last) = path.steps.last_mut() {
        last.selector = crate::path::Selector::Only;
    }
    path
}
