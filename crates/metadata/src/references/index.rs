//! The references of a repository: what a component needs, what needs it, and what a selection pulls in.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{Reference, ReferenceKind};
use crate::component::ComponentId;

/// References by component, in both directions.
#[derive(Clone, Debug, Default)]
pub struct ReferenceIndex {
    needs: BTreeMap<ComponentId, Vec<Reference>>,
    needed_by: BTreeMap<ComponentId, BTreeSet<ComponentId>>,
}

/// A component that a selection cannot do without.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PulledIn {
    /// What is needed.
    pub component: ComponentId,
    /// What needs it, each with the rule that says so; the first is the one that pulled it in.
    pub because: Vec<(ComponentId, Box<str>)>,
}

impl ReferenceIndex {
    /// Reads the references of all components. A component of several files may come several times.
    pub fn build(references: impl IntoIterator<Item = (ComponentId, Vec<Reference>)>) -> Self {
        let mut index = Self::default();
        for (component, found) in references {
            for reference in &found {
                index
                    .needed_by
                    .entry(reference.to.clone())
                    .or_default()
                    .insert(component.clone());
            }
            index.needs.entry(component).or_default().extend(found);
        }
        index
    }

    /// What a component names, in the order of its files; empty for an unknown component.
    pub fn needs(&self, component: &ComponentId) -> &[Reference] {
        self.needs.get(component).map_or(&[], Vec::as_slice)
    }

    /// The components that name this one, in order of their names.
    pub fn needed_by(&self, component: &ComponentId) -> impl Iterator<Item = &ComponentId> {
        self.needed_by.get(component).into_iter().flatten()
    }

    /// What a selection needs besides itself, nearest first.
    ///
    /// Follows what is required, and candidates, as far as it `exists` on the side the selection comes from and
    /// is not `already_there` on the other side. The order is that of the selection and of the files: the same
    /// input gives the same answer.
    pub fn closure(
        &self,
        selection: &[ComponentId],
        exists: &dyn Fn(&ComponentId) -> bool,
        already_there: &dyn Fn(&ComponentId) -> bool,
    ) -> Vec<PulledIn> {
        let selected: BTreeSet<&ComponentId> = selection.iter().collect();
        let mut pulled: Vec<PulledIn> = Vec::new();
        let mut position: BTreeMap<&ComponentId, usize> = BTreeMap::new();
        let mut refused: BTreeSet<&ComponentId> = BTreeSet::new();
        let mut open: VecDeque<&ComponentId> = VecDeque::new();
        let mut seen = BTreeSet::new();
        open.extend(selection.iter().filter(|component| seen.insert(*component)));
        while let Some(component) = open.pop_front() {
            for reference in self.needs(component) {
                let to = &reference.to;
                if reference.kind == ReferenceKind::Optional || selected.contains(to) || refused.contains(to) {
                    continue;
                }
                let because = (component.clone(), reference.via.clone());
                if let Some(at) = position.get(to) {
                    let known = &mut pulled[*at].because;
                    if !known.contains(&because) {
                        known.push(because);
                    }
                } else if exists(to) && !already_there(to) {
                    position.insert(to, pulled.len());
                    pulled.push(PulledIn {
                        component: to.clone(),
                        because: vec![because],
                    });
                    open.push_back(to);
                } else {
                    refused.insert(to);
                }
            }
        }
        pulled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> ComponentId {
        text.parse().unwrap()
    }

    /// `a>b` required, `a?b` candidate, `a-b` optional.
    fn index(edges: &str) -> ReferenceIndex {
        ReferenceIndex::build(edges.split_whitespace().map(|edge| {
            let at = edge.find(['>', '?', '-']).unwrap();
            let kind = match &edge[at..=at] {
                ">" => ReferenceKind::Required,
                "?" => ReferenceKind::Candidate,
                _ => ReferenceKind::Optional,
            };
            let to = id(&format!("T:{}", &edge[at + 1..]));
            let found = Reference {
                to,
                kind,
                range: 0..0,
                via: "x".into(),
            };
            (id(&format!("T:{}", &edge[..at])), vec![found])
        }))
    }

    fn check(edges: &str, selection: &str, missing: &str, there: &str, expect: &str) {
        let selection: Vec<ComponentId> = selection.split_whitespace().map(|s| id(&format!("T:{s}"))).collect();
        let within = |list: &str, c: &ComponentId| list.split_whitespace().any(|name| *name == *c.full_name);
        let pulled = index(edges).closure(&selection, &|c| !within(missing, c), &|c| within(there, c));
        let told: Vec<String> = pulled
            .iter()
            .map(|p| {
                let because: Vec<&str> = p.because.iter().map(|(c, _)| c.full_name.as_ref()).collect();
                format!("{}<{}", p.component.full_name, because.join(","))
            })
            .collect();
        assert_eq!(told.join(" "), expect);
    }

    #[test]
    fn closure() {
        check("a>b b>c c>a", "a", "", "", "b<a c<b");
        check("a>b a>c b>d c>d", "a", "", "", "b<a c<a d<b,c");
        check("a>b a>b", "a", "", "", "b<a");
        check("a>b b>c", "a", "", "b", "");
        check("a>b a?c a-d", "a", "b", "", "c<a");
        check("a>b b>c", "a c a", "", "", "b<a");
        check("a>b", "x", "", "", "");
    }

    #[test]
    fn both_directions() {
        let index = index("a>b c-b");
        let users: Vec<&str> = index.needed_by(&id("T:b")).map(|c| c.full_name.as_ref()).collect();
        assert_eq!(users, ["a", "c"]);
        assert_eq!(index.needs(&id("T:a")).len(), 1);
        assert!(index.needs(&id("T:q")).is_empty());
    }
}
