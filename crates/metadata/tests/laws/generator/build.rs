//! Instances of real types, from the table.

use syncline_metadata::table::schema::{self, Holds};
use syncline_metadata::table::{Child, Type};

use super::{Body, Choices, Element, Form, Item, Model, Style, Tokens};

/// Root elements. The last one is unknown to the table.
const ROOTS: [&str; 24] = [
    "Profile",
    "PermissionSet",
    "CustomObject",
    "Layout",
    "FlexiPage",
    "Flow",
    "Package",
    "CustomLabels",
    "Translations",
    "Workflow",
    "ListView",
    "Report",
    "RecordType",
    "GlobalValueSet",
    "AssignmentRules",
    "LightningComponentBundle",
    "CustomObjectTranslation",
    "SharingRules",
    "CustomApplication",
    "QuickAction",
    "ApprovalProcess",
    "DuplicateRule",
    "CustomMetadata",
    "NoSuchType",
];

/// Plain elements; most types have them, the table need not know.
const PLAIN: [&str; 6] = ["label", "description", "active", "visible", "sortOrder", "fullName"];

/// Elements of types that the table does not know.
const UNKNOWN: [&str; 3] = ["alpha", "beta", "gamma"];

/// Ends of values that need care.
const ENDS: [&str; 12] = [
    "",
    "",
    "",
    "",
    " a & b",
    " <x>",
    " é\u{1F600}",
    " ]]>",
    " {!K1.Name}",
    " \"q\" 'r'",
    "\n  second line",
    " ",
];

const FORMULAS: [&str; 4] = ["1", "1 AND 2", "1 OR 2", "1 AND (2 OR 3)"];

impl Model {
    /// A document of one of the types.
    pub fn new(choices: &mut Choices<'_>, tokens: &mut Tokens) -> Self {
        let name = choices.pick(&ROOTS);
        let mut root = element(name, schema::get(name), choices, tokens, 0);
        let mut style = Style::default();
        if choices.one_in(3) {
            style = Style::any(choices);
        }
        let before = choices.one_in(12).then(|| tokens.fresh());
        if root.elements().next().is_none()
            && let Body::Items(items) = &mut root.body
        {
            items.push(Item::Element(Element::leaf("label", tokens.fresh())));
        }
        Self { root, style, before }
    }
}

/// An element with children.
pub(super) fn element(
    name: &str,
    ty: Option<&'static Type>,
    choices: &mut Choices<'_>,
    tokens: &mut Tokens,
    depth: usize,
) -> Element {
    let mut items = Vec::new();
    let known = |name: &str| ty.is_some_and(|t| t.child(name).is_some());
    for plain in PLAIN {
        if !known(plain) && choices.one_in(if depth == 0 { 3 } else { 6 }) {
            items.push(Item::Element(Element::leaf(plain, value(choices, tokens))));
        }
    }
    if ty.is_some_and(|t| t.name == "FlowConnector") {
        items.push(Item::Element(Element::leaf("targetReference", tokens.key(choices))));
    }
    match ty {
        Some(ty) => fill(ty, &mut items, choices, tokens, depth),
        None => {
            for _ in 0..choices.below(4) {
                items.push(Item::Element(unknown(choices, tokens, depth)));
            }
        }
    }
    if items.is_empty() && depth > 0 && choices.one_in(2) {
        items.push(Item::Element(Element::leaf("label", tokens.fresh())));
    }
    Element {
        name: name.to_owned(),
        ty,
        body: Body::Items(items),
        ..Element::leaf("", "")
    }
}

fn fill(ty: &'static Type, items: &mut Vec<Item>, choices: &mut Choices<'_>, tokens: &mut Tokens, depth: usize) {
    if let Some(index) = ty.index {
        items.push(Item::Element(Element::leaf(index, choices.below(4).to_string())));
    }
    for (formula, list) in &ty.units {
        if !choices.one_in(2) {
            continue;
        }
        let at = choices.below(items.len() + 1);
        items.insert(at, Item::Element(Element::leaf(formula, choices.pick(&FORMULAS))));
        if let Some(def) = ty.child(list) {
            for _ in 0..1 + choices.below(3) {
                items.push(Item::Element(child(def, choices, tokens, depth)));
            }
        }
    }
    if depth > 5 || ty.children.is_empty() {
        return;
    }
    let kinds = if depth == 0 {
        1 + choices.below(4)
    } else {
        choices.below(3)
    };
    for _ in 0..kinds {
        let def = &ty.children[choices.below(ty.children.len())];
        let there = items
            .iter()
            .any(|i| matches!(i, Item::Element(e) if e.name == def.name));
        let count = match (def.list, there) {
            (true, _) => 1 + choices.below(if depth == 0 { 5 } else { 3 }),
            (false, true) => 0,
            (false, false) => 1,
        };
        for _ in 0..count {
            items.push(Item::Element(child(def, choices, tokens, depth)));
        }
    }
}

/// An instance of a child that the table knows, with its key.
pub(super) fn child(def: &'static Child, choices: &mut Choices<'_>, tokens: &mut Tokens, depth: usize) -> Element {
    let mut made = match def.holds {
        Holds::Text => {
            let text = match def.generated {
                Some(prefix) if choices.one_in(2) => format!("{prefix}000000000{:03}", choices.below(9)),
                _ if def.list && !choices.one_in(3) => tokens.key(choices),
                _ => value(choices, tokens),
            };
            Element::leaf(def.name, text)
        }
        Holds::Complex(ty) => element(def.name, schema::get(ty), choices, tokens, depth + 1),
        Holds::Unknown => Element {
            name: def.name.to_owned(),
            ..unknown(choices, tokens, depth)
        },
    };
    for field in &def.key {
        set_key(&mut made, field, &tokens.key(choices));
    }
    made
}

/// Writes a key field: `@attribute`, `field` or `child/field`.
pub(super) fn set_key(element: &mut Element, field: &str, text: &str) {
    if let Some(name) = field.strip_prefix('@') {
        element.attributes.retain(|(n, _)| n != name);
        element.attributes.push((name.to_owned(), text.to_owned()));
        return;
    }
    let (name, rest) = match field.split_once('/') {
        Some((name, rest)) => (name, Some(rest)),
        None => (field, None),
    };
    if matches!(element.body, Body::Leaf(..)) {
        element.body = Body::Items(Vec::new());
    }
    let Body::Items(items) = &mut element.body else { return };
    let at = items
        .iter()
        .position(|i| matches!(i, Item::Element(e) if e.name == name));
    match rest {
        Some(rest) => {
            let at = at.unwrap_or_else(|| {
                let ty = element.ty.and_then(|t| t.child(name)).and_then(|c| match c.holds {
                    Holds::Complex(ty) => schema::get(ty),
                    Holds::Text | Holds::Unknown => None,
                });
                let inner = Element {
                    ty,
                    body: Body::Items(Vec::new()),
                    ..Element::leaf(name, "")
                };
                items.push(Item::Element(inner));
                items.len() - 1
            });
            if let Item::Element(inner) = &mut items[at] {
                set_key(inner, rest, text);
            }
        }
        None => {
            let leaf = Item::Element(Element::leaf(name, text));
            match at {
                Some(at) => items[at] = leaf,
                None => items.push(leaf),
            }
        }
    }
}

fn unknown(choices: &mut Choices<'_>, tokens: &mut Tokens, depth: usize) -> Element {
    let name = choices.pick(&UNKNOWN);
    if depth > 3 || !choices.one_in(3) {
        return Element::leaf(name, value(choices, tokens));
    }
    element(name, None, choices, tokens, depth + 1)
}

/// A value that mostly occurs once.
pub(super) fn value(choices: &mut Choices<'_>, tokens: &mut Tokens) -> String {
    match choices.below(12) {
        11 => "true".to_owned(),
        10 => "false".to_owned(),
        9 => String::new(),
        8 => " \n\t".to_owned(),
        7 => tokens.key(choices),
        _ => tokens.fresh() + choices.pick(&ENDS),
    }
}

/// A new instance of an element's child: one that the table knows, or any.
pub(super) fn any_child(
    ty: Option<&'static Type>,
    like: Option<&str>,
    choices: &mut Choices<'_>,
    tokens: &mut Tokens,
    depth: usize,
) -> Element {
    if let Some(def) = like.and_then(|name| ty?.child(name)) {
        return child(def, choices, tokens, depth);
    }
    match ty.filter(|ty| !ty.children.is_empty() && !choices.one_in(4)) {
        Some(ty) => child(&ty.children[choices.below(ty.children.len())], choices, tokens, depth),
        None if choices.one_in(3) => unknown(choices, tokens, depth),
        None => Element::leaf(choices.pick(&PLAIN), value(choices, tokens)),
    }
}

/// Elements inside each other, `levels` deep.
pub(super) fn deep(levels: usize, tokens: &mut Tokens) -> Element {
    let mut inner = Element::leaf("nest", tokens.fresh());
    for _ in 1..levels {
        inner = Element {
            body: Body::Items(vec![Item::Element(inner)]),
            ..Element::leaf("nest", "")
        };
    }
    inner
}

/// Another formula.
pub(super) fn formula(choices: &mut Choices<'_>) -> Body {
    Body::Leaf(choices.pick(&FORMULAS).to_owned(), Form::default())
}
