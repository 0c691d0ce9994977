//! Record ids of 15 and 18 characters, and the org id.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::{Error, Result};

/// A record id. It is kept with 18 characters; both forms are read, so that comparing works across fields that hold 15.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(String);

/// The id of an org (`00D…`).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OrgId(Id);

impl Id {
    /// All 18 characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first 15 characters, as some fields hold them (`SandboxProcess.SandboxOrganization`).
    pub fn short(&self) -> &str {
        &self.0[..15]
    }

    /// The three characters that tell the object.
    pub fn prefix(&self) -> &str {
        &self.0[..3]
    }
}

impl OrgId {
    /// The id as any other.
    pub fn id(&self) -> &Id {
        &self.0
    }

    /// All 18 characters.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl FromStr for Id {
    type Err = Error;

    /// Reads 15 or 18 characters; of 18 the last three are checked.
    fn from_str(text: &str) -> Result<Self> {
        let wrong = |why: &str| Error::argument(format!("`{text}` is no Salesforce id: {why}"));
        if !text.bytes().all(|byte| byte.is_ascii_alphanumeric()) || !matches!(text.len(), 15 | 18) {
            return Err(wrong("it has 15 or 18 letters and digits"));
        }
        let check = check_characters(&text.as_bytes()[..15]);
        if text.len() == 18 && !text[15..].eq_ignore_ascii_case(&check) {
            return Err(wrong("its last three characters do not fit the others"));
        }
        Ok(Self(format!("{}{check}", &text[..15])))
    }
}

impl FromStr for OrgId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let id: Id = text.parse()?;
        if id.prefix() != "00D" {
            return Err(Error::argument(format!(
                "`{text}` is no org id: it does not begin with 00D"
            )));
        }
        Ok(Self(id))
    }
}

/// Bit `i` of each group of five is set where character `i` is an upper-case letter.
fn check_characters(short: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";
    short
        .chunks(5)
        .map(|group| {
            let bits = group
                .iter()
                .enumerate()
                .filter(|(_, byte)| byte.is_ascii_uppercase())
                .fold(0, |bits, (index, _)| bits | 1 << index);
            char::from(ALPHABET[bits])
        })
        .collect()
}

macro_rules! as_text {
    ($type:ty) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?
                    .parse()
                    .map_err(serde::de::Error::custom)
            }
        }
    };
}

as_text!(Id);
as_text!(OrgId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fifteen_and_eighteen_are_the_same_id() {
        let check = |text: &str, expect: &str| assert_eq!(text.parse::<Id>().unwrap().as_str(), expect);
        check("001D000000IRt53", "001D000000IRt53IAD");
        check("001D000000IRt53IAD", "001D000000IRt53IAD");
        check("000000000000000", "000000000000000AAA");
        check("AAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAA555");
        assert_eq!("001D000000IRt53".parse::<Id>().unwrap().short(), "001D000000IRt53");
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for text in [
            "",
            "001",
            "001D000000IRt5!",
            "001D000000IRt53AAA",
            "001D000000IRt53IADx",
        ] {
            assert!(text.parse::<Id>().is_err(), "{text}");
        }
        assert!("001D000000IRt53".parse::<OrgId>().is_err());
        assert!("00DD000000IRt53".parse::<OrgId>().is_ok());
    }
}
