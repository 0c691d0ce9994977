//! Reading and printing package.xml and the destructive changes files, which have the same form.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::component::ComponentId;
use crate::component::name::{decode, escape_member};
use crate::table::registry::Registry;

/// The types and members of a package.xml. Other elements of an unlocked or managed package are not kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PackageManifest {
    /// Members by type, plain: the file writes `%28` for `(`. `*` stands for all members.
    pub types: BTreeMap<Box<str>, BTreeSet<Box<str>>>,
    /// API version, `67.0`.
    pub version: Option<Box<str>>,
}

/// The text is no package.xml.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// Malformed XML.
    #[error("line {}: {source}", .source.pos().row)]
    Xml {
        /// Where and why.
        source: roxmltree::Error,
    },
    /// Another document.
    #[error("line {line}: the root element is `{found}`, not `Package`")]
    Root {
        /// Line from 1.
        line: u32,
        /// The root element.
        found: Box<str>,
    },
    /// An element that has no place there.
    #[error("line {line}: `{element}` has no place in `types`; only `members` and `name` do")]
    Unexpected {
        /// Line from 1.
        line: u32,
        /// The element.
        element: Box<str>,
    },
    /// A `types` block needs exactly one name.
    #[error("line {line}: this `types` block has {count} `name` elements; write one")]
    Name {
        /// Line from 1.
        line: u32,
        /// How many there are.
        count: usize,
    },
    /// A member or a name without text.
    #[error("line {line}: `{element}` is empty")]
    Empty {
        /// Line from 1.
        line: u32,
        /// The element.
        element: Box<str>,
    },
}

impl PackageManifest {
    /// Reads a package.xml. Several `types` blocks of one type are united; the order is not kept.
    pub fn parse(xml: &str) -> Result<Self, ManifestError> {
        let document = roxmltree::Document::parse(xml).map_err(|source| ManifestError::Xml { source })?;
        let line = |node: &roxmltree::Node<'_, '_>| document.text_pos_at(node.range().start).row;
        let root = document.root_element();
        if root.tag_name().name() != "Package" {
            return Err(ManifestError::Root {
                line: line(&root),
                found: root.tag_name().name().into(),
            });
        }
        let mut manifest = Self::default();
        for element in root.children().filter(roxmltree::Node::is_element) {
            match element.tag_name().name() {
                "version" => manifest.version = Some(text(&element, &line)?),
                "types" => {
                    let mut names = Vec::new();
                    let mut members = BTreeSet::new();
                    for part in element.children().filter(roxmltree::Node::is_element) {
                        match part.tag_name().name() {
                            "name" => names.push(text(&part, &line)?),
                            "members" => {
                                members.insert(decode(&text(&part, &line)?));
                            }
                            other => {
                                return Err(ManifestError::Unexpected {
                                    line: line(&part),
                                    element: other.into(),
                                });
                            }
                        }
                    }
                    let count = names.len();
                    match names.pop() {
                        Some(name) if count == 1 => manifest.types.entry(name).or_default().append(&mut members),
                        _ => {
                            return Err(ManifestError::Name {
                                line: line(&element),
                                count,
                            });
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(manifest)
    }

    /// Adds a member.
    pub fn insert(&mut self, type_name: &str, member: &str) {
        self.types.entry(type_name.into()).or_default().insert(member.into());
    }

    /// Whether a component is named, by its name or by `*`.
    pub fn names(&self, id: &ComponentId) -> bool {
        (self.types.get(&id.type_name)).is_some_and(|members| members.contains(&id.full_name) || members.contains("*"))
    }

    /// Whether nothing is named.
    pub fn is_empty(&self) -> bool {
        self.types.values().all(BTreeSet::is_empty)
    }
}

/// The text of the file: types and members sorted, members before the name, four blanks, a line feed at the end.
impl fmt::Display for PackageManifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")?;
        f.write_str("<Package xmlns=\"http://soap.sforce.com/2006/04/metadata\">\n")?;
        for (name, members) in &self.types {
            f.write_str("    <types>\n")?;
            for member in members {
                // Only a name with `#` needs the table of types.
                let versioned = member.contains('#')
                    && (Registry::standard().by_name(name)).is_some_and(|kind| kind.version_separator.is_some());
                writeln!(
                    f,
                    "        <members>{}</members>",
                    Escaped(&escape_member(member, versioned))
                )?;
            }
            writeln!(f, "        <name>{}</name>\n    </types>", Escaped(name))?;
        }
        if let Some(version) = &self.version {
            writeln!(f, "    <version>{}</version>", Escaped(version))?;
        }
        f.write_str("</Package>\n")
    }
}

struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in self.0.split_inclusive(['&', '<', '>', '\r']) {
            let (text, escape) = match part.as_bytes().last() {
                Some(b'&') => (&part[..part.len() - 1], "&amp;"),
                Some(b'<') => (&part[..part.len() - 1], "&lt;"),
                Some(b'>') => (&part[..part.len() - 1], "&gt;"),
                Some(b'\r') => (&part[..part.len() - 1], "&#13;"),
                _ => (part, ""),
            };
            f.write_str(text)?;
            f.write_str(escape)?;
        }
        Ok(())
    }
}

/// `line` counts the lines from the start of the file, so it is asked for an error only.
fn text<'a, 'i>(
    node: &roxmltree::Node<'a, 'i>,
    line: &impl Fn(&roxmltree::Node<'a, 'i>) -> u32,
) -> Result<Box<str>, ManifestError> {
    // A comment inside splits the text.
    let text: String = node
        .children()
        .filter_map(|child| child.is_text().then(|| child.text()).flatten())
        .collect();
    match text.trim() {
        "" => Err(ManifestError::Empty {
            line: line(node),
            element: node.tag_name().name().into(),
        }),
        text => Ok(text.into()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ONE: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>
<Package xmlns=\"http://soap.sforce.com/2006/04/metadata\">
    <types>
        <members>*</members>
        <members>A %28x%29</members>
        <name>ApexClass</name>
    </types>
    <types>
        <members>Account.X__c</members>
        <name>CustomField</name>
    </types>
    <version>67.0</version>
</Package>
";

    #[test]
    fn reads_and_prints() {
        let manifest = PackageManifest::parse(ONE).expect("valid");
        assert_eq!(manifest.to_string(), ONE);
        assert!(manifest.names(&ComponentId::new("ApexClass", "Anything")));
        assert!(!manifest.names(&ComponentId::new("CustomField", "Account.Y__c")));
        assert!(manifest.types["ApexClass"].contains("A (x)"));
        let by_hand = PackageManifest::parse(
            "<Package><types><members>A (x) &amp; B#1</members><name>Layout</name></types></Package>",
        );
        assert!(
            by_hand
                .expect("valid")
                .to_string()
                .contains("<members>A %28x%29 %26 B%231</members>")
        );
        let mut version = PackageManifest::default();
        version.insert("AiAgentDefinitionVersion", "A#1");
        assert!(version.to_string().contains("<members>A#1</members>"));
        let repeated = ONE.replace(
            "<version>",
            "<types><name>CustomField</name><members>B<!-- c -->.Y</members></types><version>",
        );
        let united = PackageManifest::parse(&repeated).expect("valid");
        assert_eq!(united.types["CustomField"].len(), 2);
        assert!(united.names(&ComponentId::new("CustomField", "B.Y")));
    }

    #[test]
    fn names_the_line_of_an_error() {
        let check = |xml: &str, expect: &str| {
            let error = PackageManifest::parse(xml).expect_err(xml).to_string();
            assert!(error.starts_with(expect), "{error}");
        };
        check("<Package>\n<types></Package>", "line 2: ");
        check("<Profile/>", "line 1: the root element is `Profile`");
        check(
            "<Package>\n<types><members>A</members></types></Package>",
            "line 2: this `types` block has 0",
        );
        check(
            "<Package>\n\n<types><name>A</name><name>B</name></types></Package>",
            "line 3: this `types` block has 2",
        );
        check(
            "<Package><types>\n<member>A</member></types></Package>",
            "line 2: `member` has no place",
        );
        check(
            "<Package><types>\n<members> </members></types></Package>",
            "line 2: `members` is empty",
        );
    }

    proptest! {
        #[test]
        fn print_and_parse(types in prop::collection::btree_map("[A-Z][a-z]{1,4}", prop::collection::btree_set("[!-~é]{1,8}", 1..4), 0..4)) {
            let manifest = PackageManifest {
                types: types.into_iter().map(|(name, members)| (name.into(), members.into_iter().map(Into::into).collect())).collect(),
                version: Some("67.0".into()),
            };
            prop_assert_eq!(PackageManifest::parse(&manifest.to_string()).expect("printed text is valid"), manifest);
        }
    }
}
