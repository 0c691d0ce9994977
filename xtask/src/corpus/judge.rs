//! The rules of judgement, applied to the result of one merge.

use std::collections::{BTreeSet, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use roxmltree::Document;
use syncline_metadata::component::ComponentId;
use syncline_metadata::merge;

use super::CorpusError;
use super::case::{Case, Sides};
use super::model::{self, Counts, ItemKey, Items};

/// What a merge gave.
pub(super) enum Outcome {
    /// The result and its conflicts. `None` bytes: the file is deleted.
    Merged(Option<Vec<u8>>, Vec<At>),
    /// The merge refused.
    Refused(String),
    /// The merge panicked.
    Panicked,
}

/// Where a conflict is.
pub(super) struct At {
    /// First step of the path; empty for the whole file.
    pub(super) first: String,
    /// The path and the reason.
    pub(super) text: String,
}

/// A merge with its verdicts.
pub(super) struct Judged {
    pub(super) case: Case,
    pub(super) took: Duration,
    /// Number of conflicts reported.
    pub(super) conflicts: usize,
    pub(super) verdicts: Vec<Verdict>,
}

/// A finding about one case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verdict {
    /// Rule 1: equal to the committed result, no conflict.
    AsCommitted(bool),
    /// Rule 1: what was committed lacks or doubles something itself, against a merge by key.
    CommittedIsWrong(String),
    /// Rule 2: merged without conflict, else where the first one is.
    Resolved(Option<String>),
    /// Rule 3: reported at the key.
    Reported(String),
    /// Rule 3: merged below the key; the class.
    Deeper(String),
    /// A change of a side is missing, or something is there too often.
    LostOrDoubled(String),
    /// Rule 4: a key stands more often than on any side.
    NewDuplicate(String),
    /// Rule 5: a conflict between equal sides.
    NeedlessConflict,
    /// Rule 6: the result is not well-formed.
    Malformed(String),
    /// Rule 6: an item that is the same text on all sides is not in the result.
    Touched(String),
    /// Rule 6: byte order mark or line ends are not those of ours.
    FileFormat(String),
    /// Rule 6: more lines differ from ours than theirs changed: these, those.
    NotMinimal(usize, usize),
    /// The merge refused well-formed input.
    Refused(String),
    /// An input is not well-formed, and the merge says so.
    BadInput,
    /// The merge panicked.
    Panicked,
}

impl Verdict {
    /// Whether the merge did wrong.
    pub(super) fn is_failure(&self) -> bool {
        !matches!(
            self,
            Self::AsCommitted(true)
                | Self::CommittedIsWrong(_)
                | Self::Resolved(None)
                | Self::Reported(_)
                | Self::Deeper(_)
                | Self::BadInput
        )
    }
}

/// Merges with the product.
pub(super) fn product(case: &Case, sides: &Sides) -> Outcome {
    let root = [&sides.ours, &sides.theirs, &sides.base]
        .into_iter()
        .flatten()
        .find_map(|bytes| {
            let text = std::str::from_utf8(bytes).ok()?;
            Some(Document::parse(text).ok()?.root_element().tag_name().name().to_owned())
        });
    let file = case.path.rsplit('/').next().unwrap_or(&case.path);
    let name = file.split('.').next().filter(|name| !name.is_empty()).unwrap_or("x");
    let component = ComponentId::new(root.unwrap_or_else(|| "Unknown".to_owned()), name.to_owned());
    let versions = merge::Sides {
        base: sides.base.as_deref(),
        ours: sides.ours.as_deref(),
        theirs: sides.theirs.as_deref(),
    };
    match catch_unwind(AssertUnwindSafe(|| merge::merge(&component, &case.path, versions))) {
        Err(_) => Outcome::Panicked,
        Ok(Err(error)) => {
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
            Outcome::Refused(format!("{error}{}", cause.unwrap_or_default()))
        }
        Ok(Ok(merged)) => {
            let at = |conflict: &syncline_metadata::conflict::Conflict| At {
                first: conflict.path.steps.first().map(ToString::to_string).unwrap_or_default(),
                text: format!("{}: {}", conflict.path, conflict.reason),
            };
            let conflicts = merged.conflicts().iter().map(at).collect();
            Outcome::Merged(merged.bytes(), conflicts)
        }
    }
}

/// Merges one case and judges the result.
pub(super) fn judge(
    case: &Case,
    dir: &Path,
    merge: &mut dyn FnMut(&Case, &Sides) -> Outcome,
) -> Result<Judged, CorpusError> {
    let sides = case.read(dir)?;
    let start = Instant::now();
    let outcome = merge(case, &sides);
    let took = start.elapsed();
    let (verdicts, conflicts) = match &outcome {
        Outcome::Panicked => (vec![Verdict::Panicked], 0),
        Outcome::Refused(reason) => (vec![refused(&sides, reason)], 0),
        Outcome::Merged(result, conflicts) => (verdicts(case, &sides, result.as_deref(), conflicts), conflicts.len()),
    };
    Ok(Judged {
        case: case.clone(),
        took,
        conflicts,
        verdicts,
    })
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes)
        .ok()
        .map(|text| text.strip_prefix('\u{feff}').unwrap_or(text))
}

fn refused(sides: &Sides, reason: &str) -> Verdict {
    let is_bad = |side: &Option<Vec<u8>>| {
        side.as_deref()
            .is_some_and(|bytes| text(bytes).is_none_or(|text| Document::parse(text).is_err()))
    };
    if [&sides.base, &sides.ours, &sides.theirs].into_iter().any(is_bad) {
        return Verdict::BadInput;
    }
    Verdict::Refused(reason.to_owned())
}

fn verdicts(case: &Case, sides: &Sides, result: Option<&[u8]>, conflicts: &[At]) -> Vec<Verdict> {
    let mut found = Vec::new();
    let texts = [&sides.base, &sides.ours, &sides.theirs].map(|side| side.as_deref().and_then(text));
    let parsed = texts.map(|text| text.and_then(|text| Document::parse(text).ok()));
    let [base, ours, theirs] = parsed.each_ref().map(Option::as_ref);
    let is_whole = conflicts.iter().any(|at| at.first.is_empty());
    let (Some(ours), Some(theirs)) = (ours, theirs) else {
        let left = ours.or(theirs);
        let is_unchanged = left.map(model::unordered) == base.map(model::unordered);
        let verdict = match (is_unchanged, conflicts.is_empty(), result) {
            (true, true, None) => Verdict::Resolved(None),
            (true, _, _) => Verdict::Resolved(Some("file".to_owned())),
            (false, false, _) => Verdict::Reported("file deleted and changed".to_owned()),
            (false, true, _) => Verdict::LostOrDoubled("file deleted and changed, no conflict".to_owned()),
        };
        return vec![verdict];
    };
    let Some(result) = result else {
        return vec![Verdict::LostOrDoubled("the file is deleted".to_owned())];
    };
    let Some(result_text) = text(result) else {
        return vec![Verdict::Malformed("not UTF-8".to_owned())];
    };
    let merged = match Document::parse(result_text) {
        Ok(merged) => merged,
        Err(error) => return vec![Verdict::Malformed(error.to_string())],
    };

    if model::ordered(ours) == model::ordered(theirs) && !conflicts.is_empty() {
        found.push(Verdict::NeedlessConflict);
    }
    let is_clean = conflicts.is_empty();
    match (case.git.as_deref(), case.ref_conflicts) {
        (Some("clean-same"), Some(0)) => {
            let committed = sides
                .resolved
                .as_deref()
                .and_then(text)
                .and_then(|text| Document::parse(text).ok());
            let is_equal = committed
                .as_ref()
                .is_some_and(|c| model::unordered(c) == model::unordered(&merged));
            let mut wrong = Vec::new();
            if let (Some(committed), false) = (&committed, is_equal) {
                by_key(&mut wrong, [base, Some(ours), Some(theirs), Some(committed)], &[]);
                new_keys(&mut wrong, [base, Some(ours), Some(theirs), Some(committed)]);
            }
            found.push(match wrong.into_iter().find(Verdict::is_failure) {
                Some(verdict) if is_clean => Verdict::CommittedIsWrong(format!("{verdict:?}")),
                _ => Verdict::AsCommitted(is_clean && is_equal),
            });
        }
        (Some("conflict"), Some(0)) => found.push(Verdict::Resolved(conflicts.first().map(|c| c.text.clone()))),
        _ => {}
    }
    by_key(&mut found, [base, Some(ours), Some(theirs), Some(&merged)], conflicts);

    new_keys(&mut found, [base, Some(ours), Some(theirs), Some(&merged)]);
    if !is_whole {
        bytes(
            &mut found,
            sides,
            [base, Some(ours), Some(theirs), Some(&merged)],
            result,
            is_clean,
        );
    }
    found
}

/// Rule 4.
fn new_keys(found: &mut Vec<Verdict>, documents: [Option<&Document<'_>>; 4]) {
    let counts = documents.map(|d| d.map(model::repeated_keys).unwrap_or_default());
    let is_new = |(key, n): &(&String, &u32)| counts[1..3].iter().all(|side| side.get(*key).is_none_or(|m| m < *n));
    if let Some((key, _)) = counts[3].iter().find(is_new) {
        found.push(Verdict::NewDuplicate(key.clone()));
    }
}

/// Rules 2 to 4 by a merge at the top level: what each key must hold.
fn by_key(found: &mut Vec<Verdict>, documents: [Option<&Document<'_>>; 4], conflicts: &[At]) {
    let items: [Items; 4] = model::items(documents);
    let keys: BTreeSet<&ItemKey> = items.iter().flat_map(Items::keys).collect();
    let nothing = Vec::new();
    for key in keys {
        let [b, o, t, r] = items.each_ref().map(|items| items.get(key).unwrap_or(&nothing));
        let is_reported = conflicts.iter().any(|at| is_at(&at.first, key));
        let wanted = if o == b || o == t {
            Some(t)
        } else if t == b {
            Some(o)
        } else {
            None
        };
        let verdict = match wanted {
            Some(wanted) if wanted == r || is_reported => continue,
            Some(wanted) => Some(Verdict::LostOrDoubled(format!(
                "{}: {} wanted, {} found",
                say(key),
                wanted.len(),
                r.len()
            ))),
            None if is_reported => Some(Verdict::Reported(key.0.clone())),
            None => Some(deeper(documents, key)),
        };
        found.extend(verdict);
    }
}

fn say(key: &ItemKey) -> String {
    match &key.1 {
        None => key.0.clone(),
        Some(values) => format!("{}[{}]", key.0, values.join(",")),
    }
}

/// Whether a conflict's first step names the item.
fn is_at(step: &str, key: &ItemKey) -> bool {
    let Some((name, selector)) = step.split_once('[') else {
        return step.is_empty() || step == key.0;
    };
    if name != key.0 {
        return false;
    }
    let Some(values) = &key.1 else { return true };
    let plain = step.parse::<StepText>().map(|step| step.0).unwrap_or_default();
    selector.starts_with('#') || plain.is_empty() || plain.iter().all(|value| values.iter().any(|v| v.contains(value)))
}

/// The values inside a step's selector.
struct StepText(Vec<String>);

impl std::str::FromStr for StepText {
    type Err = syncline_metadata::path::ElementPathError;

    fn from_str(step: &str) -> Result<Self, Self::Err> {
        use syncline_metadata::path::{ElementPath, Selector};
        let path: ElementPath = format!("T:x/{step}").parse()?;
        Ok(Self(path.steps.into_iter().next().map_or(Vec::new(), |step| {
            match step.selector {
                Selector::Key(fields, _) => fields
                    .into_iter()
                    .map(|(_, v)| v.trim().to_owned())
                    .filter(|v| !v.is_empty())
                    .collect(),
                Selector::Value(value, _) => vec![value.to_string()],
                Selector::Only | Selector::Position(_) => Vec::new(),
            }
        })))
    }
}

/// Both sides changed the item, and the result reports no conflict there: every value inside must
/// be accounted for.
fn deeper(documents: [Option<&Document<'_>>; 4], key: &ItemKey) -> Verdict {
    let values = documents.map(|d| {
        d.map(|d| model::values(d, &key.0, key.1.as_deref()))
            .unwrap_or_default()
    });
    let mut all: BTreeSet<&(String, String)> = values.iter().flat_map(Counts::keys).collect();
    let mut changed = BTreeSet::new();
    let of = |value: &(String, String)| values.each_ref().map(|counts| counts.get(value).copied().unwrap_or(0));
    all.retain(|value| {
        let [b, o, t, r] = of(value);
        !(b == o && o == t && t == r)
    });
    for value in &all {
        let [b, o, t, r] = of(value);
        let both = (o + t).saturating_sub(b);
        let fits = if o == b {
            r == t
        } else if t == b {
            r == o
        } else {
            // Both changed it alike. Values inside items without a key may come from two items.
            let most = if o == t && value.0.ends_with(model::PLAIN) {
                o
            } else {
                both
            };
            (o.min(t).min(most)..=o.max(t).max(most)).contains(&r)
        };
        if !fits {
            return Verdict::LostOrDoubled(format!(
                "{}: {} base {b} ours {o} theirs {t} result {r}",
                say(key),
                value.0
            ));
        }
        let inner = value.0.split(['[', '/']).nth(1).unwrap_or("text");
        changed.insert(inner.to_owned());
    }
    let inner: Vec<String> = changed.into_iter().take(3).collect();
    Verdict::Deeper(format!("{} ({})", key.0, inner.join(", ")))
}

/// Rule 6.
fn bytes(
    found: &mut Vec<Verdict>,
    sides: &Sides,
    documents: [Option<&Document<'_>>; 4],
    result: &[u8],
    is_clean: bool,
) {
    let [Some(base), Some(ours), Some(theirs), Some(merged)] = documents.map(|d| d.map(sources)) else {
        return;
    };
    for (source, n) in &base {
        let of = |side: &HashMap<&str, u32>| side.get(source).copied().unwrap_or(0);
        if of(&ours) == *n && of(&theirs) == *n && of(&merged) < *n {
            found.push(Verdict::Touched(source.chars().take(120).collect()));
            break;
        }
    }
    let Some(our_bytes) = sides.ours.as_deref() else { return };
    let has_bom = |bytes: &[u8]| bytes.starts_with(b"\xef\xbb\xbf");
    if has_bom(our_bytes) != has_bom(result) {
        found.push(Verdict::FileFormat("byte order mark".to_owned()));
    }
    let ends = |bytes: &[u8]| {
        let all = bytes.iter().filter(|b| **b == b'\n').count();
        let crlf = bytes.windows(2).filter(|pair| pair == b"\r\n").count();
        (crlf > 0, all > crlf)
    };
    let (our_ends, result_ends) = (ends(our_bytes), ends(result));
    if our_ends != (true, true)
        && (result_ends.0 && !our_ends.0 || result_ends.1 && !our_ends.1)
        && our_ends != (false, false)
    {
        found.push(Verdict::FileFormat("line ends".to_owned()));
    }
    if let (Some(base), Some(theirs), true) = (sides.base.as_deref(), sides.theirs.as_deref(), is_clean) {
        let (wanted, done) = (changed_lines(base, theirs), changed_lines(our_bytes, result));
        if done > wanted + 4 {
            found.push(Verdict::NotMinimal(done, wanted));
        }
    }
}

/// The items below the root as they are written.
fn sources<'a>(document: &'a Document<'_>) -> HashMap<&'a str, u32> {
    let mut counts = HashMap::new();
    for kid in document.root_element().children().filter(roxmltree::Node::is_element) {
        *counts.entry(&document.input_text()[kid.range()]).or_insert(0) += 1;
    }
    counts
}

/// Lines added plus lines removed; line ends and indentation count.
fn changed_lines(old: &[u8], new: &[u8]) -> usize {
    let mut input = imara_diff::InternedInput::default();
    input.update_before(old.split(|b| *b == b'\n'));
    input.update_after(new.split(|b| *b == b'\n'));
    let diff = imara_diff::Diff::compute(imara_diff::Algorithm::MyersMinimal, &input);
    (diff.count_additions() + diff.count_removals()) as usize
}
