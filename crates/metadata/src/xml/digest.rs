//! A number for the meaning of an element: equal numbers, equal meaning.

use xxhash_rust::xxh3::{Xxh3, xxh3_128};

use super::node::{attributes, content, elements, foreign_namespace, leaf_text};
use super::{Content, Node, node};
use crate::table::schema::Holds;
use crate::table::{Order, Type, schema};

/// 128 bits over the meaning of an element. Collisions by accident are out of reach; a made one
/// would be found by the self-check after a merge.
pub type Digest = u128;

/// Digest of one element. The order of unordered lists and of differently named siblings, white
/// space, quoting and the places of comments do not count.
pub fn digest(node: Node<'_, '_>, ty: Option<&'static Type>) -> Digest {
    let mut hash = Xxh3::new();
    feed(&mut hash, node.tag_name().name().as_bytes());
    feed(&mut hash, foreign_namespace(node).unwrap_or_default().as_bytes());
    for (name, value) in attributes(node) {
        feed(&mut hash, name.as_bytes());
        feed(&mut hash, value.as_bytes());
    }
    match content(node) {
        Content::Leaf => {
            hash.update(b"t");
            feed(&mut hash, leaf_text(node).as_bytes());
        }
        content if content == Content::Elements || ty.is_some() => {
            hash.update(b"e");
            // Comments and stray text between the elements of a known type, wherever they stand.
            let loose = node
                .children()
                .filter(|c| !c.is_element())
                .filter_map(|c| c.text())
                .map(str::trim);
            let sum = loose
                .filter(|text| !text.is_empty())
                .fold(0_u128, |sum, text| sum.wrapping_add(xxh3_128(text.as_bytes())));
            hash.update(&sum.to_le_bytes());
            for group in groups(node, ty) {
                hash.update(&group.to_le_bytes());
            }
        }
        _ => {
            hash.update(b"m");
            let mut raw = Vec::new();
            node::write_canonical(node, &mut raw);
            feed(&mut hash, &raw);
        }
    }
    hash.digest128()
}

/// Digest of elements in their order.
pub fn digest_all<'a, 'i: 'a>(nodes: impl Iterator<Item = (Node<'a, 'i>, Option<&'static Type>)>) -> Digest {
    let mut hash = Xxh3::new();
    for (node, ty) in nodes {
        hash.update(&digest(node, ty).to_le_bytes());
    }
    hash.digest128()
}

/// One digest for the children of each name, by name.
fn groups(parent: Node<'_, '_>, ty: Option<&'static Type>) -> Vec<Digest> {
    let mut all: Vec<(&str, Digest)> = elements(parent)
        .map(|child| (child.tag_name().name(), child))
        .filter(|(name, child)| !ty.is_some_and(|t| t.is_place(name, &leaf_text(*child))))
        .map(|(name, child)| {
            let made_up = ty
                .and_then(|t| t.child(name))
                .is_some_and(|c| c.is_generated(&leaf_text(child)));
            (
                name,
                if made_up {
                    0
                } else {
                    digest(child, child_type(ty, name))
                },
            )
        })
        .collect();
    all.sort_by_key(|(name, _)| *name);
    all.chunk_by(|a, b| a.0 == b.0)
        .map(|group| {
            // An unknown list may be ordered: fail closed.
            let ordered = ty
                .and_then(|t| t.child(group[0].0))
                .is_none_or(|c| c.order != Order::None);
            let mut hash = Xxh3::new();
            feed(&mut hash, group[0].0.as_bytes());
            if ordered {
                group.iter().for_each(|(_, d)| hash.update(&d.to_le_bytes()));
            } else {
                let sum = group.iter().fold(0_u128, |sum, (_, d)| sum.wrapping_add(*d));
                hash.update(&sum.to_le_bytes());
            }
            hash.digest128()
        })
        .collect()
}

/// The type of a child's content.
pub(crate) fn child_type(parent: Option<&'static Type>, name: &str) -> Option<&'static Type> {
    match parent?.child(name)?.holds {
        Holds::Complex(ty) => schema::get(ty),
        Holds::Text | Holds::Unknown => None,
    }
}

fn feed(hash: &mut Xxh3, bytes: &[u8]) {
    hash.update(&(bytes.len() as u64).to_le_bytes());
    hash.update(bytes);
}
