//! API versions, as in 66.0.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};

/// A version of the API. Versions are whole numbers, written with `.0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApiVersion(pub u16);

impl ApiVersion {
    /// The oldest version that answers: 21 to 30 were retired in Summer '25.
    pub const OLDEST: Self = Self(31);
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.0", self.0)
    }
}

impl FromStr for ApiVersion {
    type Err = Error;

    /// Reads `66.0`, `66` and `v66.0`.
    fn from_str(text: &str) -> Result<Self> {
        let number = text.strip_prefix('v').unwrap_or(text);
        let number = number.strip_suffix(".0").unwrap_or(number);
        match number.parse().map(Self) {
            Ok(version) if version >= Self::OLDEST => Ok(version),
            Ok(_) => Err(Error::argument(format!(
                "API version {text} is retired; {} is the oldest",
                Self::OLDEST
            ))),
            Err(_) => Err(Error::argument(format!("`{text}` is no API version, as in 66.0"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        for text in ["66.0", "66", "v66.0"] {
            assert_eq!(text.parse::<ApiVersion>().unwrap(), ApiVersion(66));
        }
        assert_eq!(ApiVersion(66).to_string(), "66.0");
        for text in ["", "30.0", "66.1", "-1", "x"] {
            assert!(text.parse::<ApiVersion>().is_err(), "{text}");
        }
    }
}
