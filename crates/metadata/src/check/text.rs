//! Accounts for every line of a text that was merged by lines.

use std::collections::HashMap;

use imara_diff::{Algorithm, Diff, InternedInput};

use super::compare::step;
use super::{Problem, Side, Violation};
use crate::component::ComponentId;
use crate::conflict::Conflict;
use crate::path::{ElementPath, Selector};

/// Proves the result of a line merge: every line of each side is there, was removed by a side, or
/// lies in one of `conflicts`, where the result holds our text.
///
/// Lines are compared with their line ends. A line that both sides added or removed may count once
/// or twice: the two changes may be the same one.
///
/// # Errors
/// The first line, in the order of the text, that is not accounted for. The path has the line as value.
pub fn check_text(
    root: &ComponentId,
    base: &str,
    ours: &str,
    theirs: &str,
    result: &str,
    conflicts: &[Conflict],
) -> Result<(), Violation> {
    let (removed_ours, added_ours) = changes(base, ours);
    let (removed_theirs, added_theirs) = changes(base, theirs);
    let [base_count, result_count] = [base, result].map(lines);
    // Lines inside conflicts: what theirs did there may be missing, and what ours did is kept.
    let mut spare: HashMap<String, u32> = HashMap::new();
    for conflict in conflicts {
        let mut most: HashMap<String, u32> = HashMap::new();
        for part in [&conflict.base, &conflict.ours, &conflict.theirs] {
            let part = String::from_utf8_lossy(part.as_deref().unwrap_or_default());
            for (line, n) in lines(&part) {
                let seen = most.entry(line.trim_end_matches(['\r', '\n']).to_owned()).or_insert(0);
                *seen = n.max(*seen);
            }
        }
        for (line, n) in most {
            *spare.entry(line).or_insert(0) += n;
        }
    }
    let all = [base, ours, theirs, result];
    for line in all.iter().flat_map(|text| text.split_inclusive('\n')) {
        let of = |counts: &HashMap<&str, u32>| counts.get(line).copied().unwrap_or(0);
        let [ro, rt, ao, at] = [&removed_ours, &removed_theirs, &added_ours, &added_theirs].map(of);
        let free = spare.get(line.trim_end_matches(['\r', '\n'])).copied().unwrap_or(0);
        let n = of(&result_count);
        let least = (of(&base_count) + ao.max(at)).saturating_sub(ro + rt + free);
        let most = (of(&base_count) + ao + at + free).saturating_sub(ro.max(rt));
        let problem = if n < least {
            Problem::Lost(match (ao > 0, at > 0) {
                (true, false) => Side::Ours,
                (false, true) => Side::Theirs,
                _ => Side::Both,
            })
        } else if n <= most {
            continue;
        } else if of(&base_count) + ao + at == 0 {
            Problem::Invented
        } else if most == 0 {
            Problem::Resurrected
        } else {
            Problem::Doubled
        };
        let steps = vec![step("line", Selector::Value(line.trim_end().into(), 1))];
        return Err(Violation {
            path: ElementPath {
                component: root.clone(),
                steps,
            },
            problem,
        });
    }
    Ok(())
}

fn lines(text: &str) -> HashMap<&str, u32> {
    let mut counts = HashMap::new();
    for line in text.split_inclusive('\n') {
        *counts.entry(line).or_insert(0) += 1;
    }
    counts
}

/// How often each line was removed and added.
fn changes<'a>(base: &'a str, side: &'a str) -> (HashMap<&'a str, u32>, HashMap<&'a str, u32>) {
    let mut input = InternedInput::default();
    input.update_before(base.split_inclusive('\n'));
    input.update_after(side.split_inclusive('\n'));
    let diff = Diff::compute(Algorithm::Histogram, &input);
    let mut removed = HashMap::new();
    let mut added = HashMap::new();
    for hunk in diff.hunks() {
        for i in hunk.before {
            *removed.entry(input.interner[input.before[i as usize]]).or_insert(0) += 1;
        }
        for i in hunk.after {
            *added.entry(input.interner[input.after[i as usize]]).or_insert(0) += 1;
        }
    }
    (removed, added)
}
