//! Three-way merge of one file by meaning.

mod decide;
mod document;
mod doubts;
mod element;
mod emit;
mod order;
mod output;
mod plan;
mod root;
mod shrink;
mod special;
mod splice;
mod text;

use crate::component::ComponentId;
use crate::conflict::{Conflict, Reason, Resolution};
use crate::path::ElementPath;
use crate::xml::{self, XmlError};
use output::Pieces;

pub use output::Labels;

/// The three versions of a file; `None` where it does not exist.
#[derive(Clone, Copy, Debug)]
pub struct Sides<'a> {
    /// The common ancestor.
    pub base: Option<&'a [u8]>,
    /// The target, whose formatting the result keeps.
    pub ours: Option<&'a [u8]>,
    /// The change that comes in.
    pub theirs: Option<&'a [u8]>,
}

/// The result of a merge: a file with open places in it, and the conflicts that stand there.
#[derive(Clone, Debug)]
pub struct Merged {
    pieces: Pieces,
    conflicts: Vec<Conflict>,
    line_end: &'static str,
    kind: Kind,
    /// Names that may be missing in the result, because a side misses them too.
    known_gaps: document::Gaps,
}

/// How a file is merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Xml,
    Lines,
    Binary,
}

/// Which version of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The common ancestor.
    Base,
    /// The target.
    Ours,
    /// The change that comes in.
    Theirs,
}

impl std::fmt::Display for Side {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Base => "base",
            Self::Ours => "ours",
            Self::Theirs => "theirs",
        })
    }
}

/// Why files cannot be merged.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// A side cannot be read.
    #[error("cannot read {side} of {path}")]
    Unreadable {
        /// Which version.
        side: Side,
        /// The file.
        path: String,
        /// What is wrong with it.
        #[source]
        source: XmlError,
    },
    /// A decision leaves a name without its element, or doubles one.
    #[error("the resolution of {component} would {problem}; decide otherwise, or give the whole element as a value")]
    Breaks {
        /// The component.
        component: ComponentId,
        /// What would be wrong.
        problem: String,
    },
}

/// Merges one file. The component names it in conflicts; the path stands in errors.
pub fn merge(component: &ComponentId, path: &str, sides: Sides<'_>) -> Result<Merged, MergeError> {
    let kind = kind_of(path, sides);
    let whole = |pieces: Option<&[u8]>| Merged::settled(pieces, kind);
    match (sides.base, sides.ours, sides.theirs) {
        (_, ours, theirs) if ours == theirs => Ok(whole(ours)),
        (base, ours, theirs) if base == theirs => readable(kind, path, Side::Ours, ours).map(|()| whole(ours)),
        (base, ours, theirs) if base == ours => readable(kind, path, Side::Theirs, theirs).map(|()| whole(theirs)),
        (base, Some(ours), Some(theirs)) => match kind {
            Kind::Xml => document::merge(component, path, base, ours, theirs),
            Kind::Lines => Ok(lines(component, base, ours, theirs)),
            Kind::Binary => Ok(Merged::open(component, Reason::Whole, sides, kind)),
        },
        (Some(base), ours, theirs) => {
            // One side deleted the file.
            let (left, side, reason) = match ours {
                Some(ours) => (ours, Side::Ours, Reason::DeletedByThem),
                None => (theirs.unwrap_or_default(), Side::Theirs, Reason::DeletedByUs),
            };
            if kind == Kind::Xml && document::same(path, (Side::Base, base), (side, left))? {
                return Ok(whole(None));
            }
            Ok(Merged::open(component, reason, sides, kind))
        }
        (None, ours, theirs) => Ok(whole(ours.or(theirs))),
    }
}

/// The base with only the selected elements changed to what theirs has: the change that is left of a
/// file when a person selects elements. A file that is new or deleted in theirs, or that has no
/// elements, comes as a whole when any element of it is selected.
pub fn pick(
    component: &ComponentId,
    path: &str,
    base: Option<&[u8]>,
    theirs: Option<&[u8]>,
    elements: &[ElementPath],
) -> Result<Option<Vec<u8>>, MergeError> {
    if !elements.iter().any(|e| e.component == *component) {
        return Ok(base.map(<[u8]>::to_vec));
    }
    let whole = elements.iter().any(|e| e.steps.is_empty() && e.component == *component);
    match (base, theirs) {
        (Some(base_text), Some(theirs_text)) if !whole => {
            let sides = Sides {
                base,
                ours: base,
                theirs,
            };
            match kind_of(path, sides) {
                Kind::Xml => document::pick(component, path, base_text, theirs_text, elements),
                Kind::Lines | Kind::Binary => Ok(theirs.map(<[u8]>::to_vec)),
            }
        }
        _ => Ok(theirs.map(<[u8]>::to_vec)),
    }
}

impl Merged {
    fn settled(text: Option<&[u8]>, kind: Kind) -> Self {
        let mut pieces = Pieces::default();
        if let Some(text) = text {
            pieces.push(text);
        }
        Self {
            pieces,
            conflicts: Vec::new(),
            line_end: "\n",
            kind,
            known_gaps: document::Gaps::default(),
        }
    }

    /// One conflict over the whole file.
    fn open(component: &ComponentId, reason: Reason, sides: Sides<'_>, kind: Kind) -> Self {
        let mut pieces = Pieces::default();
        pieces.push_open(b"", 0);
        let text = |side: Option<&[u8]>| side.map(<[u8]>::to_vec);
        let conflict = Conflict {
            path: ElementPath::root(component.clone()),
            reason,
            base: text(sides.base),
            ours: text(sides.ours),
            theirs: text(sides.theirs),
        };
        Self {
            pieces,
            conflicts: vec![conflict],
            line_end: "\n",
            kind,
            known_gaps: document::Gaps::default(),
        }
    }

    /// Open conflicts in the order of the file.
    pub fn conflicts(&self) -> &[Conflict] {
        &self.conflicts
    }

    /// Whether nothing is left to decide.
    pub fn is_clean(&self) -> bool {
        self.conflicts.is_empty()
    }

    /// The merged file with our text wherever a conflict is open; `None` when the file is deleted.
    pub fn bytes(&self) -> Option<Vec<u8>> {
        if self.pieces.is_absent() {
            None
        } else {
            self.pieces.render(&self.conflicts)
        }
    }

    /// The merged file with zdiff3-style markers around each open conflict; `None` when the file is
    /// deleted. A binary file cannot hold markers: it stays as ours.
    pub fn with_markers(&self, labels: &Labels) -> Option<Vec<u8>> {
        if self.kind == Kind::Binary || self.is_clean() {
            return self.bytes();
        }
        Some(self.pieces.with_markers(&self.conflicts, labels, self.line_end))
    }

    /// Settles every conflict that `decide` has an answer for, and returns those conflicts. The
    /// result is checked again: text that is not well-formed or breaks a reference is refused and
    /// nothing changes.
    pub fn resolve(
        &mut self,
        component: &ComponentId,
        decide: &dyn Fn(&Conflict) -> Option<Resolution>,
    ) -> Result<Vec<Conflict>, MergeError> {
        let decided: Vec<Option<Resolution>> = self.conflicts.iter().map(decide).collect();
        let mut next = self.clone();
        let settled: Vec<Conflict> = self
            .conflicts
            .iter()
            .zip(&decided)
            .filter(|(_, d)| d.is_some())
            .map(|(c, _)| c.clone())
            .collect();
        next.pieces.settle(&mut next.conflicts, &decided);
        if self.kind == Kind::Xml
            && !settled.is_empty()
            && let Some(bytes) = next.bytes()
        {
            document::check_resolved(component, &bytes, &self.known_gaps, next.is_clean())?;
        }
        *self = next;
        Ok(settled)
    }
}

/// Merges text and proves the result.
fn lines(component: &ComponentId, base: Option<&[u8]>, ours: &[u8], theirs: &[u8]) -> Merged {
    let merged = text::merge(component, base.unwrap_or_default(), ours, theirs, base.is_none());
    let result = merged.bytes().unwrap_or_default();
    let texts = [base.unwrap_or_default(), ours, theirs, &result].map(String::from_utf8_lossy);
    let [before, our, their, result] = &texts;
    match crate::check::check_text(component, before, our, their, result, &merged.conflicts) {
        Ok(()) => merged,
        Err(_) => {
            let sides = Sides {
                base,
                ours: Some(ours),
                theirs: Some(theirs),
            };
            Merged::open(component, Reason::Unproven, sides, Kind::Lines)
        }
    }
}

/// A side that is taken over unread must at least be readable.
fn readable(kind: Kind, path: &str, side: Side, bytes: Option<&[u8]>) -> Result<(), MergeError> {
    match bytes {
        Some(bytes) if kind == Kind::Xml => document::parse(path, side, bytes).map(drop),
        _ => Ok(()),
    }
}

fn kind_of(path: &str, sides: Sides<'_>) -> Kind {
    let all = || [sides.ours, sides.theirs, sides.base].into_iter().flatten();
    if path.ends_with("-meta.xml") || all().any(xml::is_metadata) {
        Kind::Xml
    } else if all().any(|bytes| memchr::memchr(0, bytes).is_some() || std::str::from_utf8(bytes).is_err()) {
        Kind::Binary
    } else {
        Kind::Lines
    }
}
