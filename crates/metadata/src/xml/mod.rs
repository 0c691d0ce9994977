//! XML as a tree of byte ranges over the original text: nothing is ever re-printed.

mod digest;
mod node;

use std::borrow::Cow;
use std::str;

pub(crate) use digest::child_type;
pub use digest::{Digest, digest, digest_all};
pub use node::{Chunk, Content, canonical_text, children, content, elements, foreign_namespace, leaf_text, source};
pub use roxmltree::Node;

use crate::table::{Type, schema};

/// The largest file that is read as XML, in bytes. A deployment may not unpack to more than
/// 600 MB in all, and its largest real files are a few MB.
pub const MAX_BYTES: usize = 100 * 1024 * 1024;

/// The deepest nesting that is read. Real metadata stays below 20 levels.
pub const MAX_DEPTH: usize = 100;

/// A parsed file: the tree and the text it points into.
#[derive(Debug)]
pub struct Document<'a> {
    tree: roxmltree::Document<'a>,
    /// The whole file.
    pub text: &'a str,
}

/// Why a file cannot be read as XML.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum XmlError {
    /// The bytes are not UTF-8.
    #[error("line {line}: the file is not UTF-8; save it as UTF-8")]
    NotUtf8 {
        /// Line of the first bad byte, from 1.
        line: u32,
    },
    /// The file has a document type definition.
    #[error(
        "line {line}: document type definitions are not read, because they can name other files; remove the DOCTYPE"
    )]
    Dtd {
        /// Line, from 1.
        line: u32,
    },
    /// The text is not well-formed.
    #[error("line {line}, column {column}: malformed XML: {problem}")]
    Malformed {
        /// Line, from 1.
        line: u32,
        /// Column in characters, from 1.
        column: u32,
        /// What the parser says.
        problem: String,
    },
    /// Conflict markers of an unfinished merge stand in the file.
    #[error("line {line}: the file holds conflict markers of an unfinished merge; resolve them first")]
    Markers {
        /// Line of the first marker, from 1.
        line: u32,
    },
    /// The file is larger than [`MAX_BYTES`].
    #[error("the file has {bytes} bytes; at most {} are read as XML", MAX_BYTES)]
    TooLarge {
        /// Size in bytes.
        bytes: usize,
    },
    /// Elements are nested deeper than [`MAX_DEPTH`].
    #[error("line {line}: elements are nested deeper than {} levels", MAX_DEPTH)]
    TooDeep {
        /// Line, from 1.
        line: u32,
    },
}

impl<'a> Document<'a> {
    /// Parses bytes as they lie in a file.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, XmlError> {
        if bytes.len() > MAX_BYTES {
            return Err(XmlError::TooLarge { bytes: bytes.len() });
        }
        let text = str::from_utf8(bytes).map_err(|e| XmlError::NotUtf8 {
            line: line_at(bytes, e.valid_up_to()),
        })?;
        let options = roxmltree::ParsingOptions {
            allow_dtd: false,
            ..Default::default()
        };
        match roxmltree::Document::parse_with_options(text, options) {
            Ok(tree) => match too_deep(tree.root_element()) {
                None => Ok(Self { tree, text }),
                Some(node) => Err(XmlError::TooDeep {
                    line: line_at(bytes, node.range().start),
                }),
            },
            Err(roxmltree::Error::DtdDetected) => {
                let at = text.find("<!DOCTYPE").unwrap_or_default();
                Err(XmlError::Dtd {
                    line: line_at(bytes, at),
                })
            }
            Err(error) => {
                if let Some(at) = marker_at(text) {
                    return Err(XmlError::Markers {
                        line: line_at(bytes, at),
                    });
                }
                let pos = error.pos();
                let problem = error.to_string();
                // The parser appends "at row:column", which stands in front already.
                let problem = problem
                    .rsplit_once(" at ")
                    .map_or(problem.as_str(), |(p, _)| p)
                    .to_owned();
                Err(XmlError::Malformed {
                    line: pos.row,
                    column: pos.col,
                    problem,
                })
            }
        }
    }

    /// The root element.
    pub fn root(&self) -> Node<'_, 'a> {
        self.tree.root_element()
    }

    /// The type of the root element, when the table knows it.
    pub fn root_type(&self) -> Option<&'static Type> {
        schema::get(self.root().tag_name().name())
    }

    /// The line end of the file: that of its first line.
    pub fn line_end(&self) -> &'static str {
        match memchr::memchr(b'\n', self.text.as_bytes()) {
            Some(at) if at > 0 && self.text.as_bytes()[at - 1] == b'\r' => "\r\n",
            _ => "\n",
        }
    }

    /// Line of a byte offset, from 1.
    pub fn line(&self, at: usize) -> u32 {
        line_at(self.text.as_bytes(), at)
    }
}

/// Line of a byte offset, from 1.
pub fn line_at(bytes: &[u8], at: usize) -> u32 {
    let breaks = memchr::memchr_iter(b'\n', &bytes[..at.min(bytes.len())]).count();
    u32::try_from(breaks + 1).unwrap_or(u32::MAX)
}

/// Whether the bytes hold metadata: an XML document in the namespace of the Metadata API.
pub fn is_metadata(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(4096)];
    let start = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head).trim_ascii_start();
    start.starts_with(b"<") && memchr::memmem::find(head, b"http://soap.sforce.com/2006/04/metadata").is_some()
}

/// The content of a fragment without its formatting: white space between elements, quoting, comments
/// and the order of attributes do not count. Bytes that are no XML come back as they are.
pub fn canonical_fragment(bytes: &[u8]) -> Cow<'_, [u8]> {
    let Ok(text) = str::from_utf8(bytes) else {
        return Cow::Borrowed(bytes);
    };
    let body = match text.find("?>") {
        Some(end) if text.trim_start_matches('\u{feff}').starts_with("<?xml") => &text[end + 2..],
        _ => text,
    };
    let wrapped = format!("<fragment xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">{body}</fragment>");
    match Document::parse(wrapped.as_bytes()) {
        Ok(document) if document.root().first_element_child().is_some() => {
            let mut out = Vec::with_capacity(bytes.len());
            for element in elements(document.root()) {
                node::write_canonical(element, &mut out);
            }
            Cow::Owned(out)
        }
        _ => Cow::Borrowed(bytes),
    }
}

/// The first node below [`MAX_DEPTH`], so that recursive readers are safe. The parser itself does not recurse.
fn too_deep<'a, 'i>(root: Node<'a, 'i>) -> Option<Node<'a, 'i>> {
    let (mut node, mut depth) = (root, 1);
    loop {
        if depth > MAX_DEPTH {
            return Some(node);
        }
        if let Some(child) = node.first_child() {
            (node, depth) = (child, depth + 1);
            continue;
        }
        loop {
            if node == root {
                return None;
            }
            if let Some(next) = node.next_sibling() {
                node = next;
                break;
            }
            (node, depth) = (node.parent()?, depth - 1);
        }
    }
}

fn marker_at(text: &str) -> Option<usize> {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if ["<<<<<<< ", ">>>>>>> "].iter().any(|m| line.starts_with(m)) {
            return Some(at);
        }
        at += line.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(bytes: &[u8]) -> String {
        Document::parse(bytes).expect_err("refused").to_string()
    }

    #[test]
    fn bad_input_is_named() {
        insta::assert_snapshot!(error(b"<a>\n<b></a>"), @"line 2, column 4: malformed XML: expected 'b' tag, not 'a'");
        insta::assert_snapshot!(error(b"<a>\n\xff</a>"), @"line 2: the file is not UTF-8; save it as UTF-8");
        insta::assert_snapshot!(error(b"<!DOCTYPE a [<!ENTITY b 'c'>]>\n<a/>"), @"line 1: document type definitions are not read, because they can name other files; remove the DOCTYPE");
        insta::assert_snapshot!(error(b"<a>\n<<<<<<< ours\n</a>"), @"line 2: the file holds conflict markers of an unfinished merge; resolve them first");
        let deep = format!("{}{}", "<a b='/>'>".repeat(200_000), "</a>".repeat(200_000));
        insta::assert_snapshot!(error(deep.as_bytes()), @"line 1: elements are nested deeper than 100 levels");
        insta::assert_snapshot!(error(&vec![b' '; MAX_BYTES + 1]), @"the file has 104857601 bytes; at most 104857600 are read as XML");
    }

    #[test]
    fn fragments_compare_by_content() {
        let one = b"<a x=\"1\" y='2'>\n  <b>t</b>\n  <c></c>\n</a>";
        let two = b"<a y=\"2\" x=\"1\"><b><![CDATA[t]]></b><!-- note --><c/></a>";
        assert_eq!(canonical_fragment(one), canonical_fragment(two));
        assert_ne!(canonical_fragment(b"<a>1</a>"), canonical_fragment(b"<a>2</a>"));
        assert_eq!(canonical_fragment(b"a < b"), &b"a < b"[..]);
    }
}
