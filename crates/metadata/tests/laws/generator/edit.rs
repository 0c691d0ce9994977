//! Random edits, as people and tools make them.

use super::build::{any_child, deep, formula, set_key, value};
use super::{Body, Choices, Element, Form, Gap, Item, Model, Style, Tokens};

impl Model {
    /// A copy with one to six edits. `hostile` edits put text beside elements and nest to the limit.
    #[must_use]
    pub fn edited(&self, choices: &mut Choices<'_>, tokens: &mut Tokens, hostile: bool) -> Self {
        let mut copy = self.clone();
        for _ in 0..1 + choices.below(6) {
            match choices.below(24) {
                23 => copy.style = Style::any(choices),
                22 => copy.before = choices.one_in(2).then(|| tokens.fresh()),
                _ => edit(&mut copy.root, &[], choices, tokens, hostile, 0),
            }
        }
        copy
    }
}

/// Changes an element of a list that has these key fields, or something inside it.
fn edit(
    element: &mut Element,
    keys: &[&str],
    choices: &mut Choices<'_>,
    tokens: &mut Tokens,
    hostile: bool,
    depth: usize,
) {
    let is_formula = |parent: &Element, name: &str| {
        parent
            .ty
            .is_some_and(|ty| ty.units.iter().any(|(formula, _)| *formula == name))
    };
    let formulas: Vec<bool> = element.elements().map(|e| is_formula(element, &e.name)).collect();
    let items = match &mut element.body {
        Body::Leaf(text, form) => {
            match choices.below(8) {
                7 => *form = choices.pick(&[Form::Named, Form::Numbers, Form::Cdata]),
                6 => *text = tokens.fresh() + " more",
                _ => *text = value(choices, tokens),
            }
            return;
        }
        Body::Items(items) => items,
    };
    let children: Vec<usize> = (0..items.len())
        .filter(|i| matches!(items[*i], Item::Element(_)))
        .collect();
    let nth = choices.below(children.len());
    if let Some(at) = children.get(nth)
        && choices.below(5) < 3
        && let Item::Element(child) = &mut items[*at]
    {
        let field = keys.iter().find(|k| k.split('/').next() == Some(&child.name));
        if formulas[nth] {
            child.body = formula(choices);
        } else if let Some(field) = field.filter(|_| choices.one_in(3)) {
            rename(element, field, choices, tokens);
        } else if field.is_none() {
            let keys = element
                .ty
                .and_then(|ty| ty.child(&child.name))
                .map_or(&[][..], |c| &c.key);
            edit(child, keys, choices, tokens, hostile, depth + 1);
        }
        return;
    }
    act(element, keys, nth, &children, choices, tokens, hostile, depth);
}

/// Changes the list of an element's children; `children[nth]` is the one that it is about.
#[expect(clippy::too_many_arguments, reason = "the state of one descent")]
fn act(
    element: &mut Element,
    keys: &[&str],
    nth: usize,
    children: &[usize],
    choices: &mut Choices<'_>,
    tokens: &mut Tokens,
    hostile: bool,
    depth: usize,
) {
    let ty = element.ty;
    let Body::Items(items) = &mut element.body else { return };
    let at = children.get(nth).copied();
    let name = at.and_then(|at| match &items[at] {
        Item::Element(e) => Some(e.name.clone()),
        Item::Comment(_) | Item::Text(_) => None,
    });
    let same: Vec<usize> = children
        .iter()
        .copied()
        .filter(|i| matches!(&items[*i], Item::Element(e) if Some(&e.name) == name.as_ref()))
        .collect();
    // An element without its key would be another one with the same values.
    let is_key = keys.iter().any(|k| k.split('/').next() == name.as_deref());
    match (choices.below(if hostile { 20 } else { 18 }), at) {
        (4..=6 | 10, _) if is_key => {}
        (0..=3, at) => {
            let new = any_child(ty, name.as_deref(), choices, tokens, depth);
            let place = match (at, choices.below(3)) {
                (Some(at), 0) => at + 1,
                (Some(at), 1) => at,
                _ => items.len(),
            };
            items.insert(place, Item::Element(new));
        }
        (4..=6, Some(at)) => {
            items.remove(at);
        }
        (7..=8, Some(at)) => {
            let to = same[choices.below(same.len())];
            let item = items.remove(at);
            items.insert(to, item);
        }
        (9, Some(at)) => {
            let item = items.remove(at);
            let to = choices.below(items.len() + 1);
            items.insert(to, item);
        }
        (10, Some(at)) => {
            let mut copy = items[at].clone();
            renew(&mut copy, tokens);
            items.insert(at + 1, copy);
        }
        (11, Some(at)) => items.insert(at, Item::Comment(tokens.fresh() + " note")),
        (12, _) => items.retain(|item| !matches!(item, Item::Comment(_))),
        (13, Some(at)) => {
            if let Item::Element(e) = &mut items[at] {
                let before = e.attributes.len();
                e.attributes.retain(|(n, _)| n != "xsi:nil");
                if e.attributes.len() == before {
                    e.attributes.push(("xsi:nil".into(), "true".into()));
                }
            }
        }
        (14, Some(at)) => {
            if let Item::Element(e) = &mut items[at] {
                e.gap = choices.pick(&[Gap::Usual, Gap::EmptyLine, Gap::None, Gap::Deeper]);
            }
        }
        (15, Some(_)) => {
            // The whole list the other way round.
            for i in 0..same.len() / 2 {
                items.swap(same[i], same[same.len() - 1 - i]);
            }
        }
        (16, Some(at)) => {
            let fields = name.and_then(|n| ty?.child(&n)).map(|c| c.key.clone());
            if let (Some(fields), Item::Element(e)) = (fields, &mut items[at])
                && let Some(field) = fields.first()
            {
                rename(e, field, choices, tokens);
            }
        }
        (17, _) => {
            let first = items.len().min(1);
            items.rotate_left(first);
        }
        (18, _) => items.push(Item::Element(deep(95 - depth, tokens))),
        // One on one side: two that come to stand side by side are a known gap, see `gaps`.
        (19, Some(at)) if tokens.tag == 'o' && !items.iter().any(|item| matches!(item, Item::Text(_))) => {
            items.insert(at, Item::Text(tokens.fresh()));
        }
        _ => {}
    }
}

/// Another key makes another thing of an element: it gets values of its own.
fn rename(element: &mut Element, field: &str, choices: &mut Choices<'_>, tokens: &mut Tokens) {
    set_key(element, field, &tokens.key(choices));
    renew_element(element, tokens);
}

/// Gives a copy values of its own; its keys stay.
fn renew(item: &mut Item, tokens: &mut Tokens) {
    match item {
        Item::Comment(text) | Item::Text(text) => *text = tokens.fresh(),
        Item::Element(e) => renew_element(e, tokens),
    }
}

fn renew_element(element: &mut Element, tokens: &mut Tokens) {
    match &mut element.body {
        Body::Leaf(text, _) if text.starts_with('v') => *text = tokens.fresh(),
        Body::Leaf(..) => {}
        Body::Items(items) => items.iter_mut().for_each(|item| renew(item, tokens)),
    }
}
