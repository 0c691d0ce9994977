//! Comparison of two XML documents, element by element.

use std::collections::{HashMap, HashSet};

use super::{ChangeKind, ElementChange};
use crate::align::{Alignment, COMMENT, Mode, NONE, SIDES, Units, align};
use crate::component::ComponentId;
use crate::path::{ElementPath, Selector, Step};
use crate::table::{Order, Type};
use crate::xml::{Chunk, Content, Document, Node, children, content, digest, foreign_namespace, leaf_text, source};

/// Sides of the alignment: the new document stands twice, because an alignment has three.
const FROM: usize = 0;
const TO: usize = 1;

pub(super) fn compare(component: &ComponentId, from: &Document<'_>, to: &Document<'_>) -> Vec<ElementChange> {
    let mut differ = Differ {
        component,
        texts: [from.text, to.text],
        path: Vec::new(),
        changes: Vec::new(),
    };
    let (a, b) = (from.root(), to.root());
    if a.tag_name().name() == b.tag_name().name() {
        differ.element(a, b, to.root_type());
    } else {
        differ.changed(a, b);
    }
    differ.changes
}

struct Differ<'a> {
    component: &'a ComponentId,
    texts: [&'a str; 2],
    path: Vec<Step>,
    changes: Vec<ElementChange>,
}

impl<'t> Differ<'t> {
    fn element(&mut self, from: Node<'_, 't>, to: Node<'_, 't>, ty: Option<&'static Type>) {
        if source(self.texts[FROM], from) == source(self.texts[TO], to) || digest(from, ty) == digest(to, ty) {
            return;
        }
        let divisible = ty.is_some_and(|ty| !ty.whole) && has_children(from) && has_children(to);
        if !divisible {
            self.changed(from, to);
            return;
        }
        self.attributes(from, to);
        let (old, _) = children(self.texts[FROM], from);
        let (new, _) = children(self.texts[TO], to);
        let alignment = align(ty, [&old, &new, &new], Units::Apart);
        let moved = moved(&alignment);
        for slot in in_order(&alignment) {
            let group = alignment.group(slot);
            let s = &alignment.slots[slot as usize];
            self.path.push(alignment.step(slot, [&old, &new, &new], [TO, FROM, 2]));
            match (old.get(s.at[FROM] as usize), new.get(s.at[TO] as usize)) {
                _ if group.mode == Mode::Together => self.together(&alignment, slot, [&old, &new]),
                (Some(a), Some(b)) if group.name != COMMENT => {
                    if !self.is_made_up(ty, group.child, a.node, b.node) {
                        self.element(a.node, b.node, group.ty);
                    }
                    if moved.contains(&slot) {
                        let place = |side: usize| place(&alignment, slot, side);
                        self.push(ChangeKind::Moved, Some(place(FROM)), Some(place(TO)));
                    }
                }
                (Some(a), None) => self.push(ChangeKind::Removed, Some(self.value(FROM, a.node)), None),
                (None, Some(b)) => self.push(ChangeKind::Added, None, Some(self.value(TO, b.node))),
                _ => {}
            }
            self.path.pop();
        }
    }

    fn is_made_up(
        &self,
        parent: Option<&'static Type>,
        child: Option<&crate::table::Child>,
        a: Node<'_, '_>,
        b: Node<'_, '_>,
    ) -> bool {
        let is_place =
            |node: Node<'_, '_>| parent.is_some_and(|t| t.is_place(node.tag_name().name(), &leaf_text(node)));
        is_place(a) && is_place(b)
            || child.is_some_and(|c| c.is_generated(&leaf_text(a)) && c.is_generated(&leaf_text(b)))
    }

    fn attributes(&mut self, from: Node<'_, 't>, to: Node<'_, 't>) {
        // Another namespace than that of metadata means another thing.
        let named = |node: Node<'_, 't>| -> Vec<(String, String)> {
            let namespace = foreign_namespace(node).map(|uri| ("xmlns".to_owned(), uri.to_owned()));
            let attributes = node.attributes().map(|a| (a.name().to_owned(), a.value().to_owned()));
            namespace.into_iter().chain(attributes).collect()
        };
        let (from, to) = (named(from), named(to));
        let mut names: Vec<&String> = from.iter().chain(&to).map(|(name, _)| name).collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            let value = |side: &[(String, String)]| {
                let mut found = side.iter().filter(|(n, _)| n == name);
                found.next().map(|(_, value)| value.clone())
            };
            let (a, b) = (value(&from), value(&to));
            if a != b {
                self.path.push(Step {
                    name: format!("@{name}").into(),
                    selector: Selector::Only,
                });
                self.push(kind(&a, &b), a, b);
                self.path.pop();
            }
        }
    }

    /// A group that is one value: a list that no schema knows.
    fn together(&mut self, alignment: &Alignment<'_>, slot: u32, sides: [&[Chunk<'_, 't>]; 2]) {
        let text = |side: usize| {
            let parts: Vec<String> = alignment
                .members(slot, side)
                .map(|i| self.value(side, sides[side][i].node))
                .collect();
            (!parts.is_empty()).then(|| parts.join(" "))
        };
        let meaning = |side: usize| -> Vec<u128> {
            alignment
                .members(slot, side)
                .map(|i| digest(sides[side][i].node, alignment.group(slot).ty))
                .collect()
        };
        if meaning(FROM) != meaning(TO) {
            let (a, b) = (text(FROM), text(TO));
            self.push(kind(&a, &b), a, b);
        }
    }

    fn changed(&mut self, from: Node<'_, 't>, to: Node<'_, 't>) {
        let (a, b) = (self.value(FROM, from), self.value(TO, to));
        self.push(ChangeKind::Changed, Some(a), Some(b));
    }

    fn value(&self, side: usize, node: Node<'_, 't>) -> String {
        if node.is_element() && content(node) == Content::Leaf && node.attributes().len() == 0 {
            leaf_text(node).into_owned()
        } else {
            source(self.texts[side], node).trim().to_owned()
        }
    }

    fn push(&mut self, kind: ChangeKind, from: Option<String>, to: Option<String>) {
        let path = ElementPath {
            component: self.component.clone(),
            steps: self.path.clone(),
        };
        self.changes.push(ElementChange { path, kind, from, to });
    }
}

fn kind(from: &Option<String>, to: &Option<String>) -> ChangeKind {
    match (from, to) {
        (None, _) => ChangeKind::Added,
        (_, None) => ChangeKind::Removed,
        _ => ChangeKind::Changed,
    }
}

fn has_children(node: Node<'_, '_>) -> bool {
    match content(node) {
        Content::Elements => true,
        Content::Leaf => leaf_text(node).is_empty(),
        Content::Mixed => node.first_element_child().is_some() || leaf_text(node).trim().is_empty(),
    }
}

/// Slots as they stand in the new document, removed ones behind what stood before them in the old one.
fn in_order(alignment: &Alignment<'_>) -> Vec<u32> {
    let mut removed_behind: HashMap<Option<u32>, Vec<u32>> = HashMap::new();
    let mut before = None;
    let mut seen = HashSet::new();
    for slot in &alignment.slot_of[FROM] {
        if alignment.slots[*slot as usize].at[TO] != NONE {
            before = Some(*slot);
        } else if seen.insert(*slot) {
            removed_behind.entry(before).or_default().push(*slot);
        }
    }
    let mut order = removed_behind.remove(&None).unwrap_or_default();
    for slot in &alignment.slot_of[TO] {
        if seen.insert(*slot) {
            order.push(*slot);
            order.extend(removed_behind.remove(&Some(*slot)).unwrap_or_default());
        }
    }
    order
}

/// Items of ordered lists that changed their place: the fewest whose moves explain the new order.
fn moved(alignment: &Alignment<'_>) -> HashSet<u32> {
    let mut moved = HashSet::new();
    for (g, group) in alignment.groups.iter().enumerate() {
        if group.order == Order::None || matches!(group.mode, Mode::One | Mode::Together) {
            continue;
        }
        let on_both = |side: usize| {
            alignment.slot_of[side].iter().copied().filter(move |slot| {
                let s = &alignment.slots[*slot as usize];
                s.group as usize == g && s.at[..SIDES].iter().all(|at| *at != NONE)
            })
        };
        let rank: HashMap<u32, usize> = on_both(FROM).enumerate().map(|(i, slot)| (slot, i)).collect();
        let ranks: Vec<usize> = on_both(TO).filter_map(|slot| rank.get(&slot).copied()).collect();
        let stay: HashSet<usize> = crate::order::longest_ascending(&ranks).into_iter().collect();
        moved.extend(on_both(TO).filter(|slot| rank.get(slot).is_some_and(|r| !stay.contains(r))));
    }
    moved
}

/// The place of a slot in its list, in words.
fn place(alignment: &Alignment<'_>, slot: u32, side: usize) -> String {
    let group = alignment.slots[slot as usize].group;
    let at = alignment.slot_of[side]
        .iter()
        .filter(|s| alignment.slots[**s as usize].group == group)
        .position(|s| *s == slot)
        .map_or(0, |at| at + 1);
    format!("place {at}")
}
