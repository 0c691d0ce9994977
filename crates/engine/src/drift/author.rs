//! Who made a change in an org, and when: from source tracking, the org's list of components, and the setup audit trail.

use std::collections::HashMap;

use serde::Serialize;
use syncline_metadata::component::ComponentId;

use crate::org::retrieve::{Facts, TrailEntry};

/// Who changed a component last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Author {
    /// Name of the user.
    pub name: String,
    /// When, as the org tells it; empty where its date means nothing.
    pub at: String,
    /// What tells so.
    pub source: AuthorSource,
}

/// What tells who made a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AuthorSource {
    /// SourceMember.
    SourceTracking,
    /// `lastModifiedByName` of listMetadata.
    List,
    /// SetupAuditTrail, whose text names the component.
    AuditTrail,
}

/// Finds authors in the facts of a snapshot.
pub(super) struct Authors<'f> {
    members: HashMap<(&'f str, &'f str), Author>,
    listed: HashMap<(&'f str, &'f str), Author>,
    trail: &'f [TrailEntry],
    /// Entries of the trail by the words in them.
    words: HashMap<&'f str, Vec<usize>>,
}

impl<'f> Authors<'f> {
    pub(super) fn new(facts: Option<&'f Facts>) -> Self {
        let mut made = Self {
            members: HashMap::new(),
            listed: HashMap::new(),
            trail: &[],
            words: HashMap::new(),
        };
        let Some(facts) = facts else { return made };
        for member in facts.members.iter().flatten().filter(|member| !member.by.is_empty()) {
            let author = author(&member.by, &member.at, AuthorSource::SourceTracking);
            made.members.insert((&member.kind, &member.name), author);
        }
        for fact in facts.components.iter().filter(|fact| !fact.3.is_empty()) {
            made.listed
                .insert((&fact.0, &fact.1), author(&fact.3, &fact.2, AuthorSource::List));
        }
        made.trail = facts.trail.as_deref().unwrap_or_default();
        for (index, entry) in made.trail.iter().enumerate() {
            for word in words(&entry.display) {
                let entries = made.words.entry(word).or_default();
                if entries.last() != Some(&index) {
                    entries.push(index);
                }
            }
        }
        made
    }

    /// Who changed a component last; `gone`: who deleted it. What is not known of a child is asked of its parent.
    pub(super) fn of(&self, id: &ComponentId, gone: bool) -> Option<Author> {
        let key = (&*id.type_name, &*id.full_name);
        if let Some(author) = self.members.get(&key) {
            return Some(author.clone());
        }
        // The list tells nothing about what is not there any more.
        if let Some(author) = self.listed.get(&key).filter(|_| !gone) {
            return Some(author.clone());
        }
        if let Some(author) = self.in_trail(id) {
            return Some(author);
        }
        let (parent, _) = id.full_name.split_once('.')?;
        let parent = self.listed.get(&("CustomObject", parent));
        parent.cloned()
    }

    /// The newest entry of the trail that names the component.
    fn in_trail(&self, id: &ComponentId) -> Option<Author> {
        let name = id.full_name.rsplit(['.', '/']).next()?;
        let first = words(name).next()?;
        let entries = self.words.get(first)?;
        let found = entries
            .iter()
            .map(|index| &self.trail[*index])
            .find(|entry| has(&entry.display, name))?;
        (!found.by.is_empty()).then(|| author(&found.by, &found.at, AuthorSource::AuditTrail))
    }
}

fn author(name: &str, at: &str, source: AuthorSource) -> Author {
    Author {
        name: name.to_owned(),
        at: at.to_owned(),
        source,
    }
}

fn is_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c| !is_part(c)).filter(|word| !word.is_empty())
}

/// Whether a text has a name in it, with no other letter on either side.
fn has(text: &str, name: &str) -> bool {
    text.match_indices(name).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + name.len()..].chars().next();
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::org::retrieve::{Fact, Member};

    #[test]
    fn the_best_source_tells() {
        let entry = |by: &str, display: &str| TrailEntry {
            at: "2026-03-03T00:00:00.000+0000".to_owned(),
            by: by.to_owned(),
            display: display.to_owned(),
        };
        let facts = Facts {
            components: vec![
                Fact(
                    "ApexClass".into(),
                    "Tax".into(),
                    "2026-03-02T00:00:00.000Z".into(),
                    "Ada".into(),
                ),
                Fact("ApexClass".into(), "Fee".into(), String::new(), "Ada".into()),
                Fact("CustomObject".into(), "Fee__c".into(), String::new(), "Chi".into()),
            ],
            members: Some(vec![Member {
                kind: "ApexClass".into(),
                name: "Fee".into(),
                revision: 3,
                deleted: false,
                by_id: "005000000000001".into(),
                by: "Ben".into(),
                at: String::new(),
            }]),
            trail: Some(vec![
                entry("Dan", "Deleted ApexClass Taxes"),
                entry("Eve", "Deleted ApexClass Tax"),
                entry("Fay", "Changed custom field Rate__c on Fee"),
                entry("Gus", "Deleted ApexClass Tax"),
            ]),
            ..Facts::default()
        };
        let authors = Authors::new(Some(&facts));
        let check = |id: &str, gone: bool, expect: Option<(&str, AuthorSource)>| {
            let found = authors.of(&id.parse().expect("an id"), gone);
            let found = found.as_ref().map(|author| (author.name.as_str(), author.source));
            assert_eq!(found, expect, "{id}");
        };
        check("ApexClass:Tax", false, Some(("Ada", AuthorSource::List)));
        check("ApexClass:Tax", true, Some(("Eve", AuthorSource::AuditTrail)));
        check("ApexClass:Fee", false, Some(("Ben", AuthorSource::SourceTracking)));
        check(
            "CustomField:Fee__c.Rate__c",
            false,
            Some(("Fay", AuthorSource::AuditTrail)),
        );
        check("CustomField:Fee__c.Cap__c", false, Some(("Chi", AuthorSource::List)));
        check("ApexClass:None", false, None);
        assert!(
            Authors::new(None)
                .of(&"ApexClass:Tax".parse().expect("an id"), false)
                .is_none()
        );
    }
}
