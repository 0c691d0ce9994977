//! `syncline/scope.toml`: which components are managed.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use syncline_metadata::component::ComponentId;
use syncline_metadata::table::registry::Registry;
use toml::Spanned;

use crate::config::{Checked, Code, ConfigError};
use crate::pattern::{ComponentPattern, glob};

/// Name of the file, from the root of the repository.
pub const FILE: &str = "syncline/scope.toml";

/// Which components are managed. The default is all that belong to no managed package.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Scope {
    /// Only these types; empty for all. `*` stands for any text.
    pub types: Vec<String>,
    /// Not these types.
    pub exclude_types: Vec<String>,
    /// Of the types that stand here only these components.
    pub names: Vec<ComponentPattern>,
    /// Not these components.
    pub exclude: Vec<ComponentPattern>,
    /// Components of these managed packages as well; `*` for all.
    pub namespaces: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    #[serde(default)]
    types: Vec<Spanned<String>>,
    #[serde(default)]
    exclude_types: Vec<Spanned<String>>,
    #[serde(default)]
    names: Vec<Spanned<ComponentPattern>>,
    #[serde(default)]
    exclude: Vec<Spanned<ComponentPattern>>,
    #[serde(default)]
    namespaces: Vec<String>,
}

impl Scope {
    /// Reads the text of the file, or tells all mistakes in its order, at least one.
    pub fn check(text: &str) -> Result<Self, Vec<ConfigError>> {
        let (mut checked, file) = Checked::read::<File>(FILE, text).map_err(|error| vec![error])?;
        for name in file.types.iter().chain(&file.exclude_types) {
            check_type(&mut checked, name.get_ref(), name.span());
        }
        for pattern in file.names.iter().chain(&file.exclude) {
            check_type(&mut checked, pattern.get_ref().type_name(), pattern.span());
        }
        let plain = |list: Vec<Spanned<String>>| list.into_iter().map(Spanned::into_inner).collect();
        let patterns = |list: Vec<Spanned<ComponentPattern>>| list.into_iter().map(Spanned::into_inner).collect();
        checked.finish()?;
        Ok(Self {
            types: plain(file.types),
            exclude_types: plain(file.exclude_types),
            names: patterns(file.names),
            exclude: patterns(file.exclude),
            namespaces: file.namespaces,
        })
    }

    /// Whether a type has managed components.
    pub fn has_type(&self, type_name: &str) -> bool {
        let any = |list: &[String]| list.iter().any(|pattern| glob(pattern, type_name));
        (self.types.is_empty() || any(&self.types)) && !any(&self.exclude_types)
    }

    /// Whether a component is managed.
    pub fn has(&self, id: &ComponentId) -> bool {
        let of_its_type: Vec<&ComponentPattern> = self
            .names
            .iter()
            .filter(|pattern| glob(pattern.type_name(), &id.type_name))
            .collect();
        let of_a_package =
            namespace_of(id).is_some_and(|namespace| !self.namespaces.iter().any(|p| glob(p, namespace)));
        self.has_type(&id.type_name)
            && (of_its_type.is_empty() || of_its_type.iter().any(|pattern| pattern.matches(id)))
            && !self.exclude.iter().any(|pattern| pattern.matches(id))
            && !of_a_package
    }
}

fn check_type(checked: &mut Checked<'_>, name: &str, at: std::ops::Range<usize>) {
    let registry = Registry::standard();
    if name.contains('*') || registry.by_name(name).is_some() || registry.child(name).is_some() {
        return;
    }
    let problem = format!("there is no metadata type `{name}`");
    checked.push(
        at,
        Code::Unknown,
        problem,
        "write it as in package.xml, for example `ApexClass` or `CustomField`",
    );
}

/// Endings behind `__` of names that are no names of their own. Source: Object Reference, "Custom Objects", and
/// Salesforce Help, "Custom Field Types".
const ENDINGS: [&str; 21] = [
    "c",
    "r",
    "e",
    "b",
    "x",
    "xo",
    "mdt",
    "kav",
    "ka",
    "pc",
    "pr",
    "s",
    "p",
    "hd",
    "chn",
    "Share",
    "History",
    "Feed",
    "Tag",
    "ChangeEvent",
    "voteStat",
];

/// The namespace of the managed package that a component comes from, by its name: `acme` of `Account.acme__Rating__c`.
/// A field of a package's object that has no prefix itself was added here.
pub fn namespace_of(id: &ComponentId) -> Option<&str> {
    let name: &str = &id.full_name;
    let own = match &*id.type_name {
        "Layout" => name.split_once('-').map_or(name, |(_, layout)| layout),
        "CustomObjectTranslation" => name.split_once('-').map_or(name, |(object, _)| object),
        _ => name.rsplit('/').next().unwrap_or(name),
    };
    let own = match &*id.type_name {
        "Layout" => own,
        // A record of custom metadata is of the package of its own name.
        _ => own.rsplit('.').next().unwrap_or(own),
    };
    let parts: Vec<&str> = own.split("__").collect();
    let is_prefix = |text: &str| {
        let letters: BTreeSet<bool> = text.chars().map(|c| c.is_ascii_alphanumeric() || c == '_').collect();
        text.len() <= 15 && text.starts_with(|c: char| c.is_ascii_alphabetic()) && !letters.contains(&false)
    };
    match parts.as_slice() {
        [first, second] if !ENDINGS.contains(second) && is_prefix(first) && !second.is_empty() => Some(first),
        [first, _, _, ..] if is_prefix(first) => Some(first),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn namespaces() {
        let check = |id: &str, expect: Option<&str>| assert_eq!(namespace_of(&id.parse().unwrap()), expect, "{id}");
        check("ApexClass:Billing", None);
        check("ApexClass:acme__Billing", Some("acme"));
        check("CustomObject:Invoice__c", None);
        check("CustomObject:acme__Invoice__c", Some("acme"));
        check("CustomObject:Invoice__ChangeEvent", None);
        check("CustomField:Account.acme__Rating__c", Some("acme"));
        check("CustomField:acme__Invoice__c.Rating__c", None);
        check("Layout:acme__Invoice__c-Our Layout", None);
        check("Layout:acme__Invoice__c-acme__Their Layout", Some("acme"));
        check("CustomObjectTranslation:acme__Invoice__c-de", Some("acme"));
        check("CustomMetadata:acme__Setting.Ours", None);
        check("Report:Folder/Top_Customers", None);
        check("Report:Folder/acme__Top", Some("acme"));
    }

    #[test]
    fn scopes() {
        let check = |text: &str, inside: &[&str], outside: &[&str]| {
            let scope = Scope::check(text).expect(text);
            for (list, expect) in [(inside, true), (outside, false)] {
                for id in list {
                    assert_eq!(scope.has(&id.parse().unwrap()), expect, "{text} {id}");
                }
            }
        };
        check("", &["ApexClass:A", "Profile:Admin"], &["ApexClass:acme__A"]);
        check(
            "types = [\"Apex*\"]",
            &["ApexClass:A", "ApexTrigger:T"],
            &["Profile:Admin"],
        );
        check("exclude-types = [\"Profile\"]", &["ApexClass:A"], &["Profile:Admin"]);
        check(
            "names = [\"ApexClass:Bill*\"]\nexclude = [\"*:*Test\"]",
            &["ApexClass:Billing", "Flow:Any"],
            &["ApexClass:Other", "ApexClass:BillTest", "Flow:MyTest"],
        );
        check(
            "namespaces = [\"acme\"]",
            &["ApexClass:acme__A"],
            &["ApexClass:other__A"],
        );
        check(
            "namespaces = [\"*\"]",
            &["ApexClass:acme__A", "ApexClass:other__A"],
            &[],
        );
    }

    #[test]
    fn mistakes() {
        let check = |text: &str, expect: &str| {
            let errors = Scope::check(text).expect_err(text);
            let shown: Vec<String> = errors.iter().map(ToString::to_string).collect();
            assert_eq!(shown.join("\n"), expect);
        };
        check(
            "types = [\n\"ApexClas\",\n\"Flow\"]\nnames = [\"Flo:A\"]",
            "syncline/scope.toml line 2: there is no metadata type `ApexClas`; write it as in package.xml, for example `ApexClass` or `CustomField`\n\
             syncline/scope.toml line 4: there is no metadata type `Flo`; write it as in package.xml, for example `ApexClass` or `CustomField`",
        );
        check(
            "exclude = [\"Flow\"]",
            "syncline/scope.toml line 1: `Flow` is not a component; write `Type:FullName`, for example `CustomField:Account.Rating__c`",
        );
    }
}
