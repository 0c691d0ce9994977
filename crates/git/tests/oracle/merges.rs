//! Merges of random histories, clean exactly where `git merge-tree` is clean, with the same tree.

use std::collections::HashMap;
use std::convert::Infallible;
use std::fs;

use syncline_git::{BothChanged, Entry, Mode, Oid, Outcome, Repository, TreeEdit};

use crate::random::{Files, Made, Random, criss_cross, import};
use crate::sandbox::Sandbox;

/// Merges a file as git does: `None` when it cannot, else the entry and whether it is without markers.
fn line_merge(
    sandbox: &Sandbox,
    repository: &Repository,
    both: &BothChanged,
    level: Option<usize>,
) -> Option<(Entry, bool)> {
    let (ours, theirs) = (both.ours?, both.theirs?);
    if !both.beneath.is_empty() || !ours.mode.is_file() || !theirs.mode.is_file() {
        return None;
    }
    // Git settles contents by id even when the base was no plain file.
    let base = both
        .base
        .filter(|base| base.mode.is_file() || base.oid == ours.oid || base.oid == theirs.oid);
    let mode = match base {
        Some(base) if base.mode == ours.mode => (theirs.mode, true),
        _ => (ours.mode, ours.mode == theirs.mode || base.is_some()),
    };
    if let Some(entry) = both.settled_by_id() {
        return Some((entry, true));
    }
    let texts = [Some(ours), base, Some(theirs)]
        .map(|side| side.map_or_else(Vec::new, |entry| repository.read_blob(entry.oid).unwrap()));
    let files = ["ours", "base", "theirs"].map(|name| sandbox.beside(name));
    for (file, text) in files.iter().zip(texts) {
        fs::write(file, text).unwrap();
    }
    let size = format!("--marker-size={}", 7 + level.unwrap_or(0) * 2);
    let labels = [
        "-L",
        "Temporary merge branch 1",
        "-L",
        "base",
        "-L",
        "Temporary merge branch 2",
    ];
    let mut arguments = vec!["merge-file", "-p", &size];
    arguments.extend(labels);
    arguments.extend(files.iter().map(|file| file.to_str().unwrap()));
    let output = sandbox.run(&sandbox.path, &arguments, b"");
    let oid = repository.write_blob(&output.stdout).unwrap();
    Some((Entry { oid, mode: mode.0 }, output.status.success() && mode.1))
}

/// Merges two commits with what we have; the tree, and whether it is clean.
fn merge(sandbox: &Sandbox, a: Oid, b: Oid) -> (Oid, bool) {
    let repository = sandbox.open();
    // As in git, two bases that disagree beyond line merges leave their own base's version.
    let mut on_bases = |both: &BothChanged| -> Result<Option<Entry>, Infallible> {
        let merged = line_merge(sandbox, &repository, both, Some(1)).map(|(entry, _)| entry);
        Ok(merged.or(both.base).filter(|_| both.beneath.is_empty()))
    };
    let base = repository.base_tree(a, b, &mut on_bases).unwrap();
    let (ours, theirs) = (repository.commit_tree(a).unwrap(), repository.commit_tree(b).unwrap());
    let mut on_both = |both: &BothChanged| -> Result<Outcome, Infallible> {
        Ok(match line_merge(sandbox, &repository, both, None) {
            Some((entry, true)) => Outcome::Clean(Some(entry)),
            _ => Outcome::Open(both.ours),
        })
    };
    let merge = repository.merge_trees(base, ours, theirs, &mut on_both).unwrap();
    (
        repository.write_edits(Some(ours), &merge.edits).unwrap(),
        merge.open.is_empty(),
    )
}

/// The tree of `git merge-tree`, if it is clean.
fn git_merge(sandbox: &Sandbox, a: Oid, b: Oid) -> Option<Oid> {
    let (a, b) = (a.to_string(), b.to_string());
    let arguments = ["merge-tree", "--write-tree", "--allow-unrelated-histories", &a, &b];
    let output = sandbox.run(&sandbox.path, &arguments, b"");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    match output.status.code() {
        Some(0) => Some(text.trim().parse().unwrap()),
        Some(1) => None,
        _ => panic!("{}", String::from_utf8_lossy(&output.stderr)),
    }
}

/// Counts (clean, conflicting, with several bases).
fn compare(seeds: std::ops::Range<u64>, make: impl Fn(u64) -> Vec<Made>) -> [usize; 3] {
    let mut counts = [0; 3];
    for seed in seeds {
        let sandbox = Sandbox::new(&["--bare"]);
        let ids = import(&sandbox, &make(seed));
        let commits = ids.len();
        for (a, b) in [(1, 2), (1, 3), (2, 4), (3, 5)].map(|(a, b)| (ids[commits - a], ids[commits - b])) {
            let (tree, clean) = merge(&sandbox, a, b);
            let expect = git_merge(&sandbox, a, b);
            assert_eq!(
                clean.then_some(tree),
                expect,
                "seed {seed}: merge of {a} and {b} in a history of {commits}"
            );
            counts[usize::from(!clean)] += 1;
            counts[2] += usize::from(sandbox.open().merge_bases(a, b).unwrap().len() > 1);
        }
    }
    counts
}

#[test]
fn merges_are_gits_merges() {
    let [clean, open, _] = compare(0..40, |seed| Random(seed).history(8, true));
    assert!(clean > 20 && open > 20, "{clean} clean, {open} open");
}

#[test]
fn criss_cross_merges_are_gits_merges() {
    let [clean, open, several] = compare(500..540, |seed| criss_cross(&mut Random(seed), 5));
    assert!(
        clean > 20 && open > 5 && several > 10,
        "{clean} clean, {open} open, {several} with several bases"
    );
}

/// Files by path; the content stands for itself.
fn files(list: &[(&str, &str)]) -> Files {
    list.iter()
        .map(|(path, content)| ((*path).to_owned(), ("100644", format!("{content}\n123456"))))
        .collect()
}

#[test]
fn only_what_both_changed_goes_to_the_caller() {
    let check = |base: &[(&str, &str)], ours: &[(&str, &str)], theirs: &[(&str, &str)], expect: &[&str]| {
        let sandbox = Sandbox::new(&["--bare"]);
        let history = [
            Made {
                parents: vec![],
                files: files(base),
            },
            Made {
                parents: vec![0],
                files: files(ours),
            },
            Made {
                parents: vec![0],
                files: files(theirs),
            },
        ];
        let ids = import(&sandbox, &history);
        let repository = sandbox.open();
        let trees: Vec<Oid> = ids.iter().map(|id| repository.commit_tree(*id).unwrap()).collect();
        let mut texts = HashMap::new();
        for change in trees.iter().flat_map(|tree| repository.files(*tree, "").unwrap()) {
            let text = String::from_utf8(repository.read_blob(change.1.oid).unwrap()).unwrap();
            texts.insert(change.1.oid, text.lines().next().unwrap().to_owned());
        }
        let side = |entry: Option<Entry>| entry.map_or("-", |entry| texts[&entry.oid].as_str());
        let found = repository.three_way(Some(trees[0]), trees[1], trees[2]).unwrap();
        let mut lines: Vec<String> = found
            .theirs_only
            .iter()
            .map(|edit| format!("{}={}", edit.path, side(edit.entry)))
            .collect();
        for both in &found.both {
            let beneath: String = both
                .beneath
                .iter()
                .map(|file| format!(" {}:{}>{}", file.path, side(file.old), side(file.new)))
                .collect();
            lines.push(format!(
                "{}?{} {} {}{beneath}",
                both.path,
                side(both.base),
                side(both.ours),
                side(both.theirs)
            ));
        }
        assert_eq!(lines, expect);
        // Whatever the caller says, the edits fit the tree.
        for pick in [
            |both: &BothChanged| both.ours,
            |both: &BothChanged| both.theirs,
            |_: &BothChanged| None,
        ] {
            let mut on_both = |both: &BothChanged| Ok::<_, Infallible>(Outcome::Clean(pick(both)));
            let merge = repository
                .merge_trees(Some(trees[0]), trees[1], trees[2], &mut on_both)
                .unwrap();
            let tree = repository.write_edits(Some(trees[1]), &merge.edits).unwrap();
            for TreeEdit { path, entry } in &merge.edits {
                assert_eq!(repository.entry_at(tree, path).unwrap(), *entry, "{path}");
            }
        }
    };
    check(&[("a", "1")], &[("a", "2")], &[("a", "1")], &[]);
    check(&[("a", "1")], &[("a", "1")], &[("a", "2")], &["a=2"]);
    check(&[("a", "1")], &[("a", "2")], &[("a", "2")], &[]);
    check(&[("a", "1")], &[("a", "2")], &[("a", "3")], &["a?1 2 3"]);
    check(&[("d/a", "1")], &[("d/a", "2")], &[], &["d/a?1 2 -"]);
    check(&[("d/a", "1")], &[], &[("d/a", "2")], &["d/a?1 - 2"]);
    check(&[], &[("a", "1")], &[("a", "2")], &["a?- 1 2"]);
    check(
        &[("d/a", "1"), ("d/b", "1")],
        &[("d/a", "2"), ("d/b", "1")],
        &[("d/a", "1"), ("d/b", "2"), ("d/c", "3")],
        &["d/b=2", "d/c=3"],
    );
    // A file in place of a directory and the other way round.
    check(&[("a", "1")], &[("a", "1")], &[("a/b", "2")], &["a=-", "a/b=2"]);
    check(&[("a/b", "1")], &[("a/b", "1")], &[("a", "2")], &["a=2", "a/b=-"]);
    check(&[("a", "1")], &[("a", "2")], &[("a/b", "3")], &["a?1 2 - a/b:->3"]);
    check(&[("a/b", "1")], &[("a/b", "2")], &[("a", "3")], &["a?- - 3 a/b:2>-"]);
    check(
        &[("a/b", "1"), ("a/c", "1")],
        &[("a/b", "2"), ("a/c", "1")],
        &[("a", "3")],
        &["a/c=-", "a?- - 3 a/b:2>-"],
    );
    check(&[("a/b", "1")], &[("a", "2")], &[("a/b", "3")], &["a?- 2 - a/b:->3"]);
    check(
        &[("a/b", "1")],
        &[("a", "2")],
        &[("a/b", "1"), ("a/c", "4")],
        &["a?- 2 - a/c:->4"],
    );
    check(&[("a/b", "1")], &[("a", "2")], &[("a/b", "1")], &[]);
    check(&[("a/b", "1")], &[("a", "2")], &[("a", "3")], &["a?- 2 3"]);
    check(
        &[],
        &[("a", "1")],
        &[("a/b/c", "2"), ("a/d", "3")],
        &["a?- 1 - a/b/c:->2 a/d:->3"],
    );
    check(&[], &[("a/b/c", "1")], &[("a", "2")], &["a?- - 2 a/b/c:1>-"]);
}

#[test]
fn modes_and_links_go_to_the_caller() {
    let sandbox = Sandbox::new(&["--bare"]);
    let made = |parents, mode, content: &str| Made {
        parents,
        files: Files::from([("f".to_owned(), (mode, content.to_owned()))]),
    };
    let history = [
        made(vec![], "100644", "one\n12"),
        made(vec![0], "100755", "one\n12"),
        made(vec![0], "100644", "two\n12"),
        made(vec![0], "120000", "two\n12"),
        made(vec![0], "160000", "two\n12"),
    ];
    let ids = import(&sandbox, &history);
    let repository = sandbox.open();
    let trees: Vec<Oid> = ids.iter().map(|id| repository.commit_tree(*id).unwrap()).collect();
    let both = |ours: usize, theirs: usize| {
        repository
            .three_way(Some(trees[0]), trees[ours], trees[theirs])
            .unwrap()
            .both
    };
    let settled = both(1, 2)[0].settled_by_id().unwrap();
    assert_eq!(
        (settled.mode, settled.oid),
        (
            Mode::Executable,
            repository.entry_at(trees[2], &"f".into()).unwrap().unwrap().oid
        )
    );
    assert_eq!(both(1, 3)[0].settled_by_id(), None);
    assert_eq!(both(4, 3)[0].ours.unwrap().mode, Mode::Submodule);
    assert_eq!(both(4, 3)[0].settled_by_id(), None);
}
