//! Which components come in which retrieve.

use std::collections::{BTreeMap, BTreeSet};

use syncline_metadata::table::registry::{Adapter, Registry};

use super::access::{ACCESS, tells_about};
use super::inventory::Inventory;

/// Entries of one retrieve that we plan for; the platform's limit is 10,000 files and folders, and our counts are estimates.
pub const MOST: usize = 8_000;

/// Types that tell only about components that are retrieved with them: they come in every retrieve, and their parts are united.
pub const DEPENDENT: &[&str] = &["Profile", "PermissionSet", "MutingPermissionSet", "Translations"];

/// Files that a component of several files is counted as.
const BUNDLE: usize = 10;

/// The members of one retrieve by type.
pub type Chunk = BTreeMap<String, BTreeSet<String>>;

/// A component of an org with when it changed.
pub type Part = (String, String);

/// The retrieves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// One retrieve each.
    pub chunks: Vec<Chunk>,
    /// Components that are not retrieved, since they have not changed.
    pub unchanged: BTreeSet<Part>,
    /// Known components that are gone from a complete list.
    pub gone: BTreeSet<Part>,
}

/// What was known after the last retrieve: when each component, and each child that comes with one, changed.
pub type KnownDates = BTreeMap<Part, String>;

/// Plans the retrieves of everything in the inventory, or of what changed since the known state.
///
/// A component without a date that can be trusted is always retrieved, and one of whose children one has changed, come or gone.
/// A profile or permission set tells only about components that are retrieved with it: where one has changed, all that it may tell
/// about are. A component is gone only when the list is complete, its type could be listed, and it is not in it. `most` is the most
/// entries of one retrieve, [`MOST`] for Salesforce.
pub fn plan(inventory: &Inventory, known: Option<&KnownDates>, most: usize) -> Plan {
    let mut made = Plan::default();
    let mut dependent = Chunk::new();
    let mut others: Vec<(&str, &str)> = Vec::new();
    let parents = known.map(|known| changed_inside(inventory, known)).unwrap_or_default();
    let opened = known.is_some_and(|known| access_changed(inventory, known));
    for ((type_name, full_name), row) in &inventory.components {
        let part = (type_name.clone(), full_name.clone());
        if DEPENDENT.contains(&type_name.as_str()) {
            dependent
                .entry(type_name.clone())
                .or_default()
                .insert(full_name.clone());
            continue;
        }
        let date = trusted_date(type_name, row.last_modified_date.as_deref(), full_name);
        match (known.and_then(|known| known.get(&part)), date) {
            (Some(before), Some(now))
                if before == now && !parents.contains(&part) && !(opened && tells_about(type_name)) =>
            {
                made.unchanged.insert(part);
            }
            _ => others.push((type_name, full_name)),
        }
    }
    if let Some(known) = known.filter(|_| inventory.complete) {
        made.gone = known
            .keys()
            .filter(|part| !inventory.components.contains_key(*part) && !inventory.refused.contains_key(&part.0))
            .filter(|part| parent(part).is_none())
            .cloned()
            .collect();
    }
    made.chunks = chunks(&dependent, &others, most);
    made
}

/// The component that a child comes with; none for what is no child.
fn parent((type_name, full_name): &Part) -> Option<Part> {
    let (parent, _) = Registry::standard().child(type_name)?;
    let (owner, _) = full_name.split_once('.')?;
    Some((parent.name.to_owned(), owner.to_owned()))
}

/// Components of which a child has changed, come or gone.
fn changed_inside(inventory: &Inventory, known: &KnownDates) -> BTreeSet<Part> {
    let news = inventory.children.iter().filter_map(|(child, row)| {
        let date = trusted_date(&child.0, row.last_modified_date.as_deref(), &child.1);
        let same = date.is_some() && known.get(child).map(String::as_str) == date;
        (!same).then_some(child)
    });
    let gone = known.keys().filter(|child| !inventory.children.contains_key(*child));
    news.chain(gone).filter_map(parent).collect()
}

/// Whether a profile or permission set was changed, came or has no date that tells.
fn access_changed(inventory: &Inventory, known: &KnownDates) -> bool {
    let mut all = inventory
        .components
        .iter()
        .filter(|((kind, _), _)| ACCESS.contains(&kind.as_str()));
    all.any(|(part, row)| {
        let date = trusted_date(&part.0, row.last_modified_date.as_deref(), &part.1);
        date.is_some_and(|date| known.get(part).map(String::as_str) != Some(date))
    })
}

/// The date of a component, where it means something (Metadata API Developer Guide, "FileProperties", and what real orgs list).
pub fn trusted_date<'a>(type_name: &str, date: Option<&'a str>, full_name: &str) -> Option<&'a str> {
    let standard_object = type_name == "CustomObject" && !full_name.ends_with("__c") && !full_name.contains("__");
    let date = date.filter(|date| !date.is_empty() && !date.starts_with("1970-01-01"));
    date.filter(|_| !standard_object && !syncline_metadata::table::dates::untrusted(type_name))
}

fn chunks(dependent: &Chunk, others: &[(&str, &str)], most: usize) -> Vec<Chunk> {
    let base: usize = dependent.values().map(|members| members.len() + 1).sum();
    // All about as large, so that they take about as long.
    let types = others.iter().map(|(type_name, _)| *type_name).collect::<BTreeSet<_>>();
    let all = others.iter().map(|(type_name, _)| cost(type_name)).sum::<usize>() + types.len();
    let parts = all.div_ceil(most.saturating_sub(base).max(1)).max(1);
    let most = most.min(base + all.div_ceil(parts) + types.len() + BUNDLE);
    let mut chunks = Vec::new();
    let mut chunk = dependent.clone();
    let mut entries = base;
    for (type_name, full_name) in others {
        let folder = |chunk: &Chunk| usize::from(!chunk.contains_key(*type_name));
        if entries + cost(type_name) + folder(&chunk) > most && entries > base {
            chunks.push(std::mem::replace(&mut chunk, dependent.clone()));
            entries = base;
        }
        entries += cost(type_name) + folder(&chunk);
        chunk
            .entry((*type_name).to_owned())
            .or_default()
            .insert((*full_name).to_owned());
    }
    if !chunk.is_empty() {
        chunks.push(chunk);
    }
    chunks
}

/// Two parts of a chunk that was too large after all; `None` when it cannot be parted.
pub(super) fn halves(chunk: &Chunk) -> Option<[Chunk; 2]> {
    let (dependent, others): (Chunk, Chunk) = chunk
        .clone()
        .into_iter()
        .partition(|(type_name, _)| DEPENDENT.contains(&type_name.as_str()));
    let members: Vec<(&str, &str)> = others
        .iter()
        .flat_map(|(name, members)| members.iter().map(move |member| (name.as_str(), member.as_str())))
        .collect();
    if members.len() < 2 {
        return None;
    }
    let part = |members: &[(&str, &str)]| chunks(&dependent, members, usize::MAX).into_iter().next();
    let (first, second) = members.split_at(members.len() / 2);
    Some([part(first)?, part(second)?])
}

/// Files and folders of a component, about.
fn cost(type_name: &str) -> usize {
    let adapter = Registry::standard().by_name(type_name).map(|kind| kind.adapter);
    match adapter {
        Some(Adapter::Xml | Adapter::Decomposed) | None => 1,
        Some(Adapter::MatchingContent) => 2,
        Some(Adapter::MixedContent) if ["StaticResource", "Document"].contains(&type_name) => 2,
        Some(_) => BUNDLE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use syncline_salesforce::metadata::FileProperties;

    fn inventory(rows: &[(&str, &str, &str)]) -> Inventory {
        let row = |(kind, name, date): &(&str, &str, &str)| {
            let properties = FileProperties {
                full_name: (*name).to_owned(),
                last_modified_date: Some((*date).to_owned()),
                ..FileProperties::default()
            };
            (((*kind).to_owned(), (*name).to_owned()), properties)
        };
        Inventory {
            components: rows.iter().map(row).collect(),
            complete: true,
            ..Inventory::default()
        }
    }

    fn part(kind: &str, name: &str) -> Part {
        (kind.to_owned(), name.to_owned())
    }

    const MARCH: &str = "2026-03-02T10:15:30.000Z";

    #[test]
    fn profiles_come_in_every_retrieve() {
        let names: Vec<String> = (0..9000).map(|n| format!("C{n}")).collect();
        let mut rows: Vec<(&str, &str, &str)> = names.iter().map(|name| ("ApexClass", name.as_str(), MARCH)).collect();
        rows.push(("Profile", "Admin", MARCH));
        let made = plan(&inventory(&rows), None, MOST);
        assert_eq!(made.chunks.len(), 3, "two files a class");
        let mut classes = BTreeSet::new();
        for chunk in &made.chunks {
            assert!(chunk["Profile"].contains("Admin"));
            assert!(chunk["ApexClass"].len() * 2 + 3 <= MOST);
            classes.extend(chunk["ApexClass"].iter().cloned());
        }
        assert_eq!(classes.len(), 9000);
    }

    #[test]
    fn only_what_changed_is_retrieved() {
        let now = inventory(&[
            ("ApexClass", "Same", MARCH),
            ("ApexClass", "Changed", "2026-04-01T00:00:00.000Z"),
            ("ApexClass", "New", MARCH),
            ("CustomObject", "Account", MARCH),
            ("CustomObject", "Fee__c", MARCH),
            ("OrgSettings", "Case", MARCH),
            ("Settings", "Case", MARCH),
            ("Layout", "NoDate", "1970-01-01T00:00:00.000Z"),
        ]);
        let known: KnownDates = [
            ("ApexClass", "Same"),
            ("ApexClass", "Changed"),
            ("ApexClass", "Gone"),
            ("CustomObject", "Account"),
            ("CustomObject", "Fee__c"),
            ("Settings", "Case"),
            ("Layout", "NoDate"),
        ]
        .iter()
        .map(|(kind, name)| (part(kind, name), MARCH.to_owned()))
        .collect();
        let made = plan(&now, Some(&known), MOST);
        assert_eq!(made.gone, BTreeSet::from([part("ApexClass", "Gone")]));
        assert_eq!(
            made.unchanged,
            BTreeSet::from([part("ApexClass", "Same"), part("CustomObject", "Fee__c")])
        );
        assert_eq!(made.chunks.len(), 1);
        assert!(
            made.chunks[0]["CustomObject"].contains("Account"),
            "its date means nothing"
        );
        assert!(made.chunks[0]["Settings"].contains("Case"), "their dates mean nothing");
    }

    #[test]
    fn a_child_tells_of_its_parent() {
        let check = |children: &[(&str, &str, &str)], expect: bool| {
            let mut now = inventory(&[("CustomObject", "Fee__c", MARCH), ("CustomObject", "Tax__c", MARCH)]);
            now.children = inventory(children).components;
            let known: KnownDates = [
                ("CustomObject", "Fee__c"),
                ("CustomObject", "Tax__c"),
                ("CustomField", "Fee__c.Rate__c"),
            ]
            .iter()
            .map(|(kind, name)| (part(kind, name), MARCH.to_owned()))
            .collect();
            let made = plan(&now, Some(&known), MOST);
            assert!(made.unchanged.contains(&part("CustomObject", "Tax__c")));
            assert_eq!(
                made.unchanged.contains(&part("CustomObject", "Fee__c")),
                expect,
                "{children:?}"
            );
            assert!(made.gone.is_empty(), "a child is no component of its own");
        };
        let rate = ("CustomField", "Fee__c.Rate__c", MARCH);
        check(&[rate], true);
        check(&[("CustomField", "Fee__c.Rate__c", "2026-04-01T00:00:00.000Z")], false);
        check(&[rate, ("ListView", "Fee__c.All", MARCH)], false);
        check(&[], false);
    }

    #[test]
    fn a_profile_that_changed_comes_with_all_that_it_tells_about() {
        let check = |date: &str, expect: &[&str]| {
            let now = inventory(&[
                ("ApexClass", "A", MARCH),
                ("Flow", "B", MARCH),
                ("RemoteSiteSetting", "C", MARCH),
                ("Profile", "Admin", date),
                ("PermissionSet", "P", MARCH),
            ]);
            let known = now.components.keys().map(|part| (part.clone(), MARCH.to_owned()));
            let made = plan(&now, Some(&known.collect()), MOST);
            let types: Vec<&str> = made.chunks[0].keys().map(String::as_str).collect();
            assert_eq!(types, expect, "{date}");
        };
        check(MARCH, &["PermissionSet", "Profile"]);
        // Its own date cannot be trusted: the next full snapshot tells.
        check("1970-01-01T00:00:00.000Z", &["PermissionSet", "Profile"]);
        check(
            "2026-04-01T00:00:00.000Z",
            &["ApexClass", "Flow", "PermissionSet", "Profile"],
        );
    }

    #[test]
    fn absence_from_an_incomplete_list_means_nothing() {
        let known: KnownDates = [
            (part("ApexClass", "A"), MARCH.to_owned()),
            (part("Flow", "B"), MARCH.to_owned()),
        ]
        .into();
        let mut now = inventory(&[]);
        now.refused.insert("Flow".to_owned(), "no".to_owned());
        assert_eq!(
            plan(&now, Some(&known), MOST).gone,
            BTreeSet::from([part("ApexClass", "A")])
        );
        now.complete = false;
        assert!(plan(&now, Some(&known), MOST).gone.is_empty());
    }

    #[test]
    fn a_chunk_is_halved_with_its_profiles() {
        let rows = inventory(&[("ApexClass", "A", MARCH), ("Flow", "B", MARCH), ("Profile", "P", MARCH)]);
        let [first, second] = halves(&plan(&rows, None, MOST).chunks[0]).expect("two members");
        assert_eq!(first.keys().collect::<Vec<_>>(), ["ApexClass", "Profile"]);
        assert_eq!(second.keys().collect::<Vec<_>>(), ["Flow", "Profile"]);
        assert_eq!(halves(&first), None);
    }
}
