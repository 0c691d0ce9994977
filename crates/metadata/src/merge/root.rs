//! Merge of whole documents: the root elements and what stands around them.

use super::element::{Merger, Triple, Verdict};
use crate::align::SIDES;
use crate::conflict::Reason;
use crate::xml::{Document, source};

/// Merges the root elements of three documents into `merger.out`, prolog and epilog included.
pub(super) fn merge_roots<'a, 'i: 'a>(
    merger: &mut Merger<'a, 'i>,
    docs: (Option<&'a Document<'i>>, &'a Document<'i>, &'a Document<'i>),
) -> Verdict {
    let (base, ours, theirs) = docs;
    let triple = Triple {
        base: base.map(Document::root),
        ours: ours.root(),
        theirs: theirs.root(),
    };
    let ty = ours.root_type();
    let verdict = match merger.verdict(triple, ty, false) {
        // Theirs as a file, so that nothing of its layout is lost where ours has none of its own.
        Verdict::Parts => Verdict::Parts,
        Verdict::Conflict(Reason::BothChanged) if ty.is_none() => Verdict::Conflict(Reason::Whole),
        other => other,
    };
    if matches!(verdict, Verdict::Conflict(_)) {
        return verdict;
    }
    let prolog = |d: &Document<'i>| &d.text[..d.root().range().start];
    let epilog = |d: &Document<'i>| &d.text[d.root().range().end..];
    for part in [&prolog as &dyn Fn(&Document<'i>) -> &'i str, &epilog] {
        let texts = [base.map_or("", part), part(ours), part(theirs)];
        let all_differ = texts[0] != texts[1] && texts[0] != texts[2] && texts[1] != texts[2];
        if all_differ && texts.into_iter().any(has_instructions) {
            return Verdict::Conflict(Reason::Whole);
        }
    }
    let is_pick = merger.selection.is_some();
    let around = |part: &dyn Fn(&Document<'i>) -> &'i str| {
        if is_pick {
            // No path names what stands around the root, so nobody selected it.
            part(ours).to_owned()
        } else {
            around_root(base.map_or("", part), part(ours), part(theirs), ours.line_end())
        }
    };
    merger.out.reserve(ours.text.len() + 1024);
    merger.out.push(around(&prolog).as_bytes());
    match verdict {
        Verdict::Parts => merger.parts(triple, ty, [""; SIDES]),
        Verdict::Theirs => merger
            .out
            .push_with_line_ends(source(theirs.text, triple.theirs), ours.line_end()),
        _ => merger.out.push(source(ours.text, triple.ours).as_bytes()),
    }
    merger.out.push(around(&epilog).as_bytes());
    verdict
}

/// The text before or behind the root element: ours, with the comments that theirs added there and
/// without those that theirs deleted. Theirs alone where ours left it as it was.
fn around_root(base: &str, ours: &str, theirs: &str, line_end: &str) -> String {
    let mut out = String::new();
    if base == ours {
        super::splice::line_ends(theirs, line_end, &mut out);
        return out;
    }
    ours.clone_into(&mut out);
    for gone in comments(base).filter(|c| !theirs.contains(c)) {
        let line = format!("{gone}{line_end}");
        out = out.replace(&line, "").replace(gone, "");
    }
    for added in comments(theirs).filter(|c| !base.contains(c) && !ours.contains(c)) {
        super::splice::line_ends(added, line_end, &mut out);
        out.push_str(line_end);
    }
    out
}

/// Whether the text around a root element holds processing instructions besides the XML declaration.
fn has_instructions(text: &str) -> bool {
    let text = text.trim_start_matches('\u{feff}');
    let declared = ["<?xml version=\"1.", "<?xml version='1."]
        .iter()
        .any(|start| text.starts_with(start));
    text.matches("<?").count() > usize::from(declared)
}

/// Comments in the text around a root element.
fn comments(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("<!--").filter_map(|(start, _)| {
        let end = text[start..].find("-->")?;
        Some(&text[start..start + end + 3])
    })
}
