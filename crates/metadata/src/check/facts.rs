//! Counts the values inside items that have no key: path and value, however often each document has them.

use std::collections::HashMap;

use super::compare::{Compare, Four, Group, key_of, step};
use super::rule::{beyond, miscounted};
use super::tree::Node;
use super::{Problem, Violation};
use crate::path::{Selector, Step};
use crate::table::schema::Order;

/// How often each document has the items of one meaning.
type Meanings = HashMap<u32, Four<u32>>;

/// What is counted: a path without positions, and the value there.
#[derive(Default)]
struct Facts {
    counts: HashMap<(String, String), (Vec<Step>, Four<u32>)>,
    /// Items by path: how often each document has those of one meaning.
    items: HashMap<String, (Vec<Step>, Meanings)>,
    /// Items of ordered lists by path, in document order.
    orders: HashMap<String, Sequence>,
    tokens: HashMap<String, u32>,
}

/// Compares the items of `group` by the values inside them.
pub(super) fn check(compare: &Compare<'_>, path: &[Step], group: &Group<'_, '_>) -> Result<(), Violation> {
    let mut facts = Facts::default();
    for (side, nodes) in group.iter().enumerate() {
        for node in nodes {
            facts.node(side, node, &mut path.to_vec());
        }
    }
    let values = facts.counts.into_iter();
    let values = values.filter_map(|(name, (path, counts))| Some((name, path, miscounted(&counts)?)));
    let items = facts.items.into_iter();
    let items = items.filter_map(|(name, (path, ids))| Some(((name, String::new()), path, too_many_or_few(&ids)?)));
    let mut wrong: Vec<_> = values.chain(items).collect();
    wrong.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    for (_, path, problem) in wrong {
        if !compare.exempt(&path) {
            return Err(compare.violation(&path, problem));
        }
    }
    for (path, order, tokens) in facts.orders.into_values() {
        if let Some((last, parent)) = path.split_last() {
            compare.order(parent, &last.name, order, &tokens, false)?;
        }
    }
    Ok(())
}

/// What is wrong with the number of items of one path. The additions of both sides may be the same items, and so
/// may their deletions: then they count once.
fn too_many_or_few(ids: &Meanings) -> Option<Problem> {
    let sum = |of: &dyn Fn(&Four<u32>) -> u32| ids.values().map(of).sum::<u32>();
    let totals = [0, 1, 2, 3].map(|side: usize| sum(&|n| n[side]));
    let added = [1, 2].map(|side: usize| sum(&|n| n[side].saturating_sub(n[0])));
    let deleted = [1, 2].map(|side: usize| sum(&|n| n[0].saturating_sub(n[side])));
    let [base, ours, theirs, _] = totals;
    let shared = |n: [u32; 2]| n[0].min(n[1]);
    let fewest = (ours + theirs).saturating_sub(base + shared(added));
    let most = (ours + theirs + shared(deleted)).saturating_sub(base);
    beyond(&totals, &(fewest..=most))
}

/// A list's path, what its order means, and its items in each document.
type Sequence = (Vec<Step>, Order, Four<Vec<u32>>);

impl Facts {
    fn count(&mut self, side: usize, path: &[Step], name: &str, value: &str) {
        let key = (name.to_owned(), value.to_owned());
        self.counts.entry(key).or_insert_with(|| (path.to_vec(), [0; 4])).1[side] += 1;
    }

    fn node(&mut self, side: usize, node: &Node<'_>, path: &mut Vec<Step>) {
        let name = path.iter().map(|step| format!("/{step}")).collect::<String>();
        let Some(ty) = node.ty.filter(|ty| !ty.whole) else {
            return self.count(side, path, &name, &node.id.to_string());
        };
        let items = self.items.entry(name.clone());
        let (_, ids) = items.or_insert_with(|| (path.clone(), Meanings::new()));
        ids.entry(node.id).or_default()[side] += 1;
        if !node.text.is_empty() {
            self.count(side, path, &name, &format!("text {}", node.text));
        }
        for (attribute, value) in &node.attributes {
            path.push(step(
                &format!("@{}", attribute.rsplit(':').next().unwrap_or(attribute)),
                Selector::Only,
            ));
            self.count(side, path, &format!("{name}/@{attribute}"), value);
            path.pop();
        }
        let units: Vec<_> = ty.units.iter().filter(|(formula, _)| node.numbers(formula)).collect();
        for (formula, list) in &units {
            let parts = node.kids.iter().filter(|kid| kid.name == *formula || kid.name == *list);
            let value: String = parts.map(|kid| format!("{} ", kid.id)).collect();
            path.push(step(list, Selector::Only));
            self.count(side, path, &format!("{name}/{list}"), &value);
            path.pop();
        }
        for kid in &node.kids {
            if units
                .iter()
                .any(|(formula, list)| kid.name == *formula || kid.name == *list)
            {
                continue;
            }
            let child = ty.child(kid.name);
            let key = child.filter(|child| child.list).and_then(|child| {
                let key = key_of(kid, &child.key)?;
                child.proof.is_trusted().then_some(key)
            });
            let selector = match key {
                Some(key) => Selector::Key(key, 1),
                None if child.is_some_and(|child| child.list) => Selector::Position(1),
                None => Selector::Only,
            };
            if let Some(order) = child.map(|child| child.order).filter(|order| *order != Order::None) {
                let next = u32::try_from(self.tokens.len()).unwrap_or(u32::MAX);
                let token = match &selector {
                    Selector::Position(_) => kid.id.to_string(),
                    keyed => step("", keyed.clone()).to_string(),
                };
                let token = *self.tokens.entry(token).or_insert(next);
                path.push(step(kid.name, Selector::Only));
                let entry = self.orders.entry(format!("{name}/{}", kid.name));
                entry.or_insert_with(|| (path.clone(), order, Four::default())).2[side].push(token);
                path.pop();
            }
            path.push(step(kid.name, selector));
            self.node(side, kid, path);
            path.pop();
        }
    }
}
