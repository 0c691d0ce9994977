//! How environments, branches and the branches of changes are called.

use std::fmt;

use regex::Regex;
use serde::{Deserialize, Serialize};

/// The table `[naming]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Naming {
    /// What names of environments look like.
    pub environments: Option<Pattern>,
    /// What names of branches look like.
    pub branches: Option<Pattern>,
    /// Branches of changes: `{id}` and `{slug}` are filled in.
    pub changes: ChangeBranch,
}

impl Default for Naming {
    fn default() -> Self {
        Self {
            environments: None,
            branches: None,
            changes: ChangeBranch("changes/{id}-{slug}".to_owned()),
        }
    }
}

/// A regular expression.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pattern(Regex);

impl Pattern {
    /// The expression, ready for use.
    pub fn regex(&self) -> &Regex {
        &self.0
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl Eq for Pattern {}

impl TryFrom<String> for Pattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Regex::new(&text).map(Self).map_err(|error| {
            // The parser draws the place in several lines; its last line says what is wrong.
            let shown = error.to_string();
            let reason = shown.lines().last().unwrap_or_default().trim_start_matches("error: ");
            format!("`{text}` is no regular expression: {reason}")
        })
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.0.as_str().to_owned()
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

/// The form of a change's branch: text with `{id}` once and `{slug}` once or not at all, in this order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ChangeBranch(String);

impl ChangeBranch {
    /// The form as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ChangeBranch {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let rest = text.replacen("{id}", "", 1);
        let ids = rest.len() < text.len();
        let slug_first = matches!((text.find("{slug}"), text.find("{id}")), (Some(slug), Some(id)) if slug < id);
        let rest = rest.replacen("{slug}", "", 1);
        if !ids || slug_first || rest.contains(['{', '}', ' ', '~', '^', ':', '?', '*', '[', '\\']) {
            return Err(format!(
                "`{text}` is no form of a change's branch; write `{{id}}` and behind it `{{slug}}`, as in `changes/{{id}}-{{slug}}`"
            ));
        }
        Ok(Self(text))
    }
}

impl From<ChangeBranch> for String {
    fn from(form: ChangeBranch) -> Self {
        form.0
    }
}
