//! `syncline/scope.toml` of a repository: what is managed.

use sha2::{Digest, Sha256};
use syncline_domain::config::ConfigError;
use syncline_domain::pattern::glob;
use syncline_domain::scope::{FILE, Scope};
use syncline_git::Repository;
use syncline_metadata::component::ComponentId;
use syncline_metadata::table::registry::Registry;

use crate::config::{self, ReadConfigError};
use crate::wire::hex;

/// The scope cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ScopeError {
    /// The file is wrong; the first mistake in its order.
    #[error(transparent)]
    Wrong(#[from] ConfigError),
    /// The file cannot be read.
    #[error(transparent)]
    Read(#[from] ReadConfigError),
}

/// What is managed, with the digest of the text that says so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Managed {
    /// What is managed.
    pub scope: Scope,
    /// Two scopes of one digest manage the same.
    pub digest: String,
}

/// The scope of a repository: the file of the working tree, else that of HEAD, else everything.
pub fn read(repository: &Repository) -> Result<Managed, ScopeError> {
    let text = config::read_file(repository, FILE)?.unwrap_or_default();
    let scope = Scope::check(&text).map_err(|mut errors| errors.swap_remove(0))?;
    Ok(Managed::new(scope))
}

impl Managed {
    /// A scope with its digest: of what it says, so that a remark in the file changes nothing.
    fn new(scope: Scope) -> Self {
        let lists = [&scope.types, &scope.exclude_types, &scope.namespaces];
        let mut text = String::new();
        for list in lists {
            text.push_str(&list.join(" "));
            text.push('\n');
        }
        for patterns in [&scope.names, &scope.exclude] {
            text.extend(patterns.iter().map(|pattern| format!("{pattern}\n")));
            text.push('\n');
        }
        Self {
            digest: hex(&Sha256::digest(text.as_bytes())[..16]),
            scope,
        }
    }

    /// Whether a component is managed. A child is with its parent, unless it is excluded itself.
    pub fn has(&self, id: &ComponentId) -> bool {
        let scope = &self.scope;
        if scope.has(id) {
            return true;
        }
        let excluded = scope.exclude.iter().any(|pattern| pattern.matches(id))
            || scope.exclude_types.iter().any(|pattern| glob(pattern, &id.type_name));
        let parent = Registry::standard().child(&id.type_name).map(|(parent, _)| parent.name);
        let Some((parent, (name, _))) = parent.zip(id.full_name.split_once('.')) else {
            return false;
        };
        !excluded && scope.has(&ComponentId::new(parent, name))
    }

    /// Whether components of this managed package are managed.
    pub fn has_package(&self, namespace: &str) -> bool {
        self.scope.namespaces.iter().any(|pattern| glob(pattern, namespace))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_are_with_their_parents() {
        let text = "types = [\"CustomObject\"]\nexclude = [\"CustomField:*.Old__c\", \"CustomObject:Tmp__c\"]\n";
        let managed = Managed::new(Scope::check(text).expect("a scope"));
        let remarked = Managed::new(Scope::check(&format!("# why\n{text}")).expect("a scope"));
        assert_eq!(managed.digest, remarked.digest);
        assert_ne!(managed.digest, Managed::new(Scope::default()).digest);
        let check = |id: &str, expect: bool| assert_eq!(managed.has(&id.parse().expect("an id")), expect, "{id}");
        check("CustomObject:Fee__c", true);
        check("CustomField:Fee__c.Rate__c", true);
        check("CustomField:Fee__c.Old__c", false);
        check("CustomField:Tmp__c.Rate__c", false);
        check("ApexClass:Tax", false);
    }
}
