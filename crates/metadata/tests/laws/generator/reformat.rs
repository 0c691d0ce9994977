//! The same content, written in another way.

use syncline_metadata::table::Order;

use super::{Body, Choices, Element, Form, Gap, Indent, Item, Model, Style};

impl Model {
    /// Another indentation, other quotes, line ends and escapes; the meaning and the order stay.
    #[must_use]
    pub fn reformatted(&self, choices: &mut Choices<'_>) -> Self {
        let mut copy = self.clone();
        copy.style = Style::any(choices);
        reformat(&mut copy.root, choices);
        copy
    }

    /// Lists without order, and elements of different names, in another order.
    #[must_use]
    pub fn reordered(&self, choices: &mut Choices<'_>) -> Self {
        let mut copy = self.clone();
        reorder(&mut copy.root, choices);
        copy
    }
}

impl Style {
    pub(super) fn any(choices: &mut Choices<'_>) -> Self {
        Self {
            indent: choices.pick(&[Indent::Two, Indent::Four, Indent::Tab, Indent::OneLine]),
            crlf: choices.one_in(2),
            bom: choices.one_in(3),
            single_quotes: choices.one_in(2),
            no_declaration: choices.one_in(4),
            no_last_break: choices.one_in(3),
        }
    }
}

fn reformat(e: &mut Element, choices: &mut Choices<'_>) {
    e.gap = choices.pick(&[Gap::Usual, Gap::Usual, Gap::EmptyLine, Gap::Deeper, Gap::None]);
    match &mut e.body {
        Body::Leaf(_, form) => *form = choices.pick(&[Form::Named, Form::Numbers, Form::Cdata]),
        Body::Items(items) => {
            for item in items {
                if let Item::Element(child) = item {
                    reformat(child, choices);
                }
            }
        }
    }
}

fn reorder(e: &mut Element, choices: &mut Choices<'_>) {
    let ty = e.ty;
    let Body::Items(items) = &mut e.body else { return };
    let mut names: Vec<String> = Vec::new();
    for item in items.iter_mut() {
        if let Item::Element(child) = item {
            reorder(child, choices);
            if !names.contains(&child.name) {
                names.push(child.name.clone());
            }
        }
    }
    if names.is_empty() || names.len() < items.len() && e.ty.is_none() {
        return;
    }
    // Sorted by a rank for each name; the items of an ordered list keep their order.
    let ranks: Vec<(String, usize)> = names.into_iter().map(|name| (name, choices.below(8))).collect();
    // A formula stays where it is beside the list whose items it numbers.
    let list = |name: &str| {
        let unit = ty.and_then(|ty| ty.units.iter().find(|(formula, _)| *formula == name));
        unit.map_or(name.to_owned(), |(_, list)| (*list).to_owned())
    };
    let rank = |item: &Item| match item {
        Item::Element(e) => {
            let name = list(&e.name);
            ranks.iter().find(|(n, _)| *n == name).map_or(0, |(_, rank)| *rank)
        }
        Item::Comment(_) | Item::Text(_) => 0,
    };
    items.sort_by_key(rank);
    let Some(ty) = ty else { return };
    for (name, _) in &ranks {
        // A list without order, turned round.
        let free = ty.child(name).is_some_and(|c| c.list && c.order == Order::None);
        let same: Vec<usize> = (0..items.len())
            .filter(|i| matches!(&items[*i], Item::Element(e) if e.name == *name))
            .collect();
        if free && ty.units.iter().all(|(_, list)| list != name) && choices.one_in(2) {
            let by = choices.below(same.len());
            for _ in 0..by {
                for pair in same.windows(2) {
                    items.swap(pair[0], pair[1]);
                }
            }
        }
    }
}
