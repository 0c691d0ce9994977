//! Proves on the result of a merge that nothing of either side was lost, doubled or made up.
//!
//! Independent of the merge: it reads the four texts itself, knows only the table of types, and
//! applies one rule to every element, attribute, text and comment. Where ours equals base, the
//! result has what theirs has; where theirs equals base, what ours has; where both are equal, that;
//! anything else must be an open conflict. Formatting (white space between elements, quoting, CDATA,
//! line ends) is no difference; text content always is.
//!
//! Items that have no key are compared by their content, and when parts of them were merged, by
//! counting the values inside. Items that are the same text in all four documents are settled by a
//! hash map and never parsed.

mod compare;
mod facts;
mod order;
mod rule;
mod scan;
#[cfg(test)]
mod tests;
mod text;
mod tree;
mod unique;

use std::fmt;

use crate::component::ComponentId;
use crate::path::ElementPath;

pub use text::check_text;

/// Something that a merge must not do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {problem}")]
pub struct Violation {
    /// Where.
    pub path: ElementPath,
    /// What is wrong there.
    pub problem: Problem,
}

/// What is wrong with the result of a merge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// A change or an element of this side is missing.
    Lost(Side),
    /// A side deleted it and the other did not change it, yet it is there.
    Resurrected,
    /// It is there more often than the sides account for.
    Doubled,
    /// Its value is none that a side gave it.
    ChangedByNobody,
    /// No side has it.
    Invented,
    /// Items stand in an order that no side asked for.
    Reordered,
    /// Both sides inserted at one place of a list that is worked through from top to bottom, and no
    /// conflict says so.
    OrderGuessed,
    /// Nobody changed it, but its text is not ours any more.
    Rewritten,
    /// One of the four texts cannot be read; which, and why.
    Malformed(&'static str, String),
}

/// A side of a merge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The target.
    Ours,
    /// The change that comes in.
    Theirs,
    /// Both, in the same way.
    Both,
}

impl Problem {
    /// Whether it is about the order of a list.
    pub fn is_order(&self) -> bool {
        matches!(self, Self::Reordered | Self::OrderGuessed)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost(Side::Ours) => f.write_str("what ours has or changed here is missing in the result"),
            Self::Lost(Side::Theirs) => f.write_str("what theirs has or changed here is missing in the result"),
            Self::Lost(Side::Both) => f.write_str("what both sides have here is missing in the result"),
            Self::Resurrected => f.write_str("it was deleted, but is there in the result"),
            Self::Doubled => f.write_str("it is in the result more than once"),
            Self::ChangedByNobody => f.write_str("its value in the result is that of no side"),
            Self::Invented => f.write_str("it is in the result, but on no side"),
            Self::Reordered => f.write_str("the result has items in an order that no side asked for"),
            Self::OrderGuessed => f.write_str("both sides inserted here, and the order was chosen without a conflict"),
            Self::Rewritten => f.write_str("nobody changed it, but its text is not that of ours"),
            Self::Malformed(which, why) => write!(f, "{which} cannot be read: {why}"),
        }
    }
}

/// Proves the result of a merge of XML files.
///
/// `None` means that the file does not exist on that side. `open` are the paths of conflicts:
/// whatever lies at or below one is exempt, and so is the order of a list that has one.
///
/// # Errors
/// The first violation found. The texts of the sides must be well-formed and without a DTD.
pub fn check(
    root: &ComponentId,
    base: Option<&str>,
    ours: Option<&str>,
    theirs: Option<&str>,
    result: &str,
    open: &[ElementPath],
) -> Result<(), Violation> {
    let malformed = |which, why| Violation {
        path: ElementPath::root(root.clone()),
        problem: Problem::Malformed(which, why),
    };
    let texts = [base, ours, theirs, Some(result)];
    let mut scans = [None, None, None, None];
    // Ours first: the others are cut along it.
    for side in [1, 0, 2, 3] {
        if let Some(text) = texts[side] {
            let scan = scan::scan(text, scans[1].as_ref()).map_err(|why| malformed(NAMES[side], why))?;
            scans[side] = Some(scan);
        }
    }
    let reduced = scan::reduce(&scans);
    let mut documents = [None, None, None, None];
    for ((document, text), name) in documents.iter_mut().zip(&reduced).zip(NAMES) {
        if let Some(text) = text {
            *document = Some(roxmltree::Document::parse(text).map_err(|e| malformed(name, e.to_string()))?);
        }
    }
    let mut ids = tree::Ids::default();
    let mut nodes = [None, None, None, None];
    for ((node, document), text) in nodes.iter_mut().zip(&documents).zip(&reduced) {
        if let (Some(document), Some(text)) = (document, text) {
            *node = Some(tree::document(document, text, &mut ids));
        }
    }
    compare::Compare::new(root, open).document(&nodes)?;
    let root_name = scans[3].as_ref().map_or("", |scan| scan.root);
    unique::check(root, root_name, texts, open)
}

const NAMES: [&str; 4] = ["base", "ours", "theirs", "result"];

/// Deepest nesting that is read, in any of the texts.
const MAX_DEPTH: usize = 200;
