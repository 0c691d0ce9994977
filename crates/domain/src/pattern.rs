//! `Type:FullName` with wildcards: which components a rule is about.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use syncline_metadata::component::{ComponentId, ComponentIdError};

/// `Type:FullName`, where `*` stands for any text in either part.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ComponentPattern(ComponentId);

impl ComponentPattern {
    /// The type, with wildcards.
    pub fn type_name(&self) -> &str {
        &self.0.type_name
    }

    /// The full name, with wildcards.
    pub fn full_name(&self) -> &str {
        &self.0.full_name
    }

    /// Whether the component is one of those.
    pub fn matches(&self, id: &ComponentId) -> bool {
        glob(&self.0.type_name, &id.type_name) && glob(&self.0.full_name, &id.full_name)
    }
}

impl FromStr for ComponentPattern {
    type Err = ComponentIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

impl TryFrom<String> for ComponentPattern {
    type Error = ComponentIdError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<ComponentPattern> for String {
    fn from(pattern: ComponentPattern) -> Self {
        pattern.to_string()
    }
}

impl fmt::Display for ComponentPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Whether the text is as the pattern says, where `*` stands for any text.
pub fn glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        let check = |pattern: &str, id: &str, expect| {
            let pattern: ComponentPattern = pattern.parse().unwrap();
            assert_eq!(pattern.matches(&id.parse().unwrap()), expect, "{pattern} {id}");
        };
        check("Profile:Admin", "Profile:Admin", true);
        check("Profile:Admin", "Profile:Admin2", false);
        check("Profile:*", "Profile:Admin", true);
        check("Custom*:Account*", "CustomField:Account.X__c", true);
        check("CustomField:*.X__c", "CustomField:Account.X__c", true);
        check("CustomField:A*t.*c", "CustomField:Account.X__c", true);
        check("CustomField:A*a", "CustomField:A", false);
    }
}
