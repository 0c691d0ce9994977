//! Comparison of text by lines.

use imara_diff::{Algorithm, Diff, InternedInput};

use super::{ChangeKind, ElementChange};
use crate::component::ComponentId;
use crate::path::{ElementPath, Selector, Step};

/// One change for each run of changed lines, named by its first line in the new text.
pub(super) fn compare(component: &ComponentId, from: &str, to: &str) -> Vec<ElementChange> {
    let input = InternedInput::new(from, to);
    let mut diff = Diff::compute(Algorithm::Histogram, &input);
    diff.postprocess_lines(&input);
    let old: Vec<&str> = from.split_inclusive('\n').collect();
    let new: Vec<&str> = to.split_inclusive('\n').collect();
    diff.hunks()
        .map(|hunk| {
            let lines = |all: &[&str], range: std::ops::Range<u32>| {
                (!range.is_empty()).then(|| all[range.start as usize..range.end as usize].concat())
            };
            let step = Step {
                name: "lines".into(),
                selector: Selector::Position(hunk.after.start + 1),
            };
            let (a, b) = (lines(&old, hunk.before.clone()), lines(&new, hunk.after.clone()));
            let kind = match (&a, &b) {
                (None, _) => ChangeKind::Added,
                (_, None) => ChangeKind::Removed,
                _ => ChangeKind::Changed,
            };
            let path = ElementPath {
                component: component.clone(),
                steps: vec![step],
            };
            ElementChange {
                path,
                kind,
                from: a,
                to: b,
            }
        })
        .collect()
}
