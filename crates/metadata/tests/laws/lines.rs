//! Laws of the merge by lines, with the git program as the judge.

use std::collections::BTreeSet;
use std::process::Command;

use proptest::prelude::*;
use syncline_metadata::component::ComponentId;
use syncline_metadata::merge::{Merged, Sides, merge};

use super::generator::Choices;
use super::{config, fail, text};

/// A class and two edits of it. Lines of a base are numbered; some stand several times.
fn three(bytes: &[u8]) -> [String; 3] {
    let choices = &mut Choices::new(bytes);
    let base: Vec<String> = (0..4 + choices.below(12))
        .map(|n| match choices.below(8) {
            7 => "    }\n".to_owned(),
            _ => format!("    line {n};\n"),
        })
        .collect();
    let mut side = |tag: char| {
        let mut lines = base.clone();
        for n in 0..choices.below(4) {
            let at = choices.below(lines.len());
            match choices.below(4) {
                0 => lines.insert(at, format!("    new {tag}{n};\n")),
                1 if lines.len() > 1 => drop(lines.remove(at)),
                2 => lines.insert(at, format!("    both {n};\n")),
                _ => lines[at] = format!("    changed {tag}{n};\n"),
            }
        }
        lines.concat()
    };
    let (ours, theirs) = (side('o'), side('t'));
    [base.concat(), ours, theirs]
}

fn merged(base: &str, ours: &str, theirs: &str) -> Result<Merged, TestCaseError> {
    let sides = Sides {
        base: Some(base.as_bytes()),
        ours: Some(ours.as_bytes()),
        theirs: Some(theirs.as_bytes()),
    };
    merge(&ComponentId::new("ApexClass", "Sample"), "Sample.cls", sides).map_err(fail)
}

/// What git makes of it: the text, and whether it is clean.
fn git(dir: &std::path::Path, [base, ours, theirs]: [&str; 3]) -> (String, bool) {
    for (name, content) in [("base", base), ("ours", ours), ("theirs", theirs)] {
        std::fs::write(dir.join(name), content).expect("a writable folder");
    }
    let run = Command::new("git")
        .args(["merge-file", "-p", "ours", "base", "theirs"])
        .current_dir(dir)
        .output()
        .expect("git runs");
    (text(run.stdout), run.status.success())
}

/// Bytes from a number: the same in every run.
fn bytes(seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..64).map(|_| next()).collect()
}

#[test]
fn agrees_with_git() {
    let dir = tempfile::tempdir().expect("a folder for files");
    let (mut both, mut ours_only, mut git_only) = (0, 0, 0);
    for seed in 0..300 {
        let [base, ours, theirs] = three(&bytes(seed));
        let found = merged(&base, &ours, &theirs).expect("text can be merged");
        let (expect, clean) = git(dir.path(), [&base, &ours, &theirs]);
        match (found.is_clean(), clean) {
            (true, true) => {
                both += 1;
                let result = text(found.bytes().expect("both sides have the file"));
                assert_eq!(
                    result, expect,
                    "seed {seed}\n--- base\n{base}--- ours\n{ours}--- theirs\n{theirs}"
                );
            }
            (true, false) => ours_only += 1,
            (false, true) => git_only += 1,
            (false, false) => {}
        }
    }
    println!("{both} clean in both, {ours_only} only here, {git_only} only in git");
    assert!(both > 50, "too few clean merges to compare: {both}");
    assert_eq!(ours_only, 0, "git sees conflicts that are missing here");
}

proptest! {
    #![proptest_config(config(200))]

    /// One side unchanged: the other; swapped sides: the same places; no line lost or made up.
    #[test]
    fn lines_are_kept(seed in prop::collection::vec(any::<u8>(), 0..64)) {
        let [base, ours, theirs] = three(&seed);
        for (b, o, t) in [(&base, &base, &ours), (&base, &ours, &base), (&base, &ours, &ours)] {
            prop_assert_eq!(merged(b, o, t)?.bytes().map(text), Some(ours.clone()));
        }
        let (there, back) = (merged(&base, &ours, &theirs)?, merged(&base, &theirs, &ours)?);
        let places = |m: &Merged| m.conflicts().iter().map(|c| c.path.to_string()).collect::<Vec<_>>();
        prop_assert_eq!(places(&there), places(&back));
        for (one, other) in there.conflicts().iter().zip(back.conflicts()) {
            prop_assert_eq!((&one.ours, &one.theirs, &one.base), (&other.theirs, &other.ours, &other.base));
        }
        if there.is_clean() {
            prop_assert_eq!(there.bytes().map(text), back.bytes().map(text));
        }
        let result = text(there.bytes().expect("both sides have the file"));
        let open: String = there.conflicts().iter().flat_map(|c| [&c.base, &c.ours, &c.theirs]).flatten().map(text).collect();
        let set = |text: &str| text.lines().map(str::to_owned).collect::<BTreeSet<_>>();
        let [b, o, t, r, open] = [&base, &ours, &theirs, &result, &open].map(|s| set(s));
        for line in o.union(&t).filter(|l| !b.contains(*l)) {
            prop_assert!(r.contains(line) || open.contains(line), "lost: {}", line);
        }
        for line in &r {
            prop_assert!(b.contains(line) || o.contains(line) || t.contains(line), "made up: {}", line);
        }
        let once = |line: &str| base.lines().filter(|l| *l == line).count() == 1;
        for line in b.iter().filter(|l| o.contains(*l) && t.contains(*l) && once(l)) {
            prop_assert!(r.contains(line), "lost: {}", line);
        }
    }
}
