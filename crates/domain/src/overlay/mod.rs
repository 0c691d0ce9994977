//! Values that differ between environments: put in on the way down, taken out on the way up.
//!
//! The places of overlays belong to the environments: what stands there is never a change that is promoted. Taking overlays out
//! puts the values of a reference back, the file as its target has it; where there is none, a mark stands instead, and
//! [`marks`] finds those that no overlay of the target replaced.

mod file;
mod locate;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;

use syncline_metadata::component::ComponentId;
use syncline_metadata::path::ElementPath;
use syncline_metadata::xml::{Document, XmlError, is_metadata};

pub use file::{FOLDER, Kind, Overlay, Overlays, Place, Sealed, Value};
use locate::{NoSpot, Spot, locate};

/// A file, and the component that it belongs to.
#[derive(Clone, Copy, Debug)]
pub struct File<'a> {
    /// Its path from the root of the repository.
    pub path: &'a str,
    /// The component.
    pub component: Option<&'a ComponentId>,
    /// What is in it.
    pub bytes: &'a [u8],
}

/// A file with its overlays in it, or without.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Laid {
    /// The file.
    pub bytes: Vec<u8>,
    /// Which overlays found their place, by number in the list.
    pub used: BTreeSet<usize>,
    /// Overlays of this component that did not, and why.
    pub missing: Vec<Missing>,
    /// Overlays that were taken out without a value to put back: a mark stands there.
    pub marked: BTreeSet<usize>,
}

/// An overlay that found no place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// Its number in the list.
    pub overlay: usize,
    /// Why, for people.
    pub reason: &'static str,
}

/// Overlays cannot be put in or taken out.
#[derive(Debug, thiserror::Error)]
pub enum OverlayError {
    /// The file cannot be read.
    #[error("{path} cannot be read for its overlays")]
    Unreadable {
        /// The file.
        path: String,
        /// What is wrong.
        source: XmlError,
    },
    /// A text file is not UTF-8.
    #[error("{path} is not UTF-8, so no text overlay can be put in; save it as UTF-8, or take it out of `files`")]
    NotUtf8 {
        /// The file.
        path: String,
    },
    /// A secret cannot be had.
    #[error("the secret for {place} cannot be opened: {reason}")]
    Secret {
        /// Its place.
        place: String,
        /// Why.
        reason: String,
    },
    /// What was put in could not be taken out again.
    #[error(
        "the overlays of {path} hide each other: taken out again they would not give the same file; make their patterns narrower"
    )]
    Ambiguous {
        /// The file.
        path: String,
    },
}

/// Opens a secret, or says why it cannot be.
pub type Resolve<'a> = &'a dyn Fn(&Sealed) -> Result<String, String>;

/// Puts an environment's values into a file. What is put in is proved to come out again.
pub fn apply(overlays: &Overlays, file: File<'_>, resolve: Resolve<'_>) -> Result<Laid, OverlayError> {
    let mut laid = Laid::of(file);
    let mut edits = Vec::new();
    let document = laid.document(overlays, file)?;
    for (n, overlay, path) in overlays.elements(file) {
        let Some(document) = &document else { continue };
        match locate(document, &path.steps) {
            Err(reason) => laid.miss(n, reason),
            Ok(spot) => {
                let value = overlay.value(resolve)?;
                edits.extend(put(document.text, &spot, &value));
                laid.used.insert(n);
            }
        }
    }
    laid.edit(edits);
    for (n, overlay, pattern) in overlays.texts(file) {
        let text = text_of(&laid.bytes, file)?;
        let found = found(text, overlay, pattern);
        if found.is_empty() {
            continue;
        }
        let value = overlay.value(resolve)?;
        let value = if is_xml(file.path, file.bytes) {
            escape(&value, false)
        } else {
            value.into()
        };
        let edits = found.into_iter().map(|range| (range, value.to_string())).collect();
        laid.edit(edits);
        laid.used.insert(n);
    }
    if !laid.used.is_empty() {
        let laid_file = File {
            bytes: &laid.bytes,
            ..file
        };
        if strip(overlays, laid_file, Some(file.bytes))?.bytes != file.bytes {
            return Err(OverlayError::Ambiguous {
                path: file.path.to_owned(),
            });
        }
    }
    Ok(laid)
}

/// Rewrites the values of a file that stand at the elements of overlays: `new` is told the place and what stands there, and gives what
/// is to stand there. `None` when nothing changes.
pub fn rewrite(
    overlays: &Overlays,
    file: File<'_>,
    new: &mut dyn FnMut(&ElementPath, &str) -> Option<String>,
) -> Result<Option<Vec<u8>>, OverlayError> {
    let mut laid = Laid::of(file);
    let Some(document) = laid.document(overlays, file)? else {
        return Ok(None);
    };
    let mut edits = Vec::new();
    for (_, _, path) in overlays.elements(file) {
        if let Ok(spot) = locate(&document, &path.steps) {
            let (Spot::Element { text, .. } | Spot::Attribute { text, .. }) = &spot;
            edits.extend(new(path, text).and_then(|value| put(document.text, &spot, &value)));
        }
    }
    if edits.is_empty() {
        return Ok(None);
    }
    laid.edit(edits);
    Ok(Some(laid.bytes))
}

/// Takes an environment's values out of a file: what `reference` has at their places stands there instead.
pub fn strip(overlays: &Overlays, file: File<'_>, reference: Option<&[u8]>) -> Result<Laid, OverlayError> {
    let mut laid = Laid::of(file);
    let texts: Vec<_> = overlays.texts(file).collect();
    // The reference is as the file was before the first overlay; before the later ones it has the earlier ones in it.
    for (n, overlay, pattern) in texts.into_iter().rev() {
        let text = text_of(&laid.bytes, file)?;
        let places = found(text, overlay, pattern);
        if places.is_empty() {
            continue;
        }
        let before = reference
            .map(|bytes| text_of(bytes, file))
            .transpose()?
            .unwrap_or_default();
        let values: Vec<&str> = found(before, overlay, pattern)
            .into_iter()
            .map(|range| &before[range])
            .collect();
        let one = values
            .first()
            .filter(|first| values.iter().all(|value| value == *first))
            .copied();
        let mark = mark(&overlay.place);
        let same = values.len() == places.len();
        let edits = places.into_iter().enumerate().map(|(at, range)| {
            let value = if same { Some(values[at]) } else { one };
            (range, value.unwrap_or(&mark).to_owned())
        });
        let edits: Vec<_> = edits.collect();
        if edits.iter().any(|(_, value)| *value == mark) {
            laid.marked.insert(n);
        }
        laid.edit(edits);
        laid.used.insert(n);
    }
    let bytes = std::mem::take(&mut laid.bytes);
    let stripped = File { bytes: &bytes, ..file };
    let document = laid.document(overlays, stripped)?;
    let before = reference.filter(|bytes| is_xml(file.path, bytes));
    let before = before.map(|bytes| parse(bytes, file.path)).transpose()?;
    let mut edits = Vec::new();
    for (n, overlay, path) in overlays.elements(stripped) {
        let Some(document) = &document else { continue };
        let spot = match locate(document, &path.steps) {
            Ok(spot) => spot,
            Err(reason) => {
                laid.miss(n, reason);
                continue;
            }
        };
        let value = before
            .as_ref()
            .and_then(|before| Some((before.text, locate(before, &path.steps).ok()?)));
        match value {
            Some((text, old)) => edits.push((spot.range(), text[old.range()].to_owned())),
            None => {
                edits.extend(put(document.text, &spot, &mark(&overlay.place)));
                laid.marked.insert(n);
            }
        }
        laid.used.insert(n);
    }
    drop(document);
    laid.bytes = bytes;
    laid.edit(edits);
    Ok(laid)
}

/// The places of overlays that were taken out of a file and not put in again. Such a file must not be deployed.
pub fn marks(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    let parts = text.split(MARK).skip(1);
    parts
        .filter_map(|part| Some(part.split_once(MARK_END)?.0))
        .map(|place| {
            let plain = IN_MARKS.iter().rev();
            plain.fold(place.to_owned(), |text, (c, code)| text.replace(code, c))
        })
        .collect()
}

const MARK: &str = "{{overlay ";
const MARK_END: &str = "}}";

/// What does not stand in a mark as it is: it can be put in XML and in code unchanged.
const IN_MARKS: [(&str, &str); 7] = [
    ("%", "%25"),
    ("&", "%26"),
    ("<", "%3C"),
    (">", "%3E"),
    ("\"", "%22"),
    ("'", "%27"),
    ("}", "%7D"),
];

/// What stands in a file where a value was taken out and none is known.
fn mark(place: &Place) -> String {
    let plain = place.to_string();
    let coded = IN_MARKS.iter().fold(plain, |text, (c, code)| text.replace(c, code));
    format!("{MARK}{coded}{MARK_END}")
}

impl Overlays {
    /// Overlays that none of several files used.
    pub fn unused(&self, used: &BTreeSet<usize>) -> Vec<&Overlay> {
        let unused = self.list.iter().enumerate().filter(|(n, _)| !used.contains(n));
        unused.map(|(_, overlay)| overlay).collect()
    }

    /// Whether an element is the place of an overlay, or lies in one.
    pub fn owns(&self, element: &ElementPath) -> bool {
        self.list.iter().any(|overlay| match &overlay.place {
            Place::Element(path) => element.is_within(path),
            Place::Text { .. } => false,
        })
    }

    fn elements<'o>(&'o self, file: File<'o>) -> impl Iterator<Item = (usize, &'o Overlay, &'o ElementPath)> {
        self.list
            .iter()
            .enumerate()
            .filter_map(move |(n, overlay)| match &overlay.place {
                Place::Element(path) => (Some(&path.component) == file.component).then_some((n, overlay, path)),
                Place::Text { .. } => None,
            })
    }

    fn texts<'o>(&'o self, file: File<'o>) -> impl Iterator<Item = (usize, &'o Overlay, &'o regex::Regex)> {
        self.list
            .iter()
            .enumerate()
            .filter_map(move |(n, overlay)| match &overlay.place {
                Place::Text { pattern, .. } => overlay.is_for(file.path).then(|| (n, overlay, pattern.regex())),
                Place::Element(_) => None,
            })
    }
}

impl Overlay {
    fn value(&self, resolve: Resolve<'_>) -> Result<String, OverlayError> {
        match &self.value {
            Value::Plain(text) => Ok(text.clone()),
            Value::Secret(sealed) => resolve(sealed).map_err(|reason| OverlayError::Secret {
                place: self.place.to_string(),
                reason,
            }),
        }
    }
}

impl Laid {
    fn of(file: File<'_>) -> Self {
        Self {
            bytes: file.bytes.to_vec(),
            used: BTreeSet::new(),
            missing: Vec::new(),
            marked: BTreeSet::new(),
        }
    }

    /// The file as XML, where an overlay wants to know it.
    fn document<'a>(&self, overlays: &Overlays, file: File<'a>) -> Result<Option<Document<'a>>, OverlayError> {
        match is_xml(file.path, file.bytes) && overlays.elements(file).next().is_some() {
            true => parse(file.bytes, file.path).map(Some),
            false => Ok(None),
        }
    }

    fn miss(&mut self, overlay: usize, reason: NoSpot) {
        let reason = match reason {
            NoSpot::Absent => "there is no such element",
            NoSpot::Several => "there are several such elements; tell by a key which one",
            NoSpot::Holds => "the element holds others; name the one that has the value",
            NoSpot::Nil => "the element says `xsi:nil`; give it a value first",
        };
        self.missing.push(Missing { overlay, reason });
    }

    /// Replaces ranges that do not overlap.
    fn edit(&mut self, mut edits: Vec<(Range<usize>, String)>) {
        edits.sort_by_key(|(range, _)| range.start);
        for (range, text) in edits.into_iter().rev() {
            self.bytes.splice(range, text.into_bytes());
        }
    }
}

impl Spot {
    fn range(&self) -> Range<usize> {
        match self {
            Self::Element { tail, .. } => tail.clone(),
            Self::Attribute { value, .. } => value.clone(),
        }
    }
}

/// The edit that puts a value in a place; none where it stands there.
fn put(text: &str, spot: &Spot, value: &str) -> Option<(Range<usize>, String)> {
    match spot {
        Spot::Element { text: now, .. } | Spot::Attribute { text: now, .. } if now == value => None,
        Spot::Element { tail, name, .. } => Some((
            tail.clone(),
            format!(">{}</{}>", escape(value, false), &text[name.clone()]),
        )),
        Spot::Attribute { value: range, .. } => Some((range.clone(), escape(value, true).into_owned())),
    }
}

/// Matches of the pattern, and marks of the same pattern.
fn found(text: &str, overlay: &Overlay, pattern: &regex::Regex) -> Vec<Range<usize>> {
    let mark = mark(&overlay.place);
    let mut places: Vec<Range<usize>> = text
        .match_indices(&mark)
        .map(|(at, mark)| at..at + mark.len())
        .collect();
    for found in pattern.find_iter(text) {
        if !places
            .iter()
            .any(|place| place.start < found.end() && found.start() < place.end)
        {
            places.push(found.range());
        }
    }
    places.sort_by_key(|place| place.start);
    places
}

fn is_xml(path: &str, bytes: &[u8]) -> bool {
    path.ends_with("-meta.xml") || is_metadata(bytes)
}

fn parse<'a>(bytes: &'a [u8], path: &str) -> Result<Document<'a>, OverlayError> {
    Document::parse(bytes).map_err(|source| OverlayError::Unreadable {
        path: path.to_owned(),
        source,
    })
}

fn text_of<'a>(bytes: &'a [u8], file: File<'_>) -> Result<&'a str, OverlayError> {
    std::str::from_utf8(bytes).map_err(|_| OverlayError::NotUtf8 {
        path: file.path.to_owned(),
    })
}

fn escape(value: &str, in_attribute: bool) -> Cow<'_, str> {
    if !value.contains(['&', '<', '>', '"', '\'', '\n', '\r', '\t']) {
        return Cow::Borrowed(value);
    }
    let mut out = String::with_capacity(value.len() + 8);
    for c in value.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' if in_attribute => out.push_str("&quot;"),
            '\'' if in_attribute => out.push_str("&apos;"),
            // A parser reads line ends and tabs of attributes as spaces.
            '\n' | '\t' if in_attribute => out.push_str(&format!("&#{};", u32::from(c))),
            '\r' => out.push_str("&#13;"),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}
