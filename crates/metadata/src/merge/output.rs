//! The result of a merge: text with open places in it.

use crate::conflict::{Conflict, Resolution};

/// Names of the three versions behind the conflict markers.
#[derive(Clone, Debug)]
pub struct Labels {
    /// Behind `<<<<<<<`.
    pub ours: String,
    /// Behind `|||||||`.
    pub base: String,
    /// Behind `>>>>>>>`.
    pub theirs: String,
    /// Length of a marker; git's default is 7.
    pub marker_size: usize,
}

impl Default for Labels {
    fn default() -> Self {
        Self {
            ours: "ours".into(),
            base: "base".into(),
            theirs: "theirs".into(),
            marker_size: 7,
        }
    }
}

/// A piece of the result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Text(Vec<u8>),
    /// A conflict by its number, with the white space in front of the element.
    Open {
        lead: Vec<u8>,
        conflict: usize,
    },
}

/// Pieces in the order of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Pieces(Vec<Piece>);

impl Pieces {
    pub fn push(&mut self, text: &[u8]) {
        match self.0.last_mut() {
            Some(Piece::Text(last)) => last.extend_from_slice(text),
            _ => self.0.push(Piece::Text(text.to_vec())),
        }
    }

    pub fn reserve(&mut self, bytes: usize) {
        if self.0.is_empty() {
            self.0.push(Piece::Text(Vec::with_capacity(bytes)));
        }
    }

    pub fn push_with_line_ends(&mut self, text: &str, line_end: &str) {
        let mut out = String::with_capacity(text.len());
        super::splice::line_ends(text, line_end, &mut out);
        self.push(out.as_bytes());
    }

    /// The end of what is written so far.
    pub fn mark(&self) -> (usize, usize) {
        match self.0.last() {
            Some(Piece::Text(text)) => (self.0.len() - 1, text.len()),
            _ => (self.0.len(), 0),
        }
    }

    /// Writes `number` into the first element `name` behind a mark.
    pub fn renumber(&mut self, mark: (usize, usize), name: &str, number: usize) {
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        for (i, piece) in self.0.iter_mut().enumerate().skip(mark.0) {
            let Piece::Text(text) = piece else { continue };
            let from = if i == mark.0 { mark.1 } else { 0 };
            let find = |text: &[u8], from: usize, what: &str| {
                memchr::memmem::find(&text[from..], what.as_bytes()).map(|n| from + n)
            };
            let Some(start) = find(text, from, &open).map(|n| n + open.len()) else {
                continue;
            };
            let Some(end) = find(text, start, &close) else { continue };
            // Something else than a place is not to be written over.
            if !text[start..end].iter().all(u8::is_ascii_digit) {
                return;
            }
            text.splice(start..end, number.to_string().into_bytes());
            return;
        }
    }

    pub fn push_open(&mut self, lead: &[u8], conflict: usize) {
        self.0.push(Piece::Open {
            lead: lead.to_vec(),
            conflict,
        });
    }

    /// Puts shared text back into a merge of short documents; false when it does not fit.
    pub fn expand(&mut self, short: &super::shrink::Short<'_>) -> bool {
        let mut seen = Vec::new();
        for piece in &mut self.0 {
            if let Piece::Text(text) = piece {
                match short.expand(text, &mut seen) {
                    Some(whole) => *text = whole,
                    None => return false,
                }
            }
        }
        short.is_complete(&seen)
    }

    /// The text with our side wherever a conflict is open. `None` when nothing but an absent file is left.
    pub fn render(&self, conflicts: &[Conflict]) -> Option<Vec<u8>> {
        if let [Piece::Open { conflict, .. }] = self.0.as_slice() {
            return conflicts[*conflict].ours.clone();
        }
        let mut out = Vec::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => out.extend_from_slice(text),
                Piece::Open { lead, conflict } => {
                    if let Some(ours) = &conflicts[*conflict].ours {
                        out.extend_from_slice(lead);
                        out.extend_from_slice(ours);
                    }
                }
            }
        }
        Some(out)
    }

    /// The text with conflict markers, lines that both sides share kept outside.
    pub fn with_markers(&self, conflicts: &[Conflict], labels: &Labels, line_end: &str) -> Vec<u8> {
        let mut out = Vec::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => {
                    if needs_break(&out, labels) && !text.starts_with(b"\n") && !text.starts_with(b"\r\n") {
                        out.extend_from_slice(line_end.as_bytes());
                    }
                    out.extend_from_slice(text);
                }
                Piece::Open { lead, conflict } => markers(&mut out, lead, &conflicts[*conflict], labels, line_end),
            }
        }
        if needs_break(&out, labels) {
            out.extend_from_slice(line_end.as_bytes());
        }
        out
    }

    /// Puts decided text in place of conflicts and renumbers the rest. `decided[i]` is the decision for conflict `i`.
    pub fn settle(&mut self, conflicts: &mut Vec<Conflict>, decided: &[Option<Resolution>]) {
        let whole_file = matches!(self.0.as_slice(), [Piece::Open { .. }]);
        let mut number = 0;
        let renumbered: Vec<usize> = decided
            .iter()
            .map(|d| {
                number += usize::from(d.is_none());
                number.wrapping_sub(1)
            })
            .collect();
        for piece in std::mem::take(&mut self.0) {
            match piece {
                Piece::Text(text) => self.push(&text),
                Piece::Open { lead, conflict } => match &decided[conflict] {
                    None => self.push_open(&lead, renumbered[conflict]),
                    Some(resolution) => {
                        let c = &conflicts[conflict];
                        let text = match resolution {
                            Resolution::Ours => c.ours.as_deref(),
                            Resolution::Theirs => c.theirs.as_deref(),
                            Resolution::Base => c.base.as_deref(),
                            Resolution::Value(value) => value.as_deref(),
                        };
                        match text {
                            Some(text) => {
                                self.push(&lead);
                                self.push(text);
                            }
                            None if whole_file => {}
                            None => self.push(b""),
                        }
                    }
                },
            }
        }
        let mut keep = decided.iter().map(Option::is_none);
        conflicts.retain(|_| keep.next().unwrap_or(true));
    }

    /// Whether the result is an absent file.
    pub fn is_absent(&self) -> bool {
        self.0.is_empty()
    }
}

/// Whether the last line is the closing marker, which has no line end yet.
fn needs_break(out: &[u8], labels: &Labels) -> bool {
    if out.last().is_none_or(|b| *b == b'\n') {
        return false;
    }
    let line = out.rsplit(|b| *b == b'\n').next().unwrap_or_default();
    let mut marker = vec![b'>'; labels.marker_size];
    marker.push(b' ');
    marker.extend_from_slice(labels.theirs.as_bytes());
    line == marker.as_slice()
}

fn markers(out: &mut Vec<u8>, lead: &[u8], conflict: &Conflict, labels: &Labels, line_end: &str) {
    let (before, indent) = match lead.iter().rposition(|b| *b == b'\n') {
        Some(at) => lead.split_at(at + 1),
        None => (&[][..], lead),
    };
    if before.is_empty() && out.last().is_some_and(|b| *b != b'\n') {
        out.extend_from_slice(line_end.as_bytes());
    }
    out.extend_from_slice(before);
    let lines = |side: &Option<Vec<u8>>| -> Vec<Vec<u8>> {
        let Some(text) = side else { return Vec::new() };
        let mut all = indent.to_vec();
        all.extend_from_slice(text);
        all.split_inclusive(|b| *b == b'\n').map(<[u8]>::to_vec).collect()
    };
    let (ours, base, theirs) = (lines(&conflict.ours), lines(&conflict.base), lines(&conflict.theirs));
    let head = ours.iter().zip(&theirs).take_while(|(a, b)| a == b).count();
    let tail = ours[head..]
        .iter()
        .rev()
        .zip(theirs[head..].iter().rev())
        .take_while(|(a, b)| a == b)
        .count();
    let put = |out: &mut Vec<u8>, lines: &[Vec<u8>]| {
        for line in lines {
            out.extend_from_slice(line);
            if !line.ends_with(b"\n") {
                out.extend_from_slice(line_end.as_bytes());
            }
        }
    };
    let bar = |out: &mut Vec<u8>, sign: u8, label: Option<&str>| {
        out.extend(std::iter::repeat_n(sign, labels.marker_size));
        if let Some(label) = label {
            out.push(b' ');
            out.extend_from_slice(label.as_bytes());
        }
    };
    put(out, &ours[..head]);
    bar(out, b'<', Some(&labels.ours));
    out.extend_from_slice(line_end.as_bytes());
    put(out, &ours[head..ours.len() - tail]);
    bar(out, b'|', Some(&labels.base));
    out.extend_from_slice(line_end.as_bytes());
    put(out, &base);
    bar(out, b'=', None);
    out.extend_from_slice(line_end.as_bytes());
    put(out, &theirs[head..theirs.len() - tail]);
    bar(out, b'>', Some(&labels.theirs));
    if tail > 0 {
        out.extend_from_slice(line_end.as_bytes());
        let last = ours[ours.len() - tail..].concat();
        out.extend_from_slice(&last);
    } else if [&conflict.ours, &conflict.base, &conflict.theirs]
        .into_iter()
        .flatten()
        .any(|t| t.ends_with(b"\n"))
    {
        // Lines of text bring their own line end; an element's comes with what follows.
        out.extend_from_slice(line_end.as_bytes());
    }
}
