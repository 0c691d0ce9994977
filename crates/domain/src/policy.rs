//! Who acts.

use serde::{Deserialize, Serialize};

/// Who asks for something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// The person's or program's name.
    pub name: String,
    /// Names of roles.
    pub roles: Vec<String>,
}
