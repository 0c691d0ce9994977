//! Runs the merge cases in `cases/merge`, and proves that the known gaps in `cases/failing` are gaps.
//!
//! A case is a folder `<type>/<name>` with `base`, `ours`, `theirs` and `expected` (a file that is
//! absent does not exist on that side) and `conflicts.txt`, one conflict a line: `path: reason`.
//! Where a conflict is open, `expected` holds our text.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use syncline_metadata::component::ComponentId;
use syncline_metadata::merge::{Sides, merge};

/// A case as it is on disk.
struct Case {
    dir: PathBuf,
    component: ComponentId,
    /// Name of the file, for the merge.
    file: String,
    base: Option<Vec<u8>>,
    ours: Option<Vec<u8>>,
    theirs: Option<Vec<u8>>,
    expected: Option<Vec<u8>>,
    conflicts: BTreeSet<String>,
}

fn cases(folder: &str) -> Vec<Case> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../cases").join(folder);
    let mut found = Vec::new();
    for ty in entries(&root) {
        for dir in entries(&ty) {
            found.push(read(&ty, dir));
        }
    }
    found
}

fn entries(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(dir) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.file_name().is_some_and(|name| name != "README.md"))
        .collect();
    paths.sort();
    paths
}

fn read(ty: &Path, dir: PathBuf) -> Case {
    let files = entries(&dir);
    let version = |name: &str| {
        let path = files
            .iter()
            .find(|path| path.file_stem().is_some_and(|stem| stem == name));
        path.map(|path| std::fs::read(path).expect("a readable file"))
    };
    let ext = files
        .iter()
        .filter_map(|path| path.extension()?.to_str())
        .find(|ext| *ext != "txt")
        .expect("a case has a version of the file");
    let conflicts = version("conflicts").expect("a case has conflicts.txt");
    let conflicts = String::from_utf8(conflicts).expect("conflicts.txt is text");
    let type_name = ty
        .file_name()
        .and_then(|name| name.to_str())
        .expect("a type's name is text");
    Case {
        component: ComponentId::new(type_name, "Sample"),
        file: if ext == "xml" {
            "Sample-meta.xml".to_owned()
        } else {
            format!("Sample.{ext}")
        },
        base: version("base"),
        ours: version("ours"),
        theirs: version("theirs"),
        expected: version("expected"),
        conflicts: conflicts.lines().map(str::to_owned).collect(),
        dir,
    }
}

/// What is wrong with the merge of a case; empty when nothing is.
fn problems(case: &Case) -> String {
    let mut problems = String::new();
    let sides = |ours, theirs| Sides {
        base: case.base.as_deref(),
        ours,
        theirs,
    };
    let [ours, theirs] = [case.ours.as_deref(), case.theirs.as_deref()];
    let merged = match merge(&case.component, &case.file, sides(ours, theirs)) {
        Ok(merged) => merged,
        Err(error) => {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            return format!("  {error}: {}\n", cause.unwrap_or_default());
        }
    };
    let conflicts: BTreeSet<String> = merged
        .conflicts()
        .iter()
        .map(|conflict| format!("{}: {}", conflict.path, conflict.reason))
        .collect();
    for extra in conflicts.difference(&case.conflicts) {
        writeln!(problems, "  not expected: {extra}").expect("text takes text");
    }
    for missing in case.conflicts.difference(&conflicts) {
        writeln!(problems, "  expected:     {missing}").expect("text takes text");
    }
    let bytes = merged.bytes();
    if bytes != case.expected {
        let text = |bytes: &Option<Vec<u8>>| {
            bytes
                .as_deref()
                .map(String::from_utf8_lossy)
                .map(std::borrow::Cow::into_owned)
        };
        writeln!(problems, "{}", difference(text(&case.expected), text(&bytes))).expect("text takes text");
    }
    match merge(&case.component, &case.file, sides(theirs, ours)) {
        Err(error) => writeln!(problems, "  swapped: {error}").expect("text takes text"),
        Ok(swapped) => {
            let places =
                |conflicts: &BTreeSet<String>| conflicts.iter().map(|line| swap(line)).collect::<BTreeSet<_>>();
            let swapped: BTreeSet<String> = swapped
                .conflicts()
                .iter()
                .map(|c| format!("{}: {}", c.path, c.reason))
                .collect();
            let as_is =
                |conflicts: &BTreeSet<String>| conflicts.iter().map(|line| place(line)).collect::<BTreeSet<_>>();
            if as_is(&places(&conflicts)) != as_is(&swapped) {
                writeln!(problems, "  swapped sides give {swapped:?}").expect("text takes text");
            }
        }
    }
    problems
}

/// The same conflict seen from the other side.
fn swap(line: &str) -> String {
    let pairs = [
        (
            "deleted by ours, changed by theirs",
            "changed by ours, deleted by theirs",
        ),
        (
            "changed by ours, deleted by theirs",
            "deleted by ours, changed by theirs",
        ),
    ];
    let hit = pairs
        .iter()
        .find_map(|(from, to)| Some(format!("{}{to}", line.strip_suffix(from)?)));
    hit.unwrap_or_else(|| line.to_owned())
}

/// A conflict without positions: each side counts on its own. A name that both sides use is a
/// conflict at one of its elements, whichever.
fn place(line: &str) -> String {
    if let Some((_, reason)) = line.split_once(": both sides use ") {
        return reason.to_owned();
    }
    let mut parts = line.split("[#");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        text.push_str("[#");
        text.push_str(part.trim_start_matches(|c: char| c.is_ascii_digit()));
    }
    text
}

/// The lines that differ, `-` expected and `+` found.
fn difference(expected: Option<String>, found: Option<String>) -> String {
    let (Some(expected), Some(found)) = (&expected, &found) else {
        return format!(
            "  expected a file: {}, found one: {}",
            expected.is_some(),
            found.is_some()
        );
    };
    let lines = |text: &str| text.split_inclusive('\n').map(str::to_owned).collect::<Vec<_>>();
    let (expected, found) = (lines(expected), lines(found));
    let same = |(a, b): &(&String, &String)| a == b;
    let head = expected.iter().zip(&found).take_while(same).count();
    let rest = expected.len().min(found.len()) - head;
    let tail = expected
        .iter()
        .rev()
        .zip(found.iter().rev())
        .take(rest)
        .take_while(same)
        .count();
    let mut text = String::new();
    for (sign, lines) in [('-', &expected), ('+', &found)] {
        for line in &lines[head..lines.len() - tail] {
            writeln!(text, "  {sign} {}", format!("{line:?}").trim_matches('"')).expect("text takes text");
        }
    }
    text
}

#[test]
fn every_case_merges_as_expected() {
    let cases = cases("merge");
    assert!(cases.len() > 50, "the cases are missing");
    let failing: Vec<String> = cases
        .iter()
        .map(|case| (case, problems(case)))
        .filter(|(_, problems)| !problems.is_empty())
        .map(|(case, problems)| format!("{}\n{problems}", case.dir.display()))
        .collect();
    assert!(
        failing.is_empty(),
        "{} of {} cases fail:\n{}",
        failing.len(),
        cases.len(),
        failing.join("\n")
    );
}

#[test]
fn known_gaps_are_gaps() {
    for case in cases("failing") {
        let problems = problems(&case);
        assert!(
            !problems.is_empty(),
            "{} works now: move it to cases/merge",
            case.dir.display()
        );
    }
}
