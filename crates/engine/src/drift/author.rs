//! Who made a change in an org, as the facts of a snapshot tell it.

use std::collections::HashMap;

use syncline_domain::drift::{Attribution, LastModified, Member, TrailRow, attribute};
use syncline_domain::time::parse_instant;
use syncline_metadata::component::{ComponentId, child_at};
use syncline_metadata::path::ElementPath;
use syncline_metadata::table::registry::Registry;

use crate::org::retrieve::Facts;

/// Finds authors in the facts of a snapshot.
#[derive(Default)]
pub(super) struct Authors {
    members: HashMap<ComponentId, Member>,
    listed: HashMap<ComponentId, LastModified>,
    trail: Vec<TrailRow>,
    /// Rows of the trail by the words in them.
    words: HashMap<String, Vec<usize>>,
}

impl Authors {
    pub(super) fn new(facts: Option<&Facts>) -> Self {
        let mut made = Self::default();
        let Some(facts) = facts else { return made };
        for member in facts.members.iter().flatten().filter(|member| !member.by.is_empty()) {
            let known = Member {
                by: member.by.clone(),
                at: parse_instant(&member.at).unwrap_or_default(),
                deleted: member.deleted,
            };
            made.members
                .insert(ComponentId::new(member.kind.as_str(), member.name.as_str()), known);
        }
        let listed = facts.components.iter().chain(&facts.children);
        for fact in listed.filter(|fact| !fact.3.is_empty()) {
            if let Some(at) = parse_instant(&fact.2) {
                let by = fact.3.clone();
                made.listed.insert(
                    ComponentId::new(fact.0.as_str(), fact.1.as_str()),
                    LastModified { by, at },
                );
            }
        }
        for entry in facts.trail.iter().flatten().filter(|entry| !entry.by.is_empty()) {
            let Some(at) = parse_instant(&entry.at) else { continue };
            let index = made.trail.len();
            for word in words(&entry.display) {
                made.words.entry(word.to_owned()).or_default().push(index);
            }
            made.trail.push(TrailRow {
                by: entry.by.clone(),
                at,
                display: entry.display.clone(),
            });
        }
        made
    }

    /// Who changed an element last: a field or label is known by its own name, where anything is known of it.
    pub(super) fn of_element(&self, path: &ElementPath, gone: bool) -> Option<Attribution> {
        let child = child_at(Registry::standard(), path)?;
        attribute(
            &child,
            gone && path.steps.len() == 1,
            None,
            self.listed.get(&child),
            self.members.get(&child),
            &self.rows(&child),
        )
    }

    /// Who changed a component last; `gone`: who deleted it. What is not known of a child is asked of its parent.
    pub(super) fn of(&self, id: &ComponentId, gone: bool) -> Option<Attribution> {
        let rows = self.rows(id);
        attribute(id, gone, None, self.listed.get(id), self.members.get(id), &rows).or_else(|| {
            let (parent, _) = Registry::standard().child(&id.type_name)?;
            let parent = ComponentId::new(parent.name, id.full_name.split_once('.')?.0);
            attribute(
                &parent,
                false,
                None,
                self.listed.get(&parent),
                self.members.get(&parent),
                &[],
            )
        })
    }

    /// Rows of the trail that may be about a component.
    fn rows(&self, id: &ComponentId) -> Vec<TrailRow> {
        let own = id.full_name.rsplit(['.', '/']).next().unwrap_or(&id.full_name);
        let rows = words(own).next().and_then(|word| self.words.get(word));
        let mut rows: Vec<usize> = rows.into_iter().flatten().copied().collect();
        rows.dedup();
        rows.into_iter().map(|index| self.trail[index].clone()).collect()
    }
}

/// The words of a text without the ending of custom names.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.split(move |c| !is_part(c))
        .map(|word| word.strip_suffix("__c").unwrap_or(word))
        .filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::org::retrieve::{Fact, Member, TrailEntry};

    #[test]
    fn the_best_source_tells() {
        let entry = |by: &str, display: &str| TrailEntry {
            at: "2026-03-03T00:00:00.000+0000".to_owned(),
            by: by.to_owned(),
            display: display.to_owned(),
        };
        let date = "2026-03-02T00:00:00.000Z";
        let facts = Facts {
            components: vec![
                Fact("ApexClass".into(), "Tax".into(), date.into(), "Ada".into()),
                Fact("ApexClass".into(), "Fee".into(), String::new(), "Ada".into()),
                Fact("CustomObject".into(), "Fee__c".into(), date.into(), "Chi".into()),
            ],
            members: Some(vec![Member {
                kind: "ApexClass".into(),
                name: "Fee".into(),
                revision: 3,
                deleted: false,
                by_id: "005000000000001".into(),
                by: "Ben".into(),
                at: date.into(),
            }]),
            trail: Some(vec![
                entry("Dan", "Deleted ApexClass Taxes"),
                entry("Eve", "Deleted ApexClass Tax"),
                entry("Fay", "Changed custom field Rate on Fee"),
            ]),
            ..Facts::default()
        };
        let authors = Authors::new(Some(&facts));
        let check = |id: &str, gone: bool, expect: Option<&str>| {
            let found = authors.of(&id.parse().expect("an id"), gone);
            assert_eq!(found.as_ref().map(|author| author.by.as_str()), expect, "{id}");
        };
        check("ApexClass:Tax", false, Some("Ada"));
        check("ApexClass:Tax", true, Some("Eve"));
        check("ApexClass:Fee", false, Some("Ben"));
        check("CustomField:Fee__c.Rate__c", false, Some("Fay"));
        check("CustomField:Fee__c.Cap__c", false, Some("Chi"));
        check("ApexClass:None", false, None);
        let label = "CustomLabels:CustomLabels/labels[fullName=Rate]/value"
            .parse()
            .expect("a path");
        let found = authors.of_element(&label, false).map(|author| author.by);
        assert_eq!(found.as_deref(), Some("Fay"), "by its own name");
        let none = Authors::new(None);
        assert!(none.of(&"ApexClass:Tax".parse().expect("an id"), false).is_none());
    }
}
