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
    /// The root holds nothing but elements, comments and white space.
    plain: bool,
}

struct Item<'a> {
    name: &'a str,
    range: Range<usize>,
}

/// Cuts `text`. Proves that tags are balanced; what is inside a tag is left to the parser.
pub(super) fn scan(text: &str) -> Result<Scan<'_>, String> {
    let bytes = text.as_bytes();
    let mut scan = Scan {
        text,
        root: "",
        items: Vec::new(),
        plain: true,
    };
    let mut stack: Vec<&str> = Vec::new();
    let mut item = (0, "");
    let mut at = 0;
    while let Some(found) = memchr(b'<', &bytes[at..]) {
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
                });
            }
        } else {
            at = tag_end(bytes, start)?;
            let empty = bytes[at - 2] == b'/';
            let inner = &text[start + 1..at - if empty { 2 } else { 1 }];
            let name = inner.split_ascii_whitespace().next().unwrap_or_default();
            match stack.len() {
                0 if !scan.root.is_empty() => return Err(format!("a second root element `{name}`")),
                0 => scan.root = name,
                1 => item = (start, name),
                MAX_DEPTH => return Err(format!("elements are nested deeper than {MAX_DEPTH}")),
                _ => {}
            }
            if !empty {
                stack.push(name);
            } else if stack.len() == 1 {
                scan.items.push(Item { name, range: start..at });
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
        let mut counts: HashMap<&str, [u32; 4]> = HashMap::with_capacity(b.items.len());
        for (side, scan) in all.iter().enumerate() {
            for i in 0..scan.items.len() {
                counts.entry(scan.slice(i)).or_default()[side] += 1;
            }
        }
        for (scan, settled) in all.iter().zip(&mut settled) {
            for (i, done) in settled.iter_mut().enumerate() {
                let same = counts.get(scan.slice(i)).is_some_and(|n| n.iter().all(|m| *m == n[0]));
                *done = same && !stays(scan.items[i].name);
            }
        }
    }
    let [sb, so, st, sr] = &settled;
    [(b, sb), (o, so), (t, st), (r, sr)].map(|(scan, settled)| Some(scan.without(settled)))
}
