//! `syncline/overlays/<environment>.toml`: the values that differ in one environment.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};
use syncline_metadata::path::{ElementPath, Selector};
use toml::Spanned;

use crate::config::{Checked, Code, ConfigError, Pattern};
use crate::pattern::glob;

/// The folder of the files, from the root of the repository.
pub const FOLDER: &str = "syncline/overlays";

/// The overlays of one environment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Overlays {
    /// In the order of the file.
    pub list: Vec<Overlay>,
}

/// One value that an environment has for itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Overlay {
    /// Where it stands.
    pub place: Place,
    /// What stands there in this environment.
    pub value: Value,
    /// What it is.
    pub kind: Kind,
}

/// Where a value stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// An element or attribute without elements in it.
    Element(#[serde(with = "crate::wire::shown")] ElementPath),
    /// Every match of a pattern in files.
    Text {
        /// What is replaced as a whole.
        pattern: Pattern,
        /// Paths of files; `*` stands for any text, folders too.
        files: Vec<String>,
    },
}

/// A value, or where the secret is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Value {
    /// The value itself.
    Plain(String),
    /// A sealed reference.
    Secret(Sealed),
}

/// A secret that is kept sealed elsewhere: `sealed:` and what finds it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Sealed(String);

impl Sealed {
    /// The whole text, with `sealed:` in front.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Sealed {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.strip_prefix("sealed:") {
            Some(rest) if !rest.is_empty() && rest.chars().all(|c| c.is_ascii_graphic()) => Ok(Self(text)),
            _ => Err("a secret never stands in a file in clear; write the sealed reference, `sealed:…`"),
        }
    }
}

impl From<Sealed> for String {
    fn from(sealed: Sealed) -> Self {
        sealed.0
    }
}

/// What a value is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A URL.
    Endpoint,
    /// An e-mail address.
    Email,
    /// A user name, which has the form of an e-mail address.
    User,
    /// The id of an org: 15 or 18 letters and digits behind `00D`.
    OrgId,
    /// Anything.
    #[default]
    Text,
}

impl Kind {
    /// Why a value is not of this kind.
    fn refuses(self, value: &str) -> Option<&'static str> {
        let mail = |text: &str| {
            let whole = !text.contains(char::is_whitespace);
            whole
                && text
                    .split_once('@')
                    .is_some_and(|(name, host)| !name.is_empty() && host.contains('.'))
        };
        let url = |text: &str| {
            let rest = text
                .split_once("://")
                .filter(|(scheme, _)| scheme.chars().all(|c| c.is_ascii_alphabetic()));
            !text.contains(char::is_whitespace)
                && rest.is_some_and(|(scheme, rest)| !scheme.is_empty() && !rest.is_empty())
        };
        let id = |text: &str| {
            let letters = text.chars().all(|c| c.is_ascii_alphanumeric());
            letters && text.starts_with("00D") && [15, 18].contains(&text.len())
        };
        match self {
            Self::Endpoint if !url(value) => Some("no URL; write it with its scheme, `https://erp.example.com`"),
            Self::Email if !mail(value) => Some("no e-mail address"),
            Self::User if !mail(value) => Some("no user name; it has the form of an e-mail address"),
            Self::OrgId if !id(value) => {
                Some("no id of an org; it has 15 or 18 letters and digits and begins with `00D`")
            }
            _ => None,
        }
    }
}

impl Overlay {
    /// Whether it may stand in a file of that path.
    pub(super) fn is_for(&self, path: &str) -> bool {
        match &self.place {
            Place::Element(_) => true,
            Place::Text { files, .. } => files.iter().any(|pattern| glob(pattern, path)),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Element(path) => path.fmt(f),
            Self::Text { pattern, .. } => write!(f, "/{pattern}/"),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    overlay: Vec<Spanned<Entry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    path: Option<String>,
    pattern: Option<Pattern>,
    files: Option<Vec<String>>,
    value: Option<String>,
    secret: Option<Sealed>,
    #[serde(default)]
    kind: Kind,
}

impl Overlays {
    /// Those that put secrets at elements.
    #[must_use]
    pub fn secrets(&self) -> Self {
        let is_secret = |one: &&Overlay| matches!((&one.value, &one.place), (Value::Secret(_), Place::Element(_)));
        Self {
            list: self.list.iter().filter(is_secret).cloned().collect(),
        }
    }

    /// Reads the text of an environment's file, or tells all mistakes in its order, at least one.
    pub fn check(environment: &str, text: &str) -> Result<Self, Vec<ConfigError>> {
        let name = format!("{FOLDER}/{environment}.toml");
        let (mut checked, file) = Checked::read::<File>(&name, text).map_err(|error| vec![error])?;
        let mut list = Vec::new();
        let mut seen = BTreeSet::new();
        for entry in file.overlay {
            let at = entry.span();
            let mut wrong = |code, problem: String, hint: &str| checked.push(at.clone(), code, problem, hint);
            let entry = entry.into_inner();
            let place = match (entry.path, entry.pattern, entry.files) {
                (Some(path), None, None) => match path.parse() {
                    Ok(path) => Place::Element(path),
                    Err(error) => {
                        wrong(Code::Overlay, format!("{error}"), "");
                        continue;
                    }
                },
                (None, Some(pattern), Some(files)) if !files.is_empty() => Place::Text { pattern, files },
                _ => {
                    let hint = "write `path`, or `pattern` and `files`";
                    wrong(Code::Keys, "an overlay has no place, or two".to_owned(), hint);
                    continue;
                }
            };
            let value = match (entry.value, entry.secret) {
                (Some(value), None) => Value::Plain(value),
                (None, Some(secret)) => Value::Secret(secret),
                _ => {
                    let problem = format!("the overlay of {place} has no value, or two");
                    wrong(Code::Keys, problem, "write `value` or `secret`");
                    continue;
                }
            };
            if let Some((problem, hint)) = refused(&place, &value, entry.kind) {
                wrong(Code::Overlay, problem, hint);
            }
            if !seen.insert(place.to_string()) {
                wrong(
                    Code::Twice,
                    format!("there is a second overlay of {place}"),
                    "remove one",
                );
            }
            list.push(Overlay {
                place,
                value,
                kind: entry.kind,
            });
        }
        checked.finish().map(|()| Self { list })
    }
}

/// Why an overlay could not be put in, or not be found again.
fn refused(place: &Place, value: &Value, kind: Kind) -> Option<(String, &'static str)> {
    if let Value::Plain(text) = value
        && let Some(reason) = kind.refuses(text)
    {
        return Some((format!("the value of {place} is {reason}"), ""));
    }
    match place {
        Place::Element(path) if path.steps.is_empty() => Some((
            format!("{path} is a whole component"),
            "name the element that has the value",
        )),
        Place::Element(path) => names_its_item(path).then(|| {
            let hint = "the value that an item is found by cannot differ between environments";
            (format!("{path} is what its item is found by"), hint)
        }),
        Place::Text { pattern, .. } => {
            let whole = |text: &str| {
                pattern
                    .regex()
                    .find(text)
                    .is_some_and(|found| found.range() == (0..text.len()))
            };
            match value {
                _ if pattern.regex().is_match("") => {
                    Some((format!("the pattern /{pattern}/ matches everywhere"), "make it longer"))
                }
                Value::Plain(text) if !whole(text) => Some((
                    format!("the pattern /{pattern}/ does not match the value `{text}`"),
                    "it has to match the values of all environments as a whole, to find them again",
                )),
                _ => None,
            }
        }
    }
}

/// Whether the element is a key of an item that the path goes through, or an item known by its value.
fn names_its_item(path: &ElementPath) -> bool {
    path.steps.iter().enumerate().any(|(at, step)| match &step.selector {
        Selector::Value(..) => at + 1 == path.steps.len(),
        Selector::Key(fields, _) => {
            let below: Vec<&str> = path.steps[at + 1..].iter().map(|step| &*step.name).collect();
            let below = below.join("/");
            fields.iter().any(|(key, _)| **key == *below)
        }
        Selector::Only | Selector::Position(_) => false,
    })
}
