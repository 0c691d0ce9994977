//! The elements of each complex type: what they hold, which are lists, their keys and their order.
//!
//! Facts come from `table/schema.txt` (derived, see `table/README.md`) with `table/rules.txt`
//! (curated) on top. A type is parsed when it is first asked for, so a short-lived process pays
//! only for the types it meets.

use std::collections::HashMap;
use std::sync::{LazyLock, OnceLock};

/// One complex type, top-level or nested.
#[derive(Debug)]
pub struct Type {
    /// Name in the schema; for a top-level type also the root element's name.
    pub name: &'static str,
    /// Known children that are lists or hold a complex type. Others are plain single values.
    pub children: Vec<Child>,
    /// Formulas that name items of a list by number: `(formula element, list element)`.
    pub units: Vec<(&'static str, &'static str)>,
    /// The element is one value and never merged from parts.
    pub whole: bool,
    /// Groups of `element/key` whose values are used once in a document of this type.
    pub unique: Vec<Vec<(&'static str, &'static str)>>,
    /// Elements whose value is a secret.
    pub secrets: Vec<&'static str>,
    /// Pairs of elements that are two ways to say the same.
    pub either: Vec<(&'static str, &'static str)>,
    /// The element that holds an item's place in its list.
    pub index: Option<&'static str>,
}

/// A child element of a type.
#[derive(Clone, Debug)]
pub struct Child {
    /// Element name.
    pub name: &'static str,
    /// What it holds.
    pub holds: Holds,
    /// It may occur several times.
    pub list: bool,
    /// Key fields of the list's items; `a/b` reaches one level down, `@a` is an attribute.
    pub key: Vec<&'static str>,
    /// Element by which items without a key are looked for first.
    pub align: Option<&'static str>,
    /// What the order of the items means.
    pub order: Order,
    /// How well the key is proven.
    pub proof: Proof,
    /// Key prefix of record ids that the org makes up as the value.
    pub generated: Option<&'static str>,
    /// An item is nothing but its list of plain values.
    pub dissolves: bool,
}

/// What an element holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// Text.
    Text,
    /// Elements of this complex type.
    Complex(&'static str),
    /// Elements that no schema describes.
    Unknown,
}

/// What the order of a list's items means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Order {
    /// Nothing: the server sorts them.
    None,
    /// People chose it.
    Display,
    /// The platform works from top to bottom.
    Evaluation,
}

/// How well a list's key is proven (see `list-keys-provenance.json`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// By a tool that relies on it, by real files, or by both.
    Proven,
    /// By a guide of the platform.
    Guide,
    /// By the names of the fields only: used where the key is unique on all sides.
    Schema,
    /// Often repeated in real files: used where the key is unique on all sides.
    Weak,
    /// The list has no key.
    Nothing,
}

impl Proof {
    /// Whether the key may be used although it is not unique.
    pub fn is_trusted(self) -> bool {
        matches!(self, Self::Proven | Self::Guide)
    }
}

impl Child {
    /// Whether a value of this element is a record id that the org made up.
    pub fn is_generated(&self, value: &str) -> bool {
        self.generated.is_some_and(|prefix| value.starts_with(prefix)) && [15, 18].contains(&value.len())
    }
}

impl Type {
    /// The named child, when it is a list or complex.
    pub fn child(&self, name: &str) -> Option<&Child> {
        self.children
            .binary_search_by(|c| c.name.cmp(name))
            .ok()
            .map(|i| &self.children[i])
    }

    /// Whether a child of that name and value is nothing but the element's place in its list.
    pub fn is_place(&self, name: &str, value: &str) -> bool {
        self.index == Some(name) && value.trim().parse::<usize>().is_ok()
    }
}

/// The type of that name; `None` when the table does not know it.
pub fn get(name: &str) -> Option<&'static Type> {
    let block = BLOCKS.get(name)?;
    Some(block.parsed.get_or_init(|| parse(block)))
}

/// Names of all types, in no order.
pub fn names() -> impl Iterator<Item = &'static str> {
    BLOCKS.keys().copied()
}

struct Block {
    name: &'static str,
    texts: Vec<&'static str>,
    parsed: OnceLock<Type>,
}

static BLOCKS: LazyLock<HashMap<&'static str, Block>> = LazyLock::new(|| {
    let mut blocks = HashMap::with_capacity(2600);
    for source in [
        include_str!("../../table/schema.txt"),
        include_str!("../../table/rules.txt"),
    ] {
        for (name, text) in split(source) {
            blocks
                .entry(name)
                .or_insert_with(|| Block {
                    name,
                    texts: Vec::new(),
                    parsed: OnceLock::new(),
                })
                .texts
                .push(text);
        }
    }
    blocks
});

/// Cuts a table into `(type, lines)`.
fn split(source: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let body = match source.strip_prefix('[') {
        Some(body) => body,
        None => source.split_once("\n[").map_or("", |(_, body)| body),
    };
    body.split("\n[").filter_map(|block| block.split_once(']'))
}

fn parse(block: &Block) -> Type {
    let mut ty = Type {
        name: block.name,
        children: Vec::new(),
        units: Vec::new(),
        whole: false,
        unique: Vec::new(),
        secrets: Vec::new(),
        either: Vec::new(),
        index: None,
    };
    for line in block.texts.iter().flat_map(|text| text.lines()) {
        let mut words = line.split_ascii_whitespace();
        match words.next() {
            None => {}
            Some(first) if first.starts_with('#') => {}
            Some("!whole") => ty.whole = true,
            Some("!unit") => {
                if let (Some(formula), Some(list)) = (words.next(), words.next()) {
                    ty.units.push((formula, list));
                }
            }
            Some("!unique") => ty
                .unique
                .extend(words.map(|group| group.split(',').filter_map(|p| p.rsplit_once('/')).collect())),
            Some("!secret") => ty.secrets.extend(words),
            Some("!index") => ty.index = words.next(),
            Some("!either") => {
                if let (Some(one), Some(other)) = (words.next(), words.next()) {
                    ty.either.push((one, other));
                }
            }
            Some(name) => {
                let child = match ty.children.binary_search_by(|c| c.name.cmp(name)) {
                    Ok(i) => &mut ty.children[i],
                    Err(i) => {
                        ty.children.insert(i, Child::plain(name));
                        &mut ty.children[i]
                    }
                };
                child.update(words);
            }
        }
    }
    ty
}

impl Child {
    fn plain(name: &'static str) -> Self {
        Self {
            name,
            holds: Holds::Unknown,
            list: false,
            key: Vec::new(),
            align: None,
            order: Order::None,
            proof: Proof::Nothing,
            generated: None,
            dissolves: false,
        }
    }

    fn update(&mut self, mut words: impl Iterator<Item = &'static str>) {
        match words.next() {
            None | Some("=") => {}
            Some("-") => self.holds = Holds::Unknown,
            Some("text") => self.holds = Holds::Text,
            Some(ty) => self.holds = Holds::Complex(ty),
        }
        match words.next() {
            None | Some("=") => {}
            Some(count) => {
                self.list = count == "list";
                // People choose the order of plain values unless the table says otherwise.
                if self.list && self.holds == Holds::Text {
                    self.order = Order::Display;
                }
            }
        }
        for word in words {
            match word.split_once('=') {
                Some(("key", fields)) => self.key = fields.split(',').collect(),
                Some(("align", field)) => self.align = Some(field),
                Some(("generated", prefix)) => self.generated = Some(prefix),
                None if word == "dissolves" => self.dissolves = true,
                Some(("order", order)) => {
                    self.order = match order {
                        "display" => Order::Display,
                        "evaluation" => Order::Evaluation,
                        _ => Order::None,
                    };
                }
                Some(("proof", proof)) => {
                    self.proof = match proof {
                        "guide" => Proof::Guide,
                        "schema" => Proof::Schema,
                        "weak" => Proof::Weak,
                        "none" => Proof::Nothing,
                        _ => Proof::Proven,
                    };
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_understood() {
        for source in [
            include_str!("../../table/schema.txt"),
            include_str!("../../table/rules.txt"),
        ] {
            for line in source
                .lines()
                .filter(|l| !l.is_empty() && !l.starts_with(['#', '[', '!']))
            {
                let words: Vec<&str> = line.split_ascii_whitespace().collect();
                assert!(words.len() >= 3, "{line}");
                assert!(["one", "list", "="].contains(&words[2]), "{line}");
                for word in &words[3..] {
                    let known = match word.split_once('=') {
                        Some(("key" | "align" | "generated", value)) => !value.is_empty(),
                        Some(("order", value)) => ["none", "display", "evaluation"].contains(&value),
                        Some(("proof", value)) => [
                            "tool",
                            "corpus",
                            "tool+corpus",
                            "schema+corpus",
                            "legacy",
                            "guide",
                            "schema",
                            "weak",
                            "none",
                        ]
                        .contains(&value),
                        _ => ["repeats", "dissolves"].contains(word),
                    };
                    assert!(known, "{line}");
                }
            }
        }
    }

    #[test]
    fn complex_children_are_known_types() {
        for name in names() {
            for child in &get(name).unwrap().children {
                if let Holds::Complex(ty) = child.holds {
                    assert!(get(ty).is_some(), "{name}.{} holds {ty}", child.name);
                }
            }
        }
    }

    #[test]
    fn rules_lie_on_top_of_the_schema() {
        let decision = get("FlowDecision").unwrap();
        let rules = decision.child("rules").unwrap();
        assert_eq!(
            (rules.order, rules.key.as_slice(), rules.holds),
            (Order::Evaluation, &["name"][..], Holds::Complex("FlowRule"))
        );
        assert_eq!(get("FlowRule").unwrap().units, [("conditionLogic", "conditions")]);
        assert_eq!(
            get("PackageTypeMembers").unwrap().child("members").unwrap().order,
            Order::None
        );
        assert!(get("FlowElementReferenceOrValue").unwrap().whole);
        assert!(get("Flow").unwrap().unique[0].contains(&("decisions", "name")));
        assert!(get("NoSuchType").is_none());
    }
}
