//! What becomes of each child of an element.

use super::element::{BASE, Family, KeepOrder, Merger, OURS, THEIRS, Triple, Verdict};
use super::special::{adds_only_values, is_no_change, says_it_otherwise, values};
use crate::align::{COMMENT, Group, Mode, NONE};
use crate::conflict::Reason;
use crate::path::ElementPath;
use crate::table::Type;
use crate::xml::{Content, Digest, Node, content, digest, digest_all, elements, foreign_namespace, leaf_text, source};

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

    pub fn decide(&self, family: &Family<'a, 'i>, slot: u32) -> Verdict {
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
    pub fn lists_in_our_order(&self) -> KeepOrder {
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

    pub fn here(&self) -> ElementPath {
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
                let t = Triple { base, ours, theirs };
                match self.verdict(t, ty, s.whole) {
                    Verdict::Parts if disputes_key(t, group) => self.verdict(t, ty, true),
                    verdict => verdict,
                }
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
}

/// Whether both sides wrote the key of an item in two ways that cannot be merged: without its key it is no item.
fn disputes_key(t: Triple<'_, '_>, group: &Group<'_>) -> bool {
    let fields = match (group.mode, group.child) {
        (Mode::Keyed, Some(child)) => child.key.as_slice(),
        _ => &[],
    };
    fields.iter().any(|field| {
        let written = |node: Node<'_, '_>| {
            let inside = field.split('/').fold(vec![node], |nodes, name| {
                let children = nodes.into_iter().flat_map(elements);
                children.filter(|c| c.tag_name().name() == name).collect()
            });
            digest_all(inside.into_iter().map(|node| (node, None)))
        };
        let (ours, theirs, base) = (written(t.ours), written(t.theirs), t.base.map(written));
        ours != theirs && base != Some(ours) && base != Some(theirs)
    })
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
pub(super) fn start_tag(t: Triple<'_, '_>) -> Option<usize> {
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
