//! The components that exist, found by name without regard to upper and lower case.

use std::collections::{BTreeSet, HashMap};

use crate::component::ComponentId;

/// The components of a repository, by type and name.
///
/// Apex, SOQL and formulas ignore ASCII case, so names are looked up without it and come back as their owner
/// writes them.
#[derive(Clone, Debug, Default)]
pub struct KnownNames {
    names: HashMap<Box<str>, HashMap<String, Box<str>>>,
    objects_by_field: HashMap<String, BTreeSet<Box<str>>>,
    by_last: HashMap<Box<str>, HashMap<String, BTreeSet<Box<str>>>>,
}

impl KnownNames {
    /// Reads the names of the components that exist.
    pub fn build<'c>(components: impl IntoIterator<Item = &'c ComponentId>) -> Self {
        let mut known = Self::default();
        for component in components {
            known.add(component);
        }
        known
    }

    /// Whether a component of that type has that name, ASCII case ignored.
    pub fn contains(&self, type_name: &str, full_name: &str) -> bool {
        self.named(type_name, full_name).is_some()
    }

    /// The full name as its owner writes it.
    pub fn named(&self, type_name: &str, full_name: &str) -> Option<&str> {
        self.names
            .get(type_name)?
            .get(&full_name.to_ascii_lowercase())
            .map(AsRef::as_ref)
    }

    /// The only object that has a custom field of that name; `None` when there is none or more than one.
    pub fn only_object_with(&self, field: &str) -> Option<&str> {
        only(self.objects_by_field.get(&field.to_ascii_lowercase())?)
    }

    /// The only component of a type in folders whose name behind the folder is that.
    pub fn only_in_folder(&self, type_name: &str, name: &str) -> Option<&str> {
        only(self.by_last.get(type_name)?.get(&name.to_ascii_lowercase())?)
    }

    fn add(&mut self, component: &ComponentId) {
        let ComponentId { type_name, full_name } = component;
        let lower = full_name.to_ascii_lowercase();
        if type_name.as_ref() == "CustomField"
            && let (Some((object, _)), Some((_, field))) = (full_name.split_once('.'), lower.split_once('.'))
        {
            self.objects_by_field
                .entry(field.to_owned())
                .or_default()
                .insert(object.into());
        }
        if let Some((_, last)) = lower.rsplit_once('/') {
            self.by_last
                .entry(type_name.clone())
                .or_default()
                .entry(last.to_owned())
                .or_default()
                .insert(full_name.clone());
        }
        self.names
            .entry(type_name.clone())
            .or_default()
            .insert(lower, full_name.clone());
    }
}

fn only(names: &BTreeSet<Box<str>>) -> Option<&str> {
    match names.len() {
        1 => names.first().map(AsRef::as_ref),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_without_case() {
        let components = [
            "CustomField:Boat__c.Price__c",
            "CustomField:Car__c.Price__c",
            "CustomField:Car__c.Door__c",
            "Report:F/Sales",
        ]
        .map(|text| text.parse::<ComponentId>().unwrap());
        let known = KnownNames::build(&components);
        assert_eq!(known.named("CustomField", "boat__C.price__c"), Some("Boat__c.Price__c"));
        assert_eq!(known.only_object_with("PRICE__c"), None);
        assert_eq!(known.only_object_with("door__c"), Some("Car__c"));
        assert_eq!(known.only_in_folder("Report", "sales"), Some("F/Sales"));
        assert!(!known.contains("Report", "Sales"));
    }
}
