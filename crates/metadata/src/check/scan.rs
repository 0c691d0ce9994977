//! Cuts a document into the items below its root, and leaves out those that all documents share.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use memchr::{memchr, memchr3, memmem};

use super::MAX_DEPTH;
use crate::table::schema::{self, Order};

/// A document, cut at the items below its root element.
pub(super) struct Scan<'a> {
    text: &'a str,
    /// Name of the root element.
    pub(super) root: &'a str,
    items: Vec<Item<'a>>,
    /// End of the root's start tag.
    head: usize,
    /// The root holds nothing but elements, comments and white space.
    plain: bool,
}

struct Item<'a> {
    name: &'a str,
    range: Range<usize>,
    /// The item of ours that is the same text at the same place in the sequence.
    twin: Option<usize>,
}

/// How many items of ours are tried at each place.
const AHEAD: usize = 8;

/// Cuts `text`. Proves that tags are balanced; what is inside a tag is left to the parser. Where
/// the text goes on like `ours`, it is not looked at again.
pub(super) fn scan<'a>(text: &'a str, ours: Option<&Scan<'a>>) -> Result<Scan<'a>, String> {
    let bytes = text.as_bytes();
    let mut scan = Scan {
        text,
        root: "",
        items: Vec::new(),
        head: 0,
        plain: true,
    };
    let mut stack: Vec<&str> = Vec::new();
    let mut item = (0, "");
    let mut at = 0;
    let ours = ours.filter(|ours| ours.plain);
    let mut next = 0;
    while let Some(found) = memchr(b'<', &bytes[at..]) {
        if stack.len() == 1
            && let Some(ours) = ours
            && let Some(twin) =
                (next..ours.items.len().min(next + AHEAD)).find(|i| bytes[at..].starts_with(ours.with_gap(*i)))
        {
            let length = ours.items[twin].range.len();
            at += ours.with_gap(twin).len();
            scan.items.push(Item {
                name: ours.items[twin].name,
                range: at - length..at,
                twin: Some(twin),
            });
            next = twin + 1;
            continue;
        }
        let start = at + found;
        if stack.len() == 1 && !text[at..start].trim_ascii().is_empty() {
            scan.plain = false;
        }
        let rest = &bytes[start..];
        let until = |end: &str| {
            memmem::find(rest, end.as_bytes())
                .map(|n| start + n + end.len())
                .ok_or_else(|| format!("no `{end}` behind byte {start}"))
        };
        if rest.starts_with(b"<!--") {
            at = until("-->")?;
            if stack.len() == 1 {
                scan.items.push(Item {
                    name: "",
                    range: start..at,
                    twin: None,
                });
            }
        } else if rest.starts_with(b"<![CDATA[") {
            at = until("]]>")?;
            scan.plain &= stack.len() != 1;
        } else if rest.starts_with(b"<?") {
            at = until("?>")?;
            scan.plain &= stack.len() != 1;
        } else if rest.starts_with(b"<!") {
            return Err("a document type declaration".to_owned());
        } else if rest.starts_with(b"</") {
            at = until(">")?;
            let name = text[start + 2..at - 1].trim_ascii_end();
            if stack.pop() != Some(name) {
                return Err(format!("`</{name}>` closes nothing"));
            }
            if stack.len() == 1 {
                scan.items.push(Item {
                    name: item.1,
                    range: item.0..at,
                    twin: None,
                });
            }
        } else {
            at = tag_end(bytes, start)?;
            let empty = bytes[at - 2] == b'/';
            let inner = &text[start + 1..at - if empty { 2 } else { 1 }];
            let name = inner.split_ascii_whitespace().next().unwrap_or_default();
            match stack.len() {
                0 if !scan.root.is_empty() => return Err(format!("a second root element `{name}`")),
                0 => {
                    scan.root = name;
                    scan.head = at;
                }
                1 => item = (start, name),
                MAX_DEPTH => return Err(format!("elements are nested deeper than {MAX_DEPTH}")),
                _ => {}
            }
            if !empty {
                stack.push(name);
            } else if stack.len() == 1 {
                scan.items.push(Item {
                    name,
                    range: start..at,
                    twin: None,
                });
            }
        }
    }
    match stack.pop() {
        Some(name) => Err(format!("`<{name}>` is not closed")),
        None if scan.root.is_empty() => Err("no element".to_owned()),
        None => Ok(scan),
    }
}

/// The byte behind the `>` of the tag at `start`.
fn tag_end(bytes: &[u8], start: usize) -> Result<usize, String> {
    let mut at = start;
    loop {
        let open = || format!("the tag at byte {start} is not closed");
        at += memchr3(b'>', b'"', b'\'', &bytes[at..]).ok_or_else(open)?;
        let quote = bytes[at];
        at += 1;
        if quote == b'>' {
            return Ok(at);
        }
        at += memchr(quote, &bytes[at..]).ok_or_else(open)? + 1;
    }
}

impl<'a> Scan<'a> {
    fn slice(&self, i: usize) -> &'a str {
        &self.text[self.items[i].range.clone()]
    }

    /// The item and the white space before it.
    fn with_gap(&self, i: usize) -> &'a [u8] {
        let from = i
            .checked_sub(1)
            .map_or(self.head, |before| self.items[before].range.end);
        &self.text.as_bytes()[from..self.items[i].range.end]
    }

    /// The text without the items that are settled.
    fn without(&self, settled: &[bool]) -> Cow<'a, str> {
        if !settled.contains(&true) {
            return Cow::Borrowed(self.text);
        }
        let mut kept = String::new();
        let mut from = 0;
        for (item, _) in self.items.iter().zip(settled).filter(|(_, settled)| **settled) {
            let between = &self.text[from..item.range.start];
            kept.push_str(if between.trim_ascii().is_empty() { "" } else { between });
            from = item.range.end;
        }
        kept.push_str(&self.text[from..]);
        Cow::Owned(kept)
    }
}

/// The documents without the items that all four hold as the same text, equally often.
///
/// Items of lists whose order counts stay, and so do those that a formula names by number.
pub(super) fn reduce<'a>(scans: &[Option<Scan<'a>>; 4]) -> [Option<Cow<'a, str>>; 4] {
    let [Some(b), Some(o), Some(t), Some(r)] = scans else {
        return scans
            .each_ref()
            .map(|scan| scan.as_ref().map(|s| Cow::Borrowed(s.text)));
    };
    let all = [b, o, t, r];
    let mut settled = all.map(|scan| vec![false; scan.items.len()]);
    let ty = schema::get(r.root).filter(|ty| !ty.whole && all.iter().all(|s| s.plain && s.root == r.root));
    if let Some(ty) = ty {
        let stays = |name: &str| {
            ty.child(name).is_some_and(|c| c.order != Order::None)
                || ty.units.iter().any(|(formula, list)| *formula == name || *list == name)
        };
        // Items in step: the same text, found one by one along the sequence of ours.
        let mut twins = vec![0_u8; o.items.len()];
        for scan in [b, t, r] {
            for twin in scan.items.iter().filter_map(|item| item.twin) {
                twins[twin] += 1;
            }
        }
        let in_step = |side: usize, i: usize| {
            let twin = if side == OURS { Some(i) } else { all[side].items[i].twin };
            twin.is_some_and(|twin| twins[twin] == 3)
        };
        // The others are counted, with those in step that are the same text as one of them.
        let mut counts: HashMap<&str, [u32; 4]> = HashMap::new();
        let places = || (0..4).flat_map(|side| (0..all[side].items.len()).map(move |i| (side, i)));
        for (side, i) in places().filter(|(side, i)| !in_step(*side, *i)) {
            counts.entry(all[side].slice(i)).or_default()[side] += 1;
        }
        if !counts.is_empty() {
            for i in (0..o.items.len()).filter(|i| twins[*i] == 3) {
                if let Some(counts) = counts.get_mut(o.slice(i)) {
                    counts.iter_mut().for_each(|n| *n += 1);
                }
            }
        }
        let is_same = |slice: &str| counts.get(slice).map(|n| n.iter().all(|m| *m == n[0]));
        let is_settled_twin: Vec<bool> = (0..o.items.len())
            .map(|i| twins[i] == 3 && is_same(o.slice(i)) != Some(false))
            .collect();
        for (side, i) in places() {
            let item = &all[side].items[i];
            let twin = if side == OURS { Some(i) } else { item.twin };
            let is_settled = match twin {
                Some(twin) if twins[twin] == 3 => is_settled_twin[twin],
                _ => is_same(all[side].slice(i)) == Some(true),
            };
            settled[side][i] = is_settled && !stays(item.name);
        }
    }
    let [sb, so, st, sr] = &settled;
    [(b, sb), (o, so), (t, st), (r, sr)].map(|(scan, settled)| Some(scan.without(settled)))
}

/// Place of ours among the four documents.
const OURS: usize = 1;
