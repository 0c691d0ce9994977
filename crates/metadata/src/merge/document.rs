//! Merge of XML documents, and the rules that hold across a whole document.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::doubts::{Doubts, Forced};
use super::element::{BASE, Merger, OURS, THEIRS, Verdict};
use super::output::Pieces;
use super::root::merge_roots;
use super::shrink::Short;
use super::{Kind, MergeError, Merged, Side, Sides};
use crate::component::ComponentId;
use crate::conflict::Reason;
use crate::path::ElementPath;
use crate::table::Type;
use crate::xml::{Document, Node, digest, elements, leaf_text};

/// Files of this size and more are parsed on several threads.
const PARALLEL_BYTES: usize = 256 * 1024;

/// Names without element, and doubled names, that a side has already.
#[derive(Clone, Debug, Default)]
pub(super) struct Gaps {
    /// Names that some side declares.
    declared: BTreeSet<String>,
    /// Names that a side refers to without declaring them.
    dangling: BTreeSet<String>,
    /// How often a side uses a name that should stand once: the most.
    doubled: BTreeMap<(usize, String), usize>,
}

pub(super) fn parse<'a>(path: &str, side: Side, bytes: &'a [u8]) -> Result<Document<'a>, MergeError> {
    Document::parse(bytes).map_err(|source| MergeError::Unreadable {
        side,
        path: path.to_owned(),
        source,
    })
}

/// Whether two versions mean the same.
pub(super) fn same(path: &str, a: (Side, &[u8]), b: (Side, &[u8])) -> Result<bool, MergeError> {
    let (a, b) = (parse(path, a.0, a.1)?, parse(path, b.0, b.1)?);
    Ok(digest(a.root(), a.root_type()) == digest(b.root(), b.root_type()))
}

/// Merges documents that ours and theirs have, both different from the base.
pub(super) fn merge(
    component: &ComponentId,
    path: &str,
    base: Option<&[u8]>,
    ours: &[u8],
    theirs: &[u8],
) -> Result<Merged, MergeError> {
    if let Some(merged) = base.and_then(|base| merge_short(component, base, ours, theirs)) {
        return Ok(merged);
    }
    let (base_doc, ours_doc, theirs_doc) = parse_all(path, base, ours, theirs)?;
    let docs = (base_doc.as_ref(), &ours_doc, &theirs_doc);
    let gaps = Gaps::of([docs.0, Some(docs.1), Some(docs.2)]);
    let sides = Sides {
        base,
        ours: Some(ours),
        theirs: Some(theirs),
    };
    let unproven = || Merged {
        line_end: ours_doc.line_end(),
        ..Merged::open(component, Reason::Unproven, sides, Kind::Xml)
    };
    let has_rules = ours_doc.root_type().is_some_and(|ty| !ty.unique.is_empty());
    let mut doubts = Doubts::default();
    loop {
        let merged = Merged {
            known_gaps: gaps.clone(),
            ..merge_once(component, docs, &doubts, None, sides)
        };
        let Some(bytes) = merged.bytes() else {
            return Ok(merged);
        };
        if has_rules {
            let Ok(result) = Document::parse(&bytes) else {
                return Ok(unproven());
            };
            let before = doubts.forced.len();
            for place in gaps.find(docs, &result) {
                if !doubts.forced.contains(&place) {
                    doubts.forced.push(place);
                }
            }
            if doubts.forced.len() > before {
                continue;
            }
        }
        let text = std::str::from_utf8(&bytes).expect("joined from UTF-8 texts");
        let open: Vec<_> = merged.conflicts.iter().map(|c| c.path.clone()).collect();
        if doubts.add_repeated(&open) {
            continue;
        }
        let texts = [docs.0.map(|d| d.text), Some(ours_doc.text), Some(theirs_doc.text)];
        let [base, ours, theirs] = texts;
        match crate::check::check(component, base, ours, theirs, text, &open) {
            Ok(()) => return Ok(merged),
            Err(violation) if doubts.add(&violation) => {}
            Err(_) => return Ok(unproven()),
        }
    }
}

/// The base with only the selected elements as in theirs.
pub(super) fn pick(
    component: &ComponentId,
    path: &str,
    base: &[u8],
    theirs: &[u8],
    elements: &[ElementPath],
) -> Result<Option<Vec<u8>>, MergeError> {
    let (base_doc, theirs_doc) = (parse(path, Side::Base, base)?, parse(path, Side::Theirs, theirs)?);
    let docs = (Some(&base_doc), &base_doc, &theirs_doc);
    let sides = Sides {
        base: Some(base),
        ours: Some(base),
        theirs: Some(theirs),
    };
    Ok(merge_once(component, docs, &Doubts::default(), Some(elements), sides).bytes())
}

/// Merges large documents by what is different in them. `None` where that is not possible, or where
/// anything about the result is not as it should be: then they are merged as they are.
fn merge_short(component: &ComponentId, base: &[u8], ours: &[u8], theirs: &[u8]) -> Option<Merged> {
    let texts = [base, ours, theirs].map(|bytes| std::str::from_utf8(bytes).ok());
    let [Some(base), Some(ours), Some(theirs)] = texts else {
        return None;
    };
    let short = Short::of(base, ours, theirs)?;
    let docs = [0, 1, 2].map(|side| Document::parse(short.texts[side].as_bytes()).ok());
    let [Some(base_doc), Some(ours_doc), Some(theirs_doc)] = &docs else {
        return None;
    };
    let text = |side: usize| Some(short.texts[side].as_bytes());
    let sides = Sides {
        base: text(BASE),
        ours: text(OURS),
        theirs: text(THEIRS),
    };
    let mut merged = merge_once(
        component,
        (Some(base_doc), ours_doc, theirs_doc),
        &Doubts::default(),
        None,
        sides,
    );
    if !merged.pieces.expand(&short) {
        return None;
    }
    let bytes = merged.bytes()?;
    let result = std::str::from_utf8(&bytes).ok()?;
    let open: Vec<_> = merged.conflicts.iter().map(|c| c.path.clone()).collect();
    crate::check::check(component, Some(base), Some(ours), Some(theirs), result, &open).ok()?;
    Some(merged)
}

fn merge_once<'a, 'i>(
    component: &'a ComponentId,
    docs: (Option<&'a Document<'i>>, &'a Document<'i>, &'a Document<'i>),
    doubts: &'a Doubts,
    selection: Option<&'a [ElementPath]>,
    sides: Sides<'_>,
) -> Merged {
    let (base, ours, theirs) = docs;
    let mut merger = Merger {
        component,
        texts: [base.map_or("", |d| d.text), ours.text, theirs.text],
        line_ends: [
            base.map_or("\n", Document::line_end),
            ours.line_end(),
            theirs.line_end(),
        ],
        doubts,
        selection,
        path: Vec::new(),
        conflicts: Vec::new(),
        out: Pieces::default(),
    };
    match merge_roots(&mut merger, docs) {
        Verdict::Conflict(reason) => Merged {
            line_end: ours.line_end(),
            ..Merged::open(component, reason, sides, Kind::Xml)
        },
        _ => Merged {
            pieces: merger.out,
            conflicts: merger.conflicts,
            line_end: ours.line_end(),
            kind: Kind::Xml,
            known_gaps: Gaps::default(),
        },
    }
}

/// Checks a file after a person's decisions: well-formed, and no rule broken that the sides kept.
/// References are only judged when nothing is open any more.
pub(super) fn check_resolved(
    component: &ComponentId,
    bytes: &[u8],
    gaps: &Gaps,
    complete: bool,
) -> Result<(), MergeError> {
    let breaks = |problem: String| MergeError::Breaks {
        component: component.clone(),
        problem,
    };
    let result = Document::parse(bytes).map_err(|e| breaks(format!("not be readable ({e})")))?;
    if !complete {
        return Ok(());
    }
    let facts = Facts::of(&result);
    if let Some(name) = facts
        .referred
        .iter()
        .find(|n| !facts.declares(n) && gaps.declared.contains(**n) && !gaps.dangling.contains(**n))
    {
        return Err(breaks(format!("leave a reference to `{name}`, which is deleted")));
    }
    for (key, places) in &facts.unique {
        if places.len() > 1 && places.len() > gaps.doubled.get(&(key.0, key.1.to_string())).copied().unwrap_or(1) {
            return Err(breaks(format!("use `{}` twice, which may stand only once", key.1)));
        }
    }
    Ok(())
}

/// A rule's number and the name.
type Key<'a> = (usize, Cow<'a, str>);

/// Names in one document.
#[derive(Default)]
struct Facts<'a> {
    /// Values of the type's unique keys, by rule, with the elements' offsets.
    unique: HashMap<Key<'a>, Vec<usize>>,
    /// Names that references in the document use; only for flows.
    referred: BTreeSet<&'a str>,
}

impl<'a> Facts<'a> {
    fn of(document: &'a Document<'_>) -> Self {
        let mut facts = Self::default();
        let Some(ty) = document.root_type() else { return facts };
        if ty.unique.is_empty() {
            return facts;
        }
        facts.collect(document.root(), ty);
        facts
    }

    fn collect(&mut self, node: Node<'a, '_>, ty: &'static Type) {
        for child in elements(node) {
            let name = child.tag_name().name();
            for (rule, group) in ty.unique.iter().enumerate() {
                for (_, key) in group.iter().filter(|(element, _)| *element == name) {
                    if let Some(value) = elements(child).find(|c| c.tag_name().name() == *key) {
                        let value = leaf_text(value);
                        if !value.is_empty() {
                            self.unique.entry((rule, value)).or_default().push(child.range().start);
                        }
                    }
                }
            }
            if child.first_element_child().is_some() {
                self.collect(child, ty);
            } else if ty.name == "Flow"
                && let Some(text) = child.text()
            {
                self.refer(name, text);
            }
        }
    }

    /// Names a leaf of a flow refers to: fields called `…Reference`, and `{!Name…}` in texts.
    fn refer(&mut self, name: &str, text: &'a str) {
        if name.ends_with("Reference") || name.ends_with("References") {
            self.referred.extend(first_name(text));
        }
        for part in text.split("{!").skip(1) {
            self.referred.extend(first_name(part));
        }
    }

    fn declares(&self, name: &str) -> bool {
        self.unique.contains_key(&(0, Cow::Borrowed(name)))
    }
}

/// The identifier at the start of a reference, without the fields behind it.
fn first_name(text: &str) -> Option<&str> {
    let text = text.trim_start();
    let end = text
        .find(|c: char| !(c.is_alphanumeric() || c == '_'))
        .unwrap_or(text.len());
    (end > 0).then(|| &text[..end])
}

impl Gaps {
    fn of(docs: [Option<&Document<'_>>; 3]) -> Self {
        let mut gaps = Self::default();
        for document in docs.into_iter().flatten() {
            let facts = Facts::of(document);
            for ((rule, name), places) in &facts.unique {
                if *rule == 0 {
                    gaps.declared.insert(name.to_string());
                }
                if places.len() > 1 {
                    let most = gaps.doubled.entry((*rule, name.to_string())).or_default();
                    *most = places.len().max(*most);
                }
            }
            gaps.dangling.extend(
                facts
                    .referred
                    .iter()
                    .filter(|n| !facts.declares(n))
                    .map(|n| (*n).to_owned()),
            );
        }
        gaps
    }

    /// Rules that the result breaks and the sides kept, as places to force open.
    fn find(
        &self,
        (base, ours, theirs): (Option<&Document<'_>>, &Document<'_>, &Document<'_>),
        result: &Document<'_>,
    ) -> Vec<Forced> {
        let facts = Facts::of(result);
        let sides = [
            base.map(Facts::of).unwrap_or_default(),
            Facts::of(ours),
            Facts::of(theirs),
        ];
        let mut forced = Vec::new();
        let mut force = |side: usize, key: &Key<'_>, reason: Reason| {
            for at in sides[side].unique.get(key).into_iter().flatten() {
                forced.push(Forced {
                    side,
                    at: *at,
                    reason: reason.clone(),
                });
            }
        };
        for name in facts
            .referred
            .iter()
            .filter(|n| !facts.declares(n) && !self.dangling.contains(**n))
        {
            force(BASE, &(0, Cow::Borrowed(name)), Reason::StillNeeded((*name).into()));
        }
        for (key, places) in &facts.unique {
            let allowed = self.doubled.get(&(key.0, key.1.to_string())).copied().unwrap_or(1);
            let is_on = |side: usize| sides[side].unique.contains_key(key);
            if places.len() > allowed {
                force(THEIRS, key, Reason::Duplicate(key.1.as_ref().into()));
            } else if is_on(BASE) && !is_on(OURS) {
                // We deleted what they moved to another place.
                force(THEIRS, key, Reason::DeletedByUs);
            } else if is_on(BASE) && !is_on(THEIRS) {
                force(OURS, key, Reason::DeletedByThem);
            }
        }
        forced.sort_by_key(|f| (f.side, f.at));
        forced
    }
}

type Parsed<'a> = (Option<Document<'a>>, Document<'a>, Document<'a>);

fn parse_all<'a>(
    path: &str,
    base: Option<&'a [u8]>,
    ours: &'a [u8],
    theirs: &'a [u8],
) -> Result<Parsed<'a>, MergeError> {
    let base_of = || base.map(|b| parse(path, Side::Base, b)).transpose();
    if ours.len() < PARALLEL_BYTES {
        return Ok((
            base_of()?,
            parse(path, Side::Ours, ours)?,
            parse(path, Side::Theirs, theirs)?,
        ));
    }
    std::thread::scope(|scope| {
        let theirs = scope.spawn(|| parse(path, Side::Theirs, theirs));
        let (base, ours) = (base_of()?, parse(path, Side::Ours, ours)?);
        let theirs = theirs.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        Ok((base, ours, theirs))
    })
}
