//! The one element-path grammar: `Type:FullName/list[key=value,…]/field`.
//!
//! Used by diff, selection, resolutions, API and page. Every character that has a meaning in the
//! grammar (`% / [ ] = , # @` and control characters) is percent-escaped inside a name or a value.
//!
//! ```text
//! path      = type ":" full-name { "/" step }
//! step      = name [ "[" selector "]" ]
//! selector  = key "=" value { "," key "=" value } [ "," "#" n ]   an item of a keyed list
//!           | "=" value [ "," "#" n ]                             an item of a list of plain values
//!           | "#" n                                               an item known by position, from 1
//! ```
//! `name` may be `@attribute` for an XML attribute. `#n` behind a key is the occurrence among items
//! that share the key; it is left out for the first.

use std::fmt;
use std::str::FromStr;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use crate::component::ComponentId;

const RESERVED: &AsciiSet = &CONTROLS
    .add(b'%')
    .add(b'/')
    .add(b'[')
    .add(b']')
    .add(b'=')
    .add(b',')
    .add(b'#')
    .add(b'@');

/// In a type's name a colon ends the name.
const RESERVED_IN_TYPE: &AsciiSet = &RESERVED.add(b':');

/// How one item of a list is told from its siblings.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Selector {
    /// The element occurs once: no selector.
    Only,
    /// Key fields with their values, and the occurrence (from 1) among items with the same key.
    Key(Vec<(Box<str>, Box<str>)>, u32),
    /// A plain value and its occurrence.
    Value(Box<str>, u32),
    /// Position from 1.
    Position(u32),
}

/// One step down from an element to a child.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Step {
    /// Element name, or `@name` for an attribute.
    pub name: Box<str>,
    /// Which of the elements of that name.
    pub selector: Selector,
}

/// A place inside a component.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ElementPath {
    /// The component the element belongs to.
    pub component: ComponentId,
    /// Steps from the root element down; empty for the whole component.
    pub steps: Vec<Step>,
}

impl ElementPath {
    /// The path of a whole component.
    pub fn root(component: ComponentId) -> Self {
        Self {
            component,
            steps: Vec::new(),
        }
    }

    /// Whether `self` is `other` or lies inside it.
    pub fn is_within(&self, other: &Self) -> bool {
        self.component == other.component && self.steps.starts_with(&other.steps)
    }
}

fn escape(text: &str) -> impl fmt::Display + '_ {
    utf8_percent_encode(text, RESERVED)
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name.strip_prefix('@') {
            Some(attribute) => write!(f, "@{}", escape(attribute))?,
            None => write!(f, "{}", escape(&self.name))?,
        }
        match &self.selector {
            Selector::Only => Ok(()),
            Selector::Position(n) => write!(f, "[#{n}]"),
            Selector::Value(value, n) => {
                write!(f, "[={}", escape(value))?;
                close(f, *n)
            }
            Selector::Key(fields, n) => {
                f.write_str("[")?;
                for (i, (key, value)) in fields.iter().enumerate() {
                    if i > 0 {
                        f.write_str(",")?;
                    }
                    write!(f, "{}={}", KeyName(key), escape(value))?;
                }
                close(f, *n)
            }
        }
    }
}

/// A key field's name: `a/b` reaches one level down and keeps its slash, `@x` is an attribute.
struct KeyName<'a>(&'a str);

impl fmt::Display for KeyName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.strip_prefix('@') {
            Some(attribute) => write!(f, "@{}", escape(attribute)),
            None => write!(f, "{}", escape(self.0)),
        }
    }
}

fn close(f: &mut fmt::Formatter<'_>, occurrence: u32) -> fmt::Result {
    if occurrence > 1 {
        write!(f, ",#{occurrence}")?;
    }
    f.write_str("]")
}

impl fmt::Display for ElementPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}",
            utf8_percent_encode(&self.component.type_name, RESERVED_IN_TYPE),
            escape(&self.component.full_name)
        )?;
        for step in &self.steps {
            write!(f, "/{step}")?;
        }
        Ok(())
    }
}

/// The text is not an element path.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{text}` is not an element path: {problem}; write `Type:FullName/list[key=value]/field`")]
pub struct ElementPathError {
    text: String,
    problem: String,
}

impl FromStr for ElementPath {
    type Err = ElementPathError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).map_err(|problem| ElementPathError {
            text: text.to_owned(),
            problem,
        })
    }
}

fn unescape(text: &str) -> Result<Box<str>, String> {
    percent_decode_str(text)
        .decode_utf8()
        .map(|s| s.into_owned().into_boxed_str())
        .map_err(|_| format!("`{text}` does not decode to UTF-8"))
}

fn parse(text: &str) -> Result<ElementPath, String> {
    let mut parts = text.split('/');
    let head = parts.next().unwrap_or_default();
    let (type_name, full_name) = head.split_once(':').ok_or("there is no `:` behind the type")?;
    if type_name.is_empty() || full_name.is_empty() {
        return Err("type or full name is empty".to_owned());
    }
    let component = ComponentId::new(unescape(type_name)?, unescape(full_name)?);
    let steps = parts.map(parse_step).collect::<Result<_, _>>()?;
    Ok(ElementPath { component, steps })
}

fn parse_step(text: &str) -> Result<Step, String> {
    let (name, selector) = match text.split_once('[') {
        None => (text, Selector::Only),
        Some((name, rest)) => {
            let inner = rest
                .strip_suffix(']')
                .ok_or_else(|| format!("`{text}` has no closing `]`"))?;
            (name, parse_selector(inner)?)
        }
    };
    if name.is_empty() {
        return Err("a step has no name".to_owned());
    }
    Ok(Step {
        name: unescape(name)?,
        selector,
    })
}

fn parse_selector(inner: &str) -> Result<Selector, String> {
    let mut fields: Vec<&str> = inner.split(',').collect();
    let occurrence = match fields.last().and_then(|last| last.strip_prefix('#')) {
        None => None,
        Some(n) => {
            fields.pop();
            let n: u32 = n.parse().map_err(|_| format!("`#{n}` is not a number"))?;
            if n == 0 {
                return Err("positions count from 1".to_owned());
            }
            Some(n)
        }
    };
    match (fields.as_slice(), occurrence) {
        ([], Some(n)) => return Ok(Selector::Position(n)),
        ([one], n) => {
            if let Some(value) = one.strip_prefix('=') {
                return Ok(Selector::Value(unescape(value)?, n.unwrap_or(1)));
            }
        }
        _ => {}
    }
    let fields = fields
        .into_iter()
        .map(|field| {
            let (key, value) = field.split_once('=').ok_or_else(|| format!("`{field}` has no `=`"))?;
            Ok::<_, String>((unescape(key)?, unescape(value)?))
        })
        .collect::<Result<_, _>>()?;
    Ok(Selector::Key(fields, occurrence.unwrap_or(1)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str) {
        let path: ElementPath = text.parse().expect(text);
        assert_eq!(path.to_string(), text);
    }

    #[test]
    fn round_trip() {
        check("Profile:Admin");
        check("Profile:Admin/fieldPermissions[field=Account.Rating]/editable");
        check("A%3AB:C:D");
        check("Layout:Account-My %2F Layout/layoutSections[#2]/layoutColumns[#1]");
        check("Package:package/types[name=ApexClass,#2]/members[=A%2CB]");
        check("LightningComponentBundle:x/targetConfigs/targetConfig[@targets=a]");
        check(
            "FlexiPage:P/flexiPageRegions[name=main]/itemInstances[componentInstance%2Fidentifier=a,fieldInstance%2Fidentifier=]",
        );
    }

    #[test]
    fn refuses() {
        for bad in [
            "",
            "Profile",
            ":x",
            "Profile:",
            "P:x/",
            "P:x/a[",
            "P:x/a[b]",
            "P:x/a[#0]",
            "P:x/a[#x]",
        ] {
            assert!(bad.parse::<ElementPath>().is_err(), "{bad}");
        }
    }

    fn word() -> impl Strategy<Value = Box<str>> {
        "[a-zA-Z/%\\[\\]=,#@ é:]{1,6}".prop_map(String::into_boxed_str)
    }

    fn selector() -> impl Strategy<Value = Selector> {
        prop_oneof![
            Just(Selector::Only),
            (1u32..5).prop_map(Selector::Position),
            (word(), 1u32..4).prop_map(|(v, n)| Selector::Value(v, n)),
            (prop::collection::vec((word(), word()), 1..3), 1u32..4).prop_map(|(k, n)| Selector::Key(k, n)),
        ]
    }

    proptest! {
        #[test]
        fn any_path_survives(name in "[A-Z][a-z]{0,5}", full in word(), steps in prop::collection::vec((word(), selector()), 0..4)) {
            let path = ElementPath {
                component: ComponentId::new(name, full),
                steps: steps.into_iter().map(|(name, selector)| Step { name, selector }).collect(),
            };
            prop_assert_eq!(path.to_string().parse::<ElementPath>(), Ok(path));
        }
    }
}
