//! The name of a component: its type and its full name, as the Metadata API writes them.

use std::fmt;
use std::str::FromStr;

/// A component's identity, `CustomField:Account.Rating__c`.
///
/// The path of a file is not part of it: a component keeps its identity when its file moves
/// from one package directory to another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ComponentId {
    /// Metadata API type, for example `CustomField`.
    pub type_name: Box<str>,
    /// Full name as in package.xml, percent-decoded, for example `Account.Rating__c`.
    pub full_name: Box<str>,
}

impl ComponentId {
    /// Names a component.
    pub fn new(type_name: impl Into<Box<str>>, full_name: impl Into<Box<str>>) -> Self {
        Self {
            type_name: type_name.into(),
            full_name: full_name.into(),
        }
    }
}

impl fmt::Display for ComponentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.type_name, self.full_name)
    }
}

/// The text is not `Type:FullName`.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a component; write `Type:FullName`, for example `CustomField:Account.Rating__c`")]
pub struct ComponentIdError(String);

impl FromStr for ComponentId {
    type Err = ComponentIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            Some((type_name, full_name)) if !type_name.is_empty() && !full_name.is_empty() => {
                Ok(Self::new(type_name, full_name))
            }
            _ => Err(ComponentIdError(text.to_owned())),
        }
    }
}
