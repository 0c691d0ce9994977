//! Merge bases, ancestry and ranges as `git merge-base` and `git rev-list` tell them.

use std::collections::BTreeSet;

use syncline_git::Oid;

use crate::random::{Made, Random, criss_cross, import};
use crate::sandbox::Sandbox;

fn ids(text: &str) -> Vec<Oid> {
    text.split_whitespace().map(|id| id.parse().unwrap()).collect()
}

#[test]
fn histories_are_what_git_says() {
    let (mut several, mut none) = (0, 0);
    for seed in 0..12 {
        let sandbox = Sandbox::new(&["--bare"]);
        let mut history = match seed % 2 {
            0 => Random(seed).history(16, false),
            _ => criss_cross(&mut Random(seed), 8),
        };
        // A second root, unrelated to all.
        let files = history[0].files.clone();
        history.insert(
            0,
            Made {
                parents: Vec::new(),
                files,
            },
        );
        history[1..]
            .iter_mut()
            .for_each(|made| made.parents.iter_mut().for_each(|parent| *parent += 1));
        let commits = import(&sandbox, &history);
        let repository = sandbox.open();
        let last = commits.len();
        for (x, y) in [(1, 2), (1, 3), (2, 4), (3, 8), (5, 1), (1, last)] {
            let (a, b) = (commits[last - x], commits[last - y]);
            let (from, to) = (a.to_string(), b.to_string());
            let ours: BTreeSet<_> = repository.merge_bases(a, b).unwrap().into_iter().collect();
            let output = sandbox.run(&sandbox.path, &["merge-base", "--all", &from, &to], b"");
            let expect: BTreeSet<_> = ids(&String::from_utf8(output.stdout).unwrap()).into_iter().collect();
            assert_eq!(ours, expect, "seed {seed}: {a} {b}");
            several += usize::from(ours.len() > 1);
            none += usize::from(ours.is_empty());

            let ancestor = sandbox.run(&sandbox.path, &["merge-base", "--is-ancestor", &from, &to], b"");
            assert_eq!(repository.is_ancestor(a, b).unwrap(), ancestor.status.success());
            let counts = sandbox.git(&["rev-list", "--left-right", "--count", &format!("{a}...{b}")]);
            let (ahead, behind) = repository.ahead_behind(a, b).unwrap();
            assert_eq!(format!("{ahead}\t{behind}"), counts.trim());

            let range = format!("{a}..{b}");
            let all = repository.range(a, b, false).unwrap();
            let expect: BTreeSet<_> = ids(&sandbox.git(&["rev-list", &range])).into_iter().collect();
            assert_eq!(all.iter().copied().collect::<BTreeSet<_>>(), expect);
            for (at, commit) in all.iter().enumerate() {
                let parents = repository.commit(*commit).unwrap().parents;
                assert!(
                    parents.iter().all(|parent| !all[at..].contains(parent)),
                    "children stand after their parents"
                );
            }
            let line = repository.range(a, b, true).unwrap();
            assert_eq!(
                line,
                ids(&sandbox.git(&["rev-list", "--reverse", "--first-parent", &range])),
                "seed {seed} {range}"
            );
        }
    }
    assert!(
        several > 5 && none > 0,
        "{several} with several bases, {none} with none"
    );
}

#[test]
fn missing_commits_are_errors_not_unrelated() {
    let sandbox = Sandbox::new(&[]);
    let commit = sandbox.commit_all("one");
    let repository = sandbox.open();
    let none = Oid::from_bytes([7; 20]);
    assert!(repository.merge_bases(commit, none).is_err());
    assert!(repository.ahead_behind(commit, none).is_err());
    assert!(repository.range(none, commit, false).is_err());
    assert!(repository.is_ancestor(none, commit).is_err());
    assert_eq!(repository.merge_bases(commit, commit).unwrap(), [commit]);
}

#[test]
fn depth_of_criss_cross_is_bounded() {
    let sandbox = Sandbox::new(&["--bare"]);
    let commits = import(&sandbox, &criss_cross(&mut Random(9), 200));
    let repository = sandbox.open();
    let (a, b) = (commits[commits.len() - 1], commits[commits.len() - 2]);
    let mut calls = 0;
    let mut on_bases = |both: &syncline_git::BothChanged| {
        calls += 1;
        Ok::<_, std::convert::Infallible>(both.base.filter(|_| both.beneath.is_empty()))
    };
    assert!(repository.base_tree(a, b, &mut on_bases).unwrap().is_some());
    assert!(calls < 10_000, "{calls}");
}
