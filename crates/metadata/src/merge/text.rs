//! Merge of text by lines, with the same conflict values.

use imara_diff::{Algorithm, Diff, Hunk, InternedInput, sources};

use super::output::Pieces;
use super::{Kind, Merged};
use crate::component::ComponentId;
use crate::conflict::{Conflict, Reason};
use crate::path::{ElementPath, Selector, Step};

/// Merges lines. Changes that touch or overlap conflict unless they are equal.
pub(super) fn merge(component: &ComponentId, base: &[u8], ours: &[u8], theirs: &[u8], added: bool) -> Merged {
    let lines = [split(base), split(ours), split(theirs)];
    let (to_ours, to_theirs) = (hunks(base, ours), hunks(base, theirs));
    let mut pieces = Pieces::default();
    pieces.reserve(ours.len());
    let mut conflicts = Vec::new();
    let mut at = 0_u32;
    let (mut o, mut t) = (0, 0);
    while o < to_ours.len() || t < to_theirs.len() {
        let start = [to_ours.get(o), to_theirs.get(t)]
            .into_iter()
            .flatten()
            .map(|h| h.before.start)
            .min()
            .unwrap_or(at);
        for line in &lines[0][at as usize..start as usize] {
            pieces.push(line);
        }
        // A region grows as long as a hunk of either side touches it.
        let (first_o, first_t) = (o, t);
        let mut end = start;
        loop {
            let touches = |h: &Hunk| {
                h.before.start <= end
                    && (h.before.start < end || h.before.is_empty() || h.before.start == start || end > start)
            };
            if let Some(hunk) = to_ours.get(o).filter(|h| touches(h)) {
                end = end.max(hunk.before.end);
                o += 1;
            } else if let Some(hunk) = to_theirs.get(t).filter(|h| touches(h)) {
                end = end.max(hunk.before.end);
                t += 1;
            } else {
                break;
            }
        }
        let side = |all: &[Hunk], first: usize, last: usize, lines: &[&[u8]]| -> Vec<u8> {
            let shift_before = first
                .checked_sub(1)
                .map_or((0, 0), |i| (all[i].before.end, all[i].after.end));
            let from = shift_before.1 + (start - shift_before.0);
            let shift_after = last
                .checked_sub(1)
                .map_or((0, 0), |i| (all[i].before.end, all[i].after.end));
            let to = shift_after.1 + (end - shift_after.0);
            lines[from as usize..to as usize].concat()
        };
        let region_base = lines[0][start as usize..end as usize].concat();
        let region_ours = side(&to_ours, first_o, o, &lines[1]);
        let region_theirs = side(&to_theirs, first_t, t, &lines[2]);
        if region_ours == region_theirs || region_base == region_theirs {
            pieces.push(&region_ours);
        } else if region_base == region_ours {
            pieces.push(&region_theirs);
        } else {
            let step = Step {
                name: "lines".into(),
                selector: Selector::Position(start + 1),
            };
            let path = ElementPath {
                component: component.clone(),
                steps: vec![step],
            };
            let reason = if added { Reason::BothAdded } else { Reason::Lines };
            pieces.push_open(b"", conflicts.len());
            conflicts.push(Conflict {
                path,
                reason,
                base: Some(region_base),
                ours: Some(region_ours),
                theirs: Some(region_theirs),
            });
        }
        at = end;
    }
    for line in &lines[0][at as usize..] {
        pieces.push(line);
    }
    let line_end = if lines[1].first().is_some_and(|l| l.ends_with(b"\r\n")) {
        "\r\n"
    } else {
        "\n"
    };
    Merged {
        pieces,
        conflicts,
        line_end,
        kind: Kind::Lines,
        known_gaps: Default::default(),
    }
}

fn split(text: &[u8]) -> Vec<&[u8]> {
    text.split_inclusive(|b| *b == b'\n').collect()
}

fn hunks(before: &[u8], after: &[u8]) -> Vec<Hunk> {
    let mut input = InternedInput::default();
    input.update_before(sources::byte_lines(before));
    input.update_after(sources::byte_lines(after));
    let mut diff = Diff::compute(Algorithm::Histogram, &input);
    diff.postprocess_no_heuristic(&input);
    diff.hunks().collect()
}
