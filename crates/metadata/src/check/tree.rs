//! A document as nodes that carry their meaning as a number: equal number, equal meaning.

use std::collections::HashMap;
use std::ops::Range;

use roxmltree::{Document, NodeType};

use crate::table::schema::{self, Holds, Order, Type};

/// Name of a comment, as a child of an element.
pub(super) const COMMENT: &str = "#comment";

/// An element, or a comment.
pub(super) struct Node<'a> {
    /// Local name; `#comment`, `#text` and `#pi` for what is not an element.
    pub(super) name: &'a str,
    /// What its children are; `None` where the table does not say.
    pub(super) ty: Option<&'static Type>,
    /// Equal for nodes of equal meaning.
    pub(super) id: u32,
    /// Attributes by name, with their namespace.
    pub(super) attributes: Vec<(String, &'a str)>,
    /// Text, of an element without child elements.
    pub(super) text: String,
    /// Children in document order.
    pub(super) kids: Vec<Node<'a>>,
    /// The element as it is written.
    pub(super) source: &'a str,
    /// It holds its own place in a list, which a merge may number anew.
    pub(super) numbered: bool,
}

/// Gives equal things the same number.
#[derive(Default)]
pub(super) struct Ids(HashMap<Vec<u8>, u32>);

impl Ids {
    fn of(&mut self, shape: Vec<u8>) -> u32 {
        let next = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        *self.0.entry(shape).or_insert(next)
    }
}

/// The whole document as a node without a name: comments and the root element are its children.
pub(super) fn document<'a>(document: &'a Document<'_>, text: &'a str, ids: &mut Ids) -> Node<'a> {
    let root = document.root_element();
    let ty = schema::get(root.tag_name().name());
    let kids = document
        .root()
        .children()
        .filter_map(|n| node(n, ty, text, ids))
        .collect();
    finish(Node::new("", None, text), kids, ids)
}

impl<'a> Node<'a> {
    fn new(name: &'a str, ty: Option<&'static Type>, source: &'a str) -> Self {
        Node {
            name,
            ty,
            id: 0,
            attributes: Vec::new(),
            text: String::new(),
            kids: Vec::new(),
            source,
            numbered: false,
        }
    }

    /// Whether it is one value, never merged from parts.
    pub(super) fn is_whole(&self) -> bool {
        self.ty.is_none_or(|ty| ty.whole)
    }

    /// The only child element of that name.
    pub(super) fn child(&self, name: &str) -> Option<&Node<'a>> {
        self.kids.iter().find(|kid| kid.name == name)
    }

    /// The value of a key field: `a/b` reaches one level down, `@a` is an attribute.
    pub(super) fn field(&self, field: &str) -> Option<&str> {
        if let Some(attribute) = field.strip_prefix('@') {
            return self
                .attributes
                .iter()
                .find(|(name, _)| name == attribute)
                .map(|(_, value)| *value);
        }
        let kid = match field.split_once('/') {
            Some((outer, inner)) => return self.child(outer)?.field(inner),
            None => self.child(field)?,
        };
        kid.kids.is_empty().then_some(kid.text.trim())
    }

    /// Whether the formula `name` of this element names items by number.
    pub(super) fn numbers(&self, name: &str) -> bool {
        self.child(name)
            .is_some_and(|formula| formula.text.contains(|c: char| c.is_ascii_digit()))
    }
}

fn node<'a>(xml: roxmltree::Node<'a, '_>, ty: Option<&'static Type>, text: &'a str, ids: &mut Ids) -> Option<Node<'a>> {
    let Range { start, end } = xml.range();
    let source = text.get(start..end).unwrap_or_default();
    match xml.node_type() {
        NodeType::Root => None,
        NodeType::Comment | NodeType::PI => {
            let name = if xml.is_comment() { COMMENT } else { "#pi" };
            let mut made = Node::new(name, None, source);
            made.text = source.replace("\r\n", "\n");
            Some(finish(made, Vec::new(), ids))
        }
        NodeType::Text => {
            let content = xml.text().unwrap_or_default();
            if content.trim_ascii().is_empty() {
                return None;
            }
            let mut made = Node::new("#text", None, source);
            content.trim_ascii().clone_into(&mut made.text);
            Some(finish(made, Vec::new(), ids))
        }
        NodeType::Element => Some(element(xml, ty, source, text, ids)),
    }
}

fn element<'a>(
    xml: roxmltree::Node<'a, '_>,
    ty: Option<&'static Type>,
    source: &'a str,
    text: &'a str,
    ids: &mut Ids,
) -> Node<'a> {
    let mut made = Node::new(xml.tag_name().name(), ty, source);
    if let Some(namespace) = xml
        .tag_name()
        .namespace()
        .filter(|n| !n.ends_with("/soap.sforce.com/2006/04/metadata"))
    {
        made.attributes.push(("xmlns".to_owned(), namespace));
    }
    for attribute in xml.attributes() {
        let name = match attribute.namespace() {
            Some(namespace) => format!("{namespace}:{}", attribute.name()),
            None => attribute.name().to_owned(),
        };
        made.attributes.push((name, attribute.value()));
    }
    made.attributes.sort_unstable();
    // Text in an element that should hold elements is stray, whether or not it holds any.
    let is_leaf = ty.is_none_or(|ty| ty.whole) && !xml.children().any(|kid| kid.is_element());
    if is_leaf {
        made.text = xml
            .children()
            .filter(roxmltree::Node::is_text)
            .filter_map(|n| n.text())
            .collect();
        // An indented empty line is no value; blanks on one line are, unless elements belong there.
        if (ty.is_some() || made.text.contains('\n')) && made.text.trim_ascii().is_empty() {
            made.text.clear();
        }
    }
    let kids = xml
        .children()
        .filter(|kid| !(is_leaf && kid.is_text()))
        .filter_map(|kid| {
            let child = ty.and_then(|ty| ty.child(kid.tag_name().name()));
            let holds = match child.map(|child| child.holds) {
                Some(Holds::Complex(name)) => schema::get(name),
                _ => None,
            };
            let made_up = |value: &str| child.is_some_and(|child| child.is_generated(value));
            let value = kid.text().unwrap_or_default();
            let place = ty.is_some_and(|ty| ty.is_place(kid.tag_name().name(), value));
            if kid.is_element() && (place || made_up(value)) {
                // What the org makes up says nothing: any such value counts as the same.
                let mut silent = Node::new(kid.tag_name().name(), None, &text[kid.range()]);
                silent.numbered = place;
                return Some(finish(silent, Vec::new(), ids));
            }
            node(kid, holds, text, ids)
        })
        .collect();
    finish(made, kids, ids)
}

/// Sets the children and the number. The order of children counts where it means something:
/// in lists that have one, below formulas that name items by number, and among elements of one name where the table is silent.
fn finish<'a>(mut made: Node<'a>, kids: Vec<Node<'a>>, ids: &mut Ids) -> Node<'a> {
    made.numbered |= kids.iter().any(|kid| kid.numbered);
    made.kids = kids;
    let mut shape = Vec::new();
    let mut put = |text: &str| {
        shape.extend_from_slice(&(text.len() as u64).to_le_bytes());
        shape.extend_from_slice(text.as_bytes());
    };
    put(made.name);
    for (name, value) in &made.attributes {
        put(name);
        put(value);
    }
    put("");
    put(&made.text);
    let mut order: Vec<(&str, u32, u32)> = made.kids.iter().map(|kid| (kid.name, 0, kid.id)).collect();
    for (i, (name, position, _)) in order.iter_mut().enumerate() {
        let in_order = match made.ty {
            Some(ty) => {
                ty.child(name).is_none_or(|c| c.order != Order::None)
                    || ty
                        .units
                        .iter()
                        .any(|(formula, list)| list == name && made.numbers(formula))
            }
            None => true,
        };
        if in_order {
            *position = u32::try_from(i).unwrap_or(u32::MAX);
        }
    }
    order.sort_unstable();
    for (_, _, id) in order {
        shape.extend_from_slice(&id.to_le_bytes());
    }
    made.id = ids.of(shape);
    made
}
