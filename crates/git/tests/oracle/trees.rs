//! Trees: diff as `git diff --raw`, edits as `git write-tree`, odd names and modes.

use syncline_git::{EditError, Entry, Mode, ObjectError, Oid, Repository, TreeChange, TreePath};

use crate::random::{Random, import};
use crate::sandbox::Sandbox;

fn mode_text(mode: Mode) -> &'static str {
    match mode {
        Mode::File => "100644",
        Mode::Executable => "100755",
        Mode::Symlink => "120000",
        Mode::Submodule => "160000",
    }
}

/// As `git diff --raw --no-renames --no-abbrev -z` prints it, without the status letter.
fn raw(changes: &[TreeChange]) -> Vec<String> {
    let mode = |side: Option<Entry>| side.map_or("000000", |entry| mode_text(entry.mode));
    let oid = |side: Option<Entry>| side.map_or_else(|| "0".repeat(40), |entry| entry.oid.to_string());
    let line = |c: &TreeChange| {
        format!(
            ":{} {} {} {} {}",
            mode(c.old),
            mode(c.new),
            oid(c.old),
            oid(c.new),
            c.path.as_str().unwrap()
        )
    };
    changes.iter().map(line).collect()
}

fn git_raw(sandbox: &Sandbox, old: Oid, new: Oid) -> Vec<String> {
    let (old, new) = (old.to_string(), new.to_string());
    let output = sandbox.git(&[
        "diff",
        "--raw",
        "--no-renames",
        "--no-abbrev",
        "-z",
        "--ignore-submodules=none",
        &old,
        &new,
    ]);
    let mut parts = output.split('\0');
    let mut lines = Vec::new();
    while let (Some(head), Some(path)) = (parts.next(), parts.next()) {
        lines.push(format!("{} {path}", head.rsplit_once(' ').unwrap().0));
    }
    lines
}

fn git_files(sandbox: &Sandbox, tree: Oid) -> Vec<String> {
    let output = sandbox.git(&["ls-tree", "-r", "-z", &tree.to_string()]);
    output.split_terminator('\0').map(str::to_owned).collect()
}

fn files(repository: &Repository, tree: Oid) -> Vec<String> {
    let line = |(path, entry): &(TreePath, Entry)| {
        let kind = if entry.mode == Mode::Submodule {
            "commit"
        } else {
            "blob"
        };
        format!(
            "{} {kind} {}\t{}",
            mode_text(entry.mode),
            entry.oid,
            path.as_str().unwrap()
        )
    };
    repository.files(tree, "").unwrap().iter().map(line).collect()
}

#[test]
fn diff_is_git_diff_raw() {
    let mut pairs = 0;
    for seed in 0..12 {
        let sandbox = Sandbox::new(&["--bare"]);
        let ids = import(&sandbox, &Random(seed).history(12, true));
        let repository = sandbox.open();
        let trees: Vec<Oid> = ids.iter().map(|id| repository.commit_tree(*id).unwrap()).collect();
        for (a, b) in (0..trees.len()).flat_map(|a| [(a, (a + 1) % 12), (a, (a * 5 + 3) % 12)]) {
            let found = repository.diff_trees(Some(trees[a]), Some(trees[b])).unwrap();
            assert_eq!(
                raw(&found),
                git_raw(&sandbox, trees[a], trees[b]),
                "seed {seed} {a} {b}"
            );
            pairs += 1;
        }
        let all = repository.diff_trees(None, Some(trees[0])).unwrap();
        assert_eq!(all.len(), files(&repository, trees[0]).len());
        assert!(all.iter().all(|change| change.old.is_none()));
        for tree in trees {
            assert_eq!(files(&repository, tree), git_files(&sandbox, tree), "seed {seed}");
        }
    }
    assert_eq!(pairs, 288);
}

#[test]
fn editor_writes_what_git_writes() {
    let mut edits = 0;
    for seed in 100..112 {
        let sandbox = Sandbox::new(&["--bare"]);
        let ids = import(&sandbox, &Random(seed).history(12, true));
        let repository = sandbox.open();
        let trees: Vec<Oid> = ids.iter().map(|id| repository.commit_tree(*id).unwrap()).collect();
        for pair in trees.windows(2) {
            let changes = repository.diff_trees(Some(pair[0]), Some(pair[1])).unwrap();
            let mut editor = repository.edit_tree(Some(pair[0]));
            for change in &changes {
                match change.new {
                    Some(entry) => editor.set(&change.path, entry).unwrap(),
                    None => editor.remove(&change.path).unwrap(),
                }
            }
            assert_eq!(editor.write().unwrap(), pair[1], "seed {seed}");
            edits += changes.len();
        }
    }
    assert!(edits > 300, "{edits}");
}

#[test]
fn editor_writes_new_trees_as_the_index_does() {
    let sandbox = Sandbox::new(&[]);
    for path in ["b/c/d.xml", "a-b", "a/x", "a0", "a.b/y"] {
        sandbox.write(path, path);
    }
    sandbox.git(&["add", "--all"]);
    let expect: Oid = sandbox.git(&["write-tree"]).trim().parse().unwrap();
    let repository = sandbox.open();
    let mut editor = repository.edit_tree(None);
    for path in ["b/c/d.xml", "a-b", "a/x", "a0", "a.b/y"] {
        editor
            .set(
                &path.into(),
                Entry::file(repository.write_blob(path.as_bytes()).unwrap()),
            )
            .unwrap();
    }
    let tree = editor.write().unwrap();
    assert_eq!(tree, expect);
    assert_eq!(repository.read_path(tree, &"b/c/d.xml".into()).unwrap(), b"b/c/d.xml");
    assert!(matches!(
        repository.read_path(tree, &"b/c".into()),
        Err(ObjectError::NoFile { .. })
    ));
    assert_eq!(repository.files(tree, "b").unwrap().len(), 1);
    assert_eq!(repository.files(tree, "nothing").unwrap().len(), 0);

    let mut editor = repository.edit_tree(Some(tree));
    editor.remove(&"b/c/d.xml".into()).unwrap();
    let smaller = editor.write().unwrap();
    assert_eq!(
        repository.tree_at(smaller, &"b".into()).unwrap(),
        None,
        "empty directories vanish"
    );
    let mut editor = repository.edit_tree(Some(smaller));
    for path in ["a-b", "a/x", "a0", "a.b/y"] {
        editor.remove(&path.into()).unwrap();
    }
    assert_eq!(editor.write().unwrap(), Oid::EMPTY_TREE);
    assert_eq!(
        sandbox.git(&["cat-file", "-t", &Oid::EMPTY_TREE.to_string()]).trim(),
        "tree"
    );
    sandbox.git(&["fsck", "--strict"]);
}

#[test]
fn editor_refuses_what_cannot_be() {
    let sandbox = Sandbox::new(&["--bare"]);
    let repository = sandbox.open();
    let entry = Entry::file(repository.write_blob(b"x").unwrap());
    let mut editor = repository.edit_tree(None);
    editor.set(&"d/f".into(), entry).unwrap();
    editor.set(&"g".into(), entry).unwrap();
    let tree = editor.write().unwrap();
    let check = |edits: &[(&str, bool)], expect: &str| {
        let mut editor = repository.edit_tree(Some(tree));
        let mut apply = || {
            for (path, set) in edits {
                let path = TreePath::from(*path);
                if *set {
                    editor.set(&path, entry)?;
                } else {
                    editor.remove(&path)?;
                }
            }
            editor.write()
        };
        let text = match apply() {
            Ok(_) => "written".to_owned(),
            Err(error) => error.to_string(),
        };
        assert_eq!(text, expect);
    };
    check(&[("d", true)], "d cannot be both a file and a directory");
    check(&[("d", true), ("d/f", false)], "written");
    check(&[("g/h", true)], "g cannot be both a file and a directory");
    check(&[("g/h", true), ("g", false)], "written");
    check(&[("n", true), ("n/m", true)], "n cannot be both a file and a directory");
    check(&[("n/m", false)], "n/m cannot be removed: there is no such file");
    check(&[("d", false)], "d cannot be both a file and a directory");
    check(&[("../d", true)], "the path \"../d\" cannot stand in a tree");
    check(&[("a//d", true)], "the path \"a//d\" cannot stand in a tree");
    check(&[("/d", true)], "the path \"/d\" cannot stand in a tree");
    check(
        &[(".git/config", true)],
        "the path \".git/config\" cannot stand in a tree",
    );
    check(&[("a\0b", true)], "the path \"a\\u{0}b\" cannot stand in a tree");
    check(&[("", true)], "the path \"\" cannot stand in a tree");
    check(
        &[(&"a/".repeat(300), true)],
        &format!("the path \"{}\" cannot stand in a tree", "a/".repeat(300)),
    );
    let missing = Entry::file(Oid::from_bytes([7; 20]));
    assert!(matches!(
        editor.set(&"m".into(), missing),
        Err(EditError::NoObject { .. })
    ));
}

#[test]
fn names_that_are_not_utf8_are_carried_and_reported() {
    let sandbox = Sandbox::new(&["--bare"]);
    let repository = sandbox.open();
    let entry = Entry::file(repository.write_blob(b"x").unwrap());
    let path = TreePath::from_bytes(*b"dir/caf\xe9.xml");
    let mut editor = repository.edit_tree(None);
    editor.set(&path, entry).unwrap();
    let tree = editor.write().unwrap();
    let changes = repository.diff_trees(None, Some(tree)).unwrap();
    assert_eq!(changes[0].path, path);
    let error = changes[0].path.as_str().unwrap_err();
    assert_eq!(
        error.to_string(),
        "the path \"dir/caf\\xe9.xml\" is not UTF-8; rename the file in the repository"
    );
    assert_eq!(
        sandbox.git(&["ls-tree", "-r", "--name-only", &tree.to_string()]).trim(),
        "\"dir/caf\\351.xml\""
    );
}

#[test]
fn hostile_trees_are_errors() {
    let sandbox = Sandbox::new(&["--bare"]);
    let blob = sandbox.git_with(&["hash-object", "-w", "--stdin"], b"x");
    let make = |name: &str| {
        let mut bytes = format!("100644 {name}\0").into_bytes();
        bytes.extend(blob.trim().parse::<Oid>().unwrap().as_bytes());
        let tree = sandbox.git_with(&["hash-object", "-w", "-t", "tree", "--literally", "--stdin"], &bytes);
        tree.trim().parse::<Oid>().unwrap()
    };
    let repository = sandbox.open();
    for name in ["..", ".git", ".", "a/b"] {
        let tree = make(name);
        assert!(
            matches!(repository.files(tree, ""), Err(ObjectError::BadTree { .. })),
            "{name}"
        );
        assert!(
            matches!(
                repository.diff_trees(None, Some(tree)),
                Err(ObjectError::BadTree { .. })
            ),
            "{name}"
        );
    }
    let mut tree = make("a");
    for _ in 0..300 {
        let line = format!("040000 tree {tree}\td\n");
        tree = sandbox.git_with(&["mktree"], line.as_bytes()).trim().parse().unwrap();
    }
    assert!(matches!(repository.files(tree, ""), Err(ObjectError::TooDeep { .. })));
    assert!(matches!(
        repository.diff_trees(None, Some(tree)),
        Err(ObjectError::TooDeep { .. })
    ));
}

#[test]
fn objects_are_checked_before_they_are_read() {
    let sandbox = Sandbox::new(&["--bare"]);
    let repository = sandbox.open();
    let blob = repository.write_blob(&[b'x'; 5000]).unwrap();
    assert_eq!(repository.blob_size(blob).unwrap(), 5000);
    assert_eq!(repository.read_blob_within(blob, 5000).unwrap().len(), 5000);
    let check =
        |result: Result<Vec<u8>, ObjectError>, expect: &str| assert_eq!(result.unwrap_err().to_string(), expect);
    check(
        repository.read_blob_within(blob, 4999),
        &format!("object {blob} has 5000 bytes, more than the 4999 allowed"),
    );
    let none = Oid::from_bytes([7; 20]);
    check(
        repository.read_blob(none),
        &format!("object {none} is missing from the repository; fetch it, or run `git fsck`"),
    );
    let tree = repository.edit_tree(None).write().unwrap();
    check(
        repository.read_blob(tree),
        &format!("object {tree} is a tree, not a blob"),
    );
    assert!(matches!(repository.files(blob, ""), Err(ObjectError::WrongKind { .. })));
}

#[test]
fn each_thread_reads_with_its_own_repository() {
    let sandbox = Sandbox::new(&["--bare"]);
    let repository = sandbox.open();
    let blobs: Vec<Oid> = (0..200)
        .map(|n| repository.write_blob(format!("{n}").as_bytes()).unwrap())
        .collect();
    let handle = repository.handle();
    let total: usize = std::thread::scope(|scope| {
        let read = |part: &[Oid]| {
            let repository = handle.open().unwrap();
            part.iter()
                .map(|oid| repository.read_blob(*oid).unwrap().len())
                .sum::<usize>()
        };
        let threads: Vec<_> = blobs.chunks(50).map(|part| scope.spawn(move || read(part))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(total, 10 + 90 * 2 + 100 * 3);
}
