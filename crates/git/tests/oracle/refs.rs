//! Refs moved only from the value that was seen, alone and together, against other processes.

use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use syncline_git::{NewCommit, Oid, RefEdit, RefError, RefName, Repository};

use crate::sandbox::{Sandbox, ada};

fn name(name: &str) -> RefName {
    name.parse().unwrap()
}

fn commit(repository: &Repository, message: &str) -> Oid {
    let new = NewCommit {
        tree: Oid::EMPTY_TREE,
        parents: &[],
        message,
        author: &ada(),
        committer: &ada(),
    };
    repository.write_commit(new).unwrap()
}

#[test]
fn refs_move_from_known_values_only() {
    let sandbox = Sandbox::new(&[]);
    let repository = sandbox.open();
    let (one, two) = (commit(&repository, "one"), commit(&repository, "two"));
    let main = name("refs/heads/main");
    repository
        .update_ref(&main, Some(one), None, "syncline: create")
        .unwrap();
    assert_eq!(repository.read_ref(&main).unwrap(), Some(one));
    for expected in [None, Some(two)] {
        let error = repository.update_ref(&main, Some(two), expected, "m").unwrap_err();
        assert!(
            matches!(error, RefError::Moved { found: Some(found), .. } if found == one),
            "{error}"
        );
    }
    repository
        .update_ref(&main, Some(two), Some(one), "syncline: move")
        .unwrap();
    assert_eq!(sandbox.rev("main"), two);
    assert_eq!(
        sandbox.git(&["reflog", "show", "--format=%gs", "main"]),
        "syncline: move\nsyncline: create\n"
    );
    assert_eq!(
        sandbox.git(&["reflog", "show", "--format=%gs", "HEAD"]),
        "syncline: move\nsyncline: create\n"
    );
    assert!(matches!(
        repository.update_ref(&main, None, Some(one), "m"),
        Err(RefError::Moved { .. })
    ));

    for packed in [false, true] {
        let other = name("refs/syncline/base/a/b");
        repository.update_ref(&other, Some(two), None, "m").unwrap();
        if packed {
            sandbox.git(&["pack-refs", "--all"]);
        }
        let listed: Vec<String> = repository
            .refs("refs/syncline/")
            .unwrap()
            .iter()
            .map(|one| one.name.to_string())
            .collect();
        assert_eq!(listed, ["refs/syncline/base/a/b"]);
        repository.update_ref(&other, None, Some(two), "m").unwrap();
        assert_eq!(repository.read_ref(&other).unwrap(), None);
        assert_eq!(sandbox.git(&["for-each-ref", "refs/syncline"]), "");
    }
    repository
        .update_ref(&main, Some(one), Some(two), "from packed")
        .unwrap();
    assert_eq!(sandbox.rev("main"), one);
}

#[test]
fn several_refs_move_together_or_not_at_all() {
    let sandbox = Sandbox::new(&["--bare"]);
    let repository = sandbox.open();
    let (one, two) = (commit(&repository, "one"), commit(&repository, "two"));
    let edit = |name_: &str, expected, new| RefEdit {
        name: name(name_),
        expected,
        new,
    };
    repository
        .update_refs(
            &[
                edit("refs/heads/a", None, Some(one)),
                edit("refs/heads/b", None, Some(one)),
            ],
            "m",
        )
        .unwrap();
    let wrong = [
        edit("refs/heads/a", Some(one), Some(two)),
        edit("refs/heads/b", Some(two), Some(one)),
    ];
    assert!(matches!(
        repository.update_refs(&wrong, "m"),
        Err(RefError::Moved { .. })
    ));
    assert_eq!(sandbox.rev("refs/heads/a"), one, "none moved");
    let right = [
        edit("refs/heads/b", Some(one), None),
        edit("refs/heads/a", Some(one), Some(two)),
        edit("refs/heads/c", None, None),
    ];
    repository.update_refs(&right, "m").unwrap();
    assert_eq!(
        sandbox.git(&["for-each-ref", "--format=%(refname) %(objectname)"]),
        format!("refs/heads/a {two}\n")
    );
    let twice = [
        edit("refs/heads/a", Some(two), None),
        edit("refs/heads/a", Some(two), Some(one)),
    ];
    assert!(matches!(
        repository.update_refs(&twice, "m"),
        Err(RefError::Twice { .. })
    ));
}

#[test]
fn refs_in_the_way_are_reported() {
    let sandbox = Sandbox::new(&["--bare"]);
    let repository = sandbox.open();
    let one = commit(&repository, "one");
    repository
        .update_ref(&name("refs/heads/a/b"), Some(one), None, "m")
        .unwrap();
    for packed in [false, true] {
        if packed {
            sandbox.git(&["pack-refs", "--all"]);
        }
        for new in ["refs/heads/a", "refs/heads/a/b/c"] {
            let error = repository.update_ref(&name(new), Some(one), None, "m").unwrap_err();
            assert!(
                matches!(error, RefError::InTheWay { .. }),
                "{new} packed {packed}: {error:?}"
            );
        }
    }
    let edit = |new: &str| RefEdit {
        name: name(new),
        expected: None,
        new: Some(one),
    };
    let both = repository.update_refs(&[edit("refs/heads/x"), edit("refs/heads/x/y")], "m");
    assert!(matches!(both, Err(RefError::InTheWay { .. })), "{both:?}");
}

#[test]
fn locks_of_others_are_respected() {
    let sandbox = Sandbox::new(&["--bare"]);
    let repository = sandbox.open();
    let (one, two) = (commit(&repository, "one"), commit(&repository, "two"));
    let main = name("refs/heads/main");
    repository.update_ref(&main, Some(one), None, "m").unwrap();
    let lock = sandbox.path.join("refs/heads/main.lock");
    std::fs::write(&lock, "").unwrap();
    let error = repository.update_ref(&main, Some(two), Some(one), "m").unwrap_err();
    assert!(matches!(error, RefError::Locked { .. }), "{error:?}");
    assert!(lock.exists() && sandbox.rev("main") == one);
    std::fs::remove_file(&lock).unwrap();
    repository.update_ref(&main, Some(two), Some(one), "m").unwrap();
}

/// A process that was killed leaves its locks; those of git itself get more time.
#[test]
fn locks_that_were_left_behind_are_broken() {
    let sandbox = Sandbox::new(&["--bare"]);
    let repository = sandbox.open();
    let one = commit(&repository, "one");
    for (text, seconds, breaks) in [
        ("refs/syncline/operation/1/org", 5, false),
        ("refs/syncline/operation/1/org", 15, true),
        ("refs/heads/main", 15, false),
        ("refs/heads/main", 150, true),
    ] {
        let lock = sandbox.path.join(format!("{text}.lock"));
        std::fs::create_dir_all(lock.parent().unwrap()).unwrap();
        let file = std::fs::File::create(&lock).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(seconds))
            .unwrap();
        let moved = repository.update_ref(&name(text), Some(one), None, "m");
        assert_eq!(moved.is_ok(), breaks, "{text} after {seconds} s: {moved:?}");
        assert_eq!(lock.exists(), !breaks);
    }
}

#[test]
fn odd_targets_and_names_are_refused() {
    let sandbox = Sandbox::new(&["--bare"]);
    let repository = sandbox.open();
    let blob = repository.write_blob(b"x").unwrap();
    for oid in [blob, Oid::from_bytes([7; 20])] {
        let error = repository
            .update_ref(&name("refs/heads/main"), Some(oid), None, "m")
            .unwrap_err();
        assert!(matches!(error, RefError::NotACommit { .. }), "{error:?}");
    }
    repository
        .update_ref(&name("refs/syncline/blob"), Some(blob), None, "m")
        .unwrap();
    sandbox.git(&["symbolic-ref", "refs/heads/link", "refs/heads/main"]);
    let one = commit(&repository, "one");
    let error = repository
        .update_ref(&name("refs/heads/link"), Some(one), None, "m")
        .unwrap_err();
    assert!(matches!(error, RefError::Symbolic { .. }), "{error:?}");
    for bad in [
        "main",
        "HEAD",
        "refs/heads/",
        "refs/heads/a..b",
        "refs/heads/-x",
        "refs/heads/a b",
        "refs/../x",
        "refs/heads/a.lock",
        "--all",
        "refs/heads/a\nb",
    ] {
        assert!(bad.parse::<RefName>().is_err(), "{bad}");
    }
    assert_eq!(RefName::branch("env/uat").unwrap().as_branch(), Some("env/uat"));
}

const CHILD: &str = "SYNCLINE_TEST_COUNTER";
const STEPS: usize = 20;

/// Moves a ref on by one commit, `STEPS` times, against others who do the same: no step may be lost.
fn count_up(repository: &Repository) {
    let counter = name("refs/syncline/counter");
    let mut done = 0;
    while done < STEPS {
        let now = repository.read_ref(&counter).unwrap().unwrap();
        let parents = [now];
        let message = format!("{} of {}", done, std::process::id());
        let new = NewCommit {
            tree: Oid::EMPTY_TREE,
            parents: &parents,
            message: &message,
            author: &ada(),
            committer: &ada(),
        };
        let next = repository.write_commit(new).unwrap();
        match repository.update_ref(&counter, Some(next), Some(now), "m") {
            Ok(()) => done += 1,
            Err(RefError::Moved { .. } | RefError::Locked { .. }) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
}

#[test]
fn two_processes_never_lose_an_update() {
    if let Some(path) = std::env::var_os(CHILD) {
        return count_up(&Repository::open(path.as_ref()).unwrap());
    }
    let sandbox = Sandbox::new(&["--bare"]);
    let repository = sandbox.open();
    let start = commit(&repository, "start");
    repository
        .update_ref(&name("refs/syncline/counter"), Some(start), None, "m")
        .unwrap();
    let spawn = |_| {
        let mut child = Command::new(std::env::current_exe().unwrap());
        child
            .args(["--exact", "refs::two_processes_never_lose_an_update"])
            .env(CHILD, &sandbox.path);
        child.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let children: Vec<_> = (0..2).map(spawn).collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
    assert_eq!(
        sandbox.git(&["rev-list", "--count", "refs/syncline/counter"]).trim(),
        (2 * STEPS + 1).to_string()
    );
}
