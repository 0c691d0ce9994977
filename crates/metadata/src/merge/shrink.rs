//! Large documents made short: runs of items that all three sides hold as the same text are replaced by
//! one comment each, so that only what differs is parsed. The merged text gets them back.

use std::collections::HashMap;

use memchr::{memchr, memmem};
use xxhash_rust::xxh3::Xxh3DefaultBuilder;

use crate::table::{Holds, Order, Type, schema};

/// Documents below this size are parsed as they are.
const SMALLEST: usize = 32 * 1024;

/// Fewer runs of fewer items are not worth it.
const SHORTEST: usize = 2;

/// Base, ours and theirs without what they share.
#[derive(Debug)]
pub(super) struct Short<'t> {
    pub texts: [String; 3],
    /// The text of ours that each comment stands for.
    runs: Vec<&'t str>,
}

impl<'t> Short<'t> {
    /// Makes documents short; `None` where they are small, unusual, or of a type whose rules look at the whole document.
    pub fn of(base: &str, ours: &'t str, theirs: &str) -> Option<Self> {
        let texts = [base, ours, theirs];
        if ours.len() < SMALLEST || texts.iter().any(|t| t.contains(MARK)) {
            return None;
        }
        let cuts = [cut(base)?, cut(ours)?, cut(theirs)?];
        let ty = schema::get(cuts[1].root)?;
        if cuts.iter().any(|c| c.root != cuts[1].root) || ty.whole || !ty.unique.is_empty() {
            return None;
        }
        let shared = Shared::find(texts, &cuts, ty);
        let runs = shared.runs();
        if runs.is_empty() {
            return None;
        }
        let mut short = Self {
            texts: Default::default(),
            runs: Vec::with_capacity(runs.len()),
        };
        for run in &runs {
            let items = &cuts[1].items[run.at[1]..run.at[1] + run.len];
            short.runs.push(&ours[items[0].start..items[run.len - 1].end]);
        }
        for side in 0..3 {
            let mut order: Vec<(usize, usize)> = runs.iter().enumerate().map(|(n, run)| (run.at[side], n)).collect();
            order.sort_unstable();
            let (text, items) = (texts[side], &cuts[side].items);
            let out = &mut short.texts[side];
            let mut from = 0;
            for (first, n) in order {
                out.push_str(&text[from..items[first].start]);
                out.push_str(&format!("<!--{MARK}{n}-->"));
                from = items[first + runs[n].len - 1].end;
            }
            out.push_str(&text[from..]);
        }
        Some(short)
    }

    /// Whether every run was put back.
    pub fn is_complete(&self, seen: &[bool]) -> bool {
        seen.len() == self.runs.len() && seen.iter().all(|seen| *seen)
    }

    /// Puts the shared text back. `None` when a comment is missing or stands twice.
    pub fn expand(&self, text: &[u8], seen: &mut Vec<bool>) -> Option<Vec<u8>> {
        seen.resize(self.runs.len(), false);
        let mut out = Vec::with_capacity(text.len() + self.runs.iter().map(|r| r.len()).sum::<usize>());
        let open = format!("<!--{MARK}");
        let mut from = 0;
        for at in memmem::find_iter(text, open.as_bytes()) {
            let digits = at + open.len();
            let end = digits + memmem::find(&text[digits..], b"-->")?;
            let n: usize = std::str::from_utf8(&text[digits..end]).ok()?.parse().ok()?;
            if std::mem::replace(seen.get_mut(n)?, true) {
                return None;
            }
            out.extend_from_slice(&text[from..at]);
            out.extend_from_slice(self.runs[n].as_bytes());
            from = end + 3;
        }
        out.extend_from_slice(&text[from..]);
        Some(out)
    }
}

/// Begins the comment that stands for a run.
const MARK: &str = "syncline-run ";

/// A run of shared items: where it begins on each side, and how many there are.
struct Run {
    at: [usize; 3],
    len: usize,
}

/// Items below the root.
struct Cut<'t> {
    root: &'t str,
    items: Vec<Item<'t>>,
}

struct Item<'t> {
    name: &'t str,
    start: usize,
    end: usize,
    /// Nothing but elements without attributes, and text with known entities.
    plain: bool,
}

struct Shared {
    /// For each item of ours that may be left out, its place on all sides.
    places: Vec<Option<[usize; 3]>>,
}

impl Shared {
    fn find(texts: [&str; 3], cuts: &[Cut<'_>; 3], ty: &'static Type) -> Self {
        struct Seen {
            count: [u32; 3],
            at: [usize; 3],
            keep: bool,
        }
        let slice = |side: usize, item: &Item<'_>| &texts[side].as_bytes()[item.start..item.end];
        let mut seen: HashMap<&[u8], usize, Xxh3DefaultBuilder> =
            HashMap::with_capacity_and_hasher(cuts[1].items.len() * 2, Xxh3DefaultBuilder::new());
        let mut all: Vec<Seen> = Vec::with_capacity(cuts[1].items.len() * 2);
        let mut ids: [Vec<usize>; 3] = Default::default();
        for side in 0..3 {
            for (i, item) in cuts[side].items.iter().enumerate() {
                let id = *seen.entry(slice(side, item)).or_insert_with(|| {
                    all.push(Seen {
                        count: [0; 3],
                        at: [0; 3],
                        keep: false,
                    });
                    all.len() - 1
                });
                all[id].count[side] += 1;
                all[id].at[side] = i;
                ids[side].push(id);
            }
        }
        let free = |item: &Item<'_>| {
            let known = ty.child(item.name).is_some_and(|c| {
                c.list
                    && c.order == Order::None
                    && (c.holds == Holds::Text || !c.key.is_empty() && c.proof.is_trusted())
            });
            item.plain
                && known
                && !ty
                    .units
                    .iter()
                    .any(|(formula, list)| *formula == item.name || *list == item.name)
        };
        for item in &cuts[1].items {
            if !free(item)
                && let Some(id) = seen.get(slice(1, item))
            {
                all[*id].keep = true;
            }
        }
        // What stands beside a difference shows where the difference belongs.
        let shared = |seen: &Seen| seen.count == [1, 1, 1] && !seen.keep;
        let mut beside = Vec::new();
        for ids in &ids {
            for (i, id) in ids.iter().enumerate().filter(|(_, id)| !shared(&all[**id])) {
                beside.extend(i.checked_sub(1).map(|before| ids[before]));
                beside.extend(ids.get(i + 1));
                beside.push(*id);
            }
        }
        for id in beside {
            all[id].keep = true;
        }
        let places = ids[1]
            .iter()
            .map(|id| Some(&all[*id]).filter(|seen| shared(seen)).map(|seen| seen.at))
            .collect();
        Self { places }
    }

    /// Shared items that follow each other on all sides.
    fn runs(&self) -> Vec<Run> {
        let mut runs: Vec<Run> = Vec::new();
        for place in &self.places {
            let Some(at) = place else { continue };
            match runs.last_mut() {
                Some(run) if (0..3).all(|side| run.at[side] + run.len == at[side]) => run.len += 1,
                _ => runs.push(Run { at: *at, len: 1 }),
            }
        }
        runs.retain(|run| run.len >= SHORTEST);
        runs
    }
}

/// Cuts a document at the items below its root. `None` for anything unusual, which the parser shall judge.
fn cut(text: &str) -> Option<Cut<'_>> {
    let bytes = text.as_bytes();
    let mut at = 0;
    if text.trim_start_matches('\u{feff}').starts_with("<?xml") {
        at = memmem::find(bytes, b"?>")? + 2;
    }
    at += memchr(b'<', &bytes[at..])?;
    let open_end = at + memchr(b'>', &bytes[at..])?;
    if !bytes.get(at + 1)?.is_ascii_alphabetic() || bytes[open_end - 1] == b'/' {
        return None;
    }
    let root = name_of(&text[at + 1..open_end]);
    at = open_end + 1;
    let mut cut = Cut {
        root,
        items: Vec::new(),
    };
    loop {
        let start = at + memchr(b'<', &bytes[at..])?;
        if !bytes[at..start].iter().all(u8::is_ascii_whitespace) {
            return None;
        }
        if bytes[start..].starts_with(b"</") {
            let end = start + memchr(b'>', &bytes[start..])?;
            let closes = text[start + 2..end].trim_ascii_end() == root;
            return (closes && bytes[end + 1..].iter().all(u8::is_ascii_whitespace)).then_some(cut);
        }
        let item = item(text, start)?;
        at = item.end;
        cut.items.push(item);
    }
}

fn item(text: &str, start: usize) -> Option<Item<'_>> {
    let bytes = text.as_bytes();
    let mut stack: Vec<&str> = Vec::new();
    let mut plain = true;
    let mut first = "";
    let mut at = start;
    loop {
        let open = text_end(bytes, at, &mut plain)?;
        let mut end = open + 1;
        while NAME[usize::from(*bytes.get(end)?)] {
            end += 1;
        }
        // Comments, sections and attributes, in which `>` may stand, are left to the parser.
        if bytes[end] != b'>' {
            return None;
        }
        let tag = &text[open + 1..end];
        if let Some(name) = tag.strip_prefix('/') {
            if stack.pop()? != name {
                return None;
            }
        } else {
            let name = tag.strip_suffix('/').unwrap_or(tag);
            if !name.starts_with(|c: char| c.is_ascii_alphabetic()) || name.contains('/') {
                return None;
            }
            if stack.is_empty() {
                first = name;
            }
            if name.len() == tag.len() {
                stack.push(name);
            }
        }
        at = end + 1;
        if stack.is_empty() {
            return Some(Item {
                name: first,
                start,
                end: at,
                plain,
            });
        }
    }
}

/// The next `<`. Text that the parser must judge is not plain: unknown entities, control characters, `>`.
fn text_end(bytes: &[u8], mut at: usize, plain: &mut bool) -> Option<usize> {
    loop {
        while !STOPS[usize::from(*bytes.get(at)?)] {
            at += 1;
        }
        match bytes[at] {
            b'<' => return Some(at),
            b'&' => *plain &= KNOWN_ENTITIES.iter().any(|e| bytes[at..].starts_with(e.as_bytes())),
            _ => *plain = false,
        }
        at += 1;
    }
}

const KNOWN_ENTITIES: [&str; 5] = ["&amp;", "&lt;", "&gt;", "&quot;", "&apos;"];

/// Bytes of a tag without attributes: letters, digits, `_` and `/`.
const NAME: [bool; 256] = {
    let mut table = [false; 256];
    let mut b = 0;
    while b < 128 {
        let byte = b as u8;
        table[b] = byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'/';
        b += 1;
    }
    table
};

/// Bytes at which text is looked at: `<`, `&`, `>` and control characters that XML does not allow.
const STOPS: [bool; 256] = {
    let mut table = [false; 256];
    let mut b = 0;
    while b < 128 {
        let byte = b as u8;
        table[b] = matches!(byte, b'<' | b'&' | b'>') || byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r');
        b += 1;
    }
    table
};

fn name_of(tag: &str) -> &str {
    tag.split(|c: char| c.is_ascii_whitespace()).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(fields: impl Iterator<Item = (usize, bool)>) -> String {
        let mut out = String::from("<?xml version=\"1.0\"?>\n<Profile xmlns=\"x\">");
        for (n, on) in fields {
            out.push_str(&format!(
                "\n  <fieldPermissions><editable>{on}</editable><field>A.F{n:05}</field></fieldPermissions>"
            ));
        }
        out + "\n</Profile>\n"
    }

    #[test]
    fn shared_runs_come_back() {
        let base = profile((0..900).map(|n| (n, false)));
        let ours = profile((0..900).map(|n| (n, n == 100)));
        let theirs = profile((0..901).filter(|n| *n != 500).map(|n| (n, false)));
        let short = Short::of(&base, &ours, &theirs).unwrap();
        assert!(short.texts.iter().all(|t| t.len() < 2000), "{}", short.texts[1]);
        assert_eq!(
            short.expand(short.texts[1].as_bytes(), &mut Vec::new()).as_deref(),
            Some(ours.as_bytes())
        );
        let twice = short.texts[1].repeat(2);
        assert_eq!(short.expand(twice.as_bytes(), &mut Vec::new()), None);
    }

    #[test]
    fn unusual_documents_are_left_alone() {
        let base = profile((0..900).map(|n| (n, false)));
        for odd in [
            "<!-- c -->",
            "<a b='c'/>",
            "stray",
            "<a>",
            "<?p?>",
            "<![CDATA[x]]>",
            "\u{1}",
        ] {
            let ours = base.replacen("</Profile>", &format!("{odd}</Profile>"), 1);
            assert!(Short::of(&base, &ours, &base).is_none(), "{odd}");
        }
    }
}
