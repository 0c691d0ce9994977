//! Repositories of all kinds: bare, linked, shallow, empty, detached, dirty, in the middle of something.

use std::fs;
use std::path::Path;

use syncline_git::{Head, InProgress, Mode, OpenError, RefName, Repository, ResolveError, WorktreeError};

use crate::sandbox::{Sandbox, git};

#[test]
fn found_from_below_and_from_linked_worktrees() {
    let sandbox = Sandbox::new(&[]);
    sandbox.write("force-app/classes/A.cls", "x");
    let commit = sandbox.commit_all("one");
    let root = sandbox.path.as_path();
    let found = Repository::discover(&root.join("force-app/classes")).unwrap();
    assert_eq!(found.worktree(), Some(root.join("").as_path()));
    assert_eq!(
        (found.is_bare(), found.is_shallow(), found.is_empty().unwrap()),
        (false, false, false)
    );
    assert!(matches!(
        Repository::open(&root.join("force-app")),
        Err(OpenError::NotFound { .. })
    ));
    assert_eq!(
        found.head().unwrap(),
        Head::Branch {
            name: "main".to_owned(),
            tip: Some(commit)
        }
    );

    let linked = sandbox.beside("linked");
    sandbox.git(&["worktree", "add", "--quiet", "-b", "uat", linked.to_str().unwrap()]);
    let other = Repository::discover(&linked.join("force-app")).unwrap();
    assert_eq!(other.common_dir().canonicalize().unwrap(), root.join(".git"));
    assert_eq!(
        other.git_dir().canonicalize().unwrap(),
        root.join(".git/worktrees/linked")
    );
    assert_eq!(
        other.attributes_path().canonicalize().ok(),
        root.join(".git/info/attributes").canonicalize().ok()
    );
    assert_eq!(
        other.handle().open().unwrap().worktree(),
        Some(linked.join("").as_path())
    );
    for repository in [&found, &other] {
        let at = |branch: &str| repository.checked_out_at(&RefName::branch(branch).unwrap()).unwrap();
        assert_eq!(at("main").unwrap().canonicalize().unwrap(), root);
        assert_eq!(at("uat").unwrap().canonicalize().unwrap(), linked);
        assert_eq!(at("qa"), None);
    }
    sandbox.git_in(&linked, &["checkout", "--quiet", "--detach"]);
    assert_eq!(other.head().unwrap(), Head::Detached(commit));
    assert_eq!(found.checked_out_at(&RefName::branch("uat").unwrap()).unwrap(), None);
}

#[test]
fn bare_repositories_with_worktrees() {
    let origin = Sandbox::new(&[]);
    origin.commit_all("one");
    let bare = origin.beside("bare.git");
    origin.git(&["clone", "--quiet", "--bare", ".", bare.to_str().unwrap()]);
    let linked = origin.beside("linked");
    origin.git_in(
        &bare,
        &["worktree", "add", "--quiet", "-b", "uat", linked.to_str().unwrap()],
    );
    let repository = Repository::open(&bare).unwrap();
    assert!(repository.is_bare() && repository.worktree().is_none());
    assert_eq!(repository.attributes_path(), bare.join("info/attributes"));
    assert!(matches!(
        repository.dirty_paths(&git(), &[]),
        Err(WorktreeError::Bare { .. })
    ));
    for repository in [repository, Repository::open(&linked).unwrap()] {
        let at = |branch: &str| repository.checked_out_at(&RefName::branch(branch).unwrap()).unwrap();
        assert_eq!(at("main"), None, "HEAD of a bare repository is no check-out");
        assert_eq!(at("uat").unwrap().canonicalize().unwrap(), linked);
    }
}

#[test]
fn empty_repositories_have_an_unborn_branch() {
    let sandbox = Sandbox::new(&[]);
    let repository = sandbox.open();
    assert!(repository.is_empty().unwrap());
    assert_eq!(
        repository.head().unwrap(),
        Head::Branch {
            name: "main".to_owned(),
            tip: None
        }
    );
    assert_eq!(
        repository.resolve("HEAD").unwrap_err().to_string(),
        "there is no revision `HEAD`"
    );
    assert!(matches!(
        Repository::discover(&Sandbox::empty().path),
        Err(OpenError::NotFound { .. })
    ));
}

#[test]
fn formats_that_cannot_be_read_are_named() {
    for (key, value) in [
        ("objectformat", "sha256"),
        ("refstorage", "reftable"),
        ("partialclone", "origin"),
    ] {
        let sandbox = Sandbox::new(&[]);
        fs::create_dir(sandbox.path.join("sub")).unwrap();
        sandbox.git(&["config", "core.repositoryformatversion", "1"]);
        sandbox.git(&["config", &format!("extensions.{key}"), value]);
        for opened in [
            Repository::open(&sandbox.path),
            Repository::discover(&sandbox.path.join("sub")),
        ] {
            match opened.err() {
                Some(OpenError::Unsupported {
                    extension,
                    value: found,
                    ..
                }) => assert_eq!((extension.as_str(), found.as_str()), (key, value)),
                other => panic!("{key}: {other:?}"),
            }
        }
    }
    let sandbox = Sandbox::empty();
    let output = sandbox.run(&sandbox.path, &["init", "--quiet", "--object-format=sha256", "."], b"");
    assert!(output.status.success());
    assert!(matches!(
        Repository::open(&sandbox.path),
        Err(OpenError::Unsupported { .. })
    ));
}

#[test]
fn shallow_clones_say_so() {
    let origin = Sandbox::new(&[]);
    for message in ["one", "two", "three"] {
        origin.write("a", message);
        origin.commit_all(message);
    }
    let path = origin.beside("shallow");
    let url = format!("file://{}", origin.path.display());
    origin.git(&["clone", "--quiet", "--depth=1", &url, path.to_str().unwrap()]);
    let repository = Repository::open(&path).unwrap();
    assert!(repository.is_shallow());
    let head = repository.resolve("HEAD").unwrap();
    assert_eq!(head.subject(), "three");
    assert_eq!(head.parents, []);
    let error = repository.resolve("HEAD~1").unwrap_err();
    assert!(
        matches!(error, ResolveError::NotFound { shallow: true, .. }),
        "{error:?}"
    );
    assert!(error.to_string().contains("git fetch --unshallow"));
    assert_eq!(repository.merge_bases(head.oid, head.oid).unwrap(), [head.oid]);
    let all = repository.diff_trees(None, Some(head.tree)).unwrap();
    assert_eq!(all.len(), 1);
    let error = repository.commit(origin.rev("HEAD~1")).unwrap_err();
    assert!(error.to_string().contains("shallow"), "{error}");
}

#[test]
fn revisions_resolve_as_in_git() {
    let sandbox = Sandbox::new(&[]);
    sandbox.write("dir/a", "1");
    sandbox.commit_all("one");
    sandbox.git(&["tag", "-a", "v1", "-m", "v1"]);
    sandbox.git(&["branch", "feature/login"]);
    sandbox.write("dir/a", "2");
    sandbox.commit_all("two");
    sandbox.git(&["update-ref", "refs/remotes/origin/uat", "HEAD"]);
    let repository = sandbox.open();
    let short = sandbox.rev("HEAD").to_string()[..8].to_owned();
    for revision in [
        "HEAD",
        "main",
        "v1",
        "feature/login",
        "origin/uat",
        "HEAD~1",
        "main^",
        "refs/heads/main",
        "@",
        &short,
    ] {
        let expect = sandbox.rev(&format!("{revision}^{{commit}}"));
        assert_eq!(repository.resolve(revision).unwrap().oid, expect, "{revision}");
    }
    for revision in ["HEAD^{tree}", "main:dir", "v1", "HEAD~1"] {
        let git = if revision.contains(['^', ':']) {
            revision.to_owned()
        } else {
            format!("{revision}^{{tree}}")
        };
        assert_eq!(
            repository.resolve_tree(revision).unwrap(),
            sandbox.rev(&git),
            "{revision}"
        );
    }
    let (from, to) = repository.resolve_range("v1..").unwrap();
    assert_eq!((from.subject(), to.subject()), ("one", "two"));

    sandbox.git(&["tag", "same"]);
    sandbox.git(&["branch", "same"]);
    sandbox.git(&["branch", "twice", "v1"]);
    sandbox.git(&["tag", "twice", "main"]);
    assert_eq!(repository.resolve("same").unwrap().subject(), "two");
    let check =
        |revision: &str, expect: &str| assert_eq!(repository.resolve(revision).unwrap_err().to_string(), expect);
    check(
        "twice",
        "`twice` is ambiguous: it may be refs/tags/twice or refs/heads/twice; write the full name",
    );
    check(
        "twice~1",
        "`twice~1` is ambiguous: it may be refs/tags/twice or refs/heads/twice; write the full name",
    );
    check("mian", "there is no revision `mian`; similar names: main");
    check("logn", "there is no revision `logn`; similar names: feature/login");
    check("uat", "there is no revision `uat`; similar names: origin/uat");
    check("qqqqqqqq", "there is no revision `qqqqqqqq`");
    check("main~9", "there is no revision `main~9`");
    check("main:dir", "`main:dir` is not a commit");
    check("--all", "`--all` is not a revision");
    check("", "`` is not a revision");
    assert!(repository.resolve("main..v1").is_err());
    for range in ["main", "..", "a...b", "a..b..c"] {
        assert!(
            matches!(repository.resolve_range(range), Err(ResolveError::Syntax { .. })),
            "{range}"
        );
    }
}

#[test]
fn ambiguous_ids_list_the_objects() {
    let sandbox = Sandbox::new(&["--bare"]);
    let repository = sandbox.open();
    let mut firsts = std::collections::HashMap::new();
    let prefix = (0..).find_map(|n: u32| {
        let id = repository.write_blob(n.to_string().as_bytes()).unwrap().to_string();
        firsts.insert(id[..4].to_owned(), n).map(|_| id[..4].to_owned())
    });
    let error = repository.resolve_tree(&prefix.unwrap()).unwrap_err();
    assert!(
        matches!(&error, ResolveError::Ambiguous { candidates, .. } if candidates.len() >= 2 && candidates[0].len() == 40),
        "{error}"
    );
}

#[test]
fn dirty_paths_are_those_of_git_status() {
    let sandbox = Sandbox::new(&[]);
    for path in ["app/a", "app/b", "other/c", ".gitignore"] {
        sandbox.write(path, "ignored\n");
    }
    sandbox.commit_all("one");
    let repository = sandbox.open();
    let check = |prefixes: &[&str], expect: &[&str]| {
        let line = |dirty: syncline_git::DirtyPath| format!("{}{}", if dirty.untracked { "?" } else { "" }, dirty.path);
        let found: Vec<String> = repository
            .dirty_paths(&git(), prefixes)
            .unwrap()
            .into_iter()
            .map(line)
            .collect();
        assert_eq!(found, expect);
    };
    check(&[], &[]);
    sandbox.write("app/a", "changed");
    fs::remove_file(sandbox.path.join("app/b")).unwrap();
    sandbox.write("app/new/x y", "new");
    sandbox.write("ignored", "new");
    sandbox.write("other/c", "changed");
    sandbox.git(&["add", "other/c"]);
    check(&[], &["app/a", "app/b", "other/c", "?app/new/x y"]);
    check(&["app"], &["app/a", "app/b", "?app/new/x y"]);
    check(&["other", "app/new"], &["other/c", "?app/new/x y"]);
    check(&["*"], &[]);
    check(&["--porcelain"], &[]);
}

#[test]
fn unfinished_operations_are_seen() {
    let sandbox = Sandbox::new(&[]);
    sandbox.write("a", "1");
    sandbox.commit_all("one");
    sandbox.git(&["checkout", "--quiet", "-b", "side"]);
    sandbox.write("a", "2");
    sandbox.commit_all("two");
    sandbox.git(&["checkout", "--quiet", "main"]);
    sandbox.write("a", "3");
    sandbox.commit_all("three");
    let repository = sandbox.open();
    assert_eq!(repository.in_progress(), None);
    let check = |command: &[&str], expect: InProgress, abort: &[&str]| {
        assert!(!sandbox.run(&sandbox.path, command, b"").status.success());
        assert_eq!(repository.in_progress(), Some(expect));
        assert_eq!(
            repository
                .checked_out_at(&RefName::branch("main").unwrap())
                .unwrap()
                .as_deref(),
            Some(sandbox.path.as_path())
        );
        sandbox.git(abort);
    };
    check(&["merge", "side"], InProgress::Merge, &["merge", "--abort"]);
    check(
        &["cherry-pick", "side"],
        InProgress::CherryPick,
        &["cherry-pick", "--abort"],
    );
    check(&["rebase", "side"], InProgress::Rebase, &["rebase", "--abort"]);
    assert_eq!(InProgress::Rebase.command(), "git rebase");
}

#[test]
fn submodules_and_links_are_entries() {
    let inner = Sandbox::new(&[]);
    inner.write("x", "1");
    let commit = inner.commit_all("inner");
    let sandbox = Sandbox::new(&[]);
    let url = inner.path.to_str().unwrap();
    sandbox.git(&[
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "--quiet",
        "add",
        url,
        "lib",
    ]);
    std::os::unix::fs::symlink("lib", sandbox.path.join("link")).unwrap();
    let head = sandbox.commit_all("one");
    let repository = sandbox.open();
    let tree = repository.commit_tree(head).unwrap();
    let lib = repository.entry_at(tree, &"lib".into()).unwrap().unwrap();
    assert_eq!((lib.mode, lib.oid), (Mode::Submodule, commit));
    assert_eq!(
        repository.entry_at(tree, &"link".into()).unwrap().unwrap().mode,
        Mode::Symlink
    );
    assert_eq!(repository.read_path(tree, &"link".into()).unwrap(), b"lib");
    let mut editor = repository.edit_tree(Some(tree));
    editor.remove(&"link".into()).unwrap();
    let without = editor.write().unwrap();
    assert_eq!(repository.entry_at(without, &"lib".into()).unwrap(), Some(lib));
}

#[test]
fn configuration_is_local_and_shared_by_worktrees() {
    let sandbox = Sandbox::new(&[]);
    sandbox.commit_all("one");
    let linked = sandbox.beside("linked");
    sandbox.git(&["worktree", "add", "--quiet", linked.to_str().unwrap()]);
    let check = |path: &Path| {
        let repository = Repository::open(path).unwrap();
        let key = "merge.syncline.driver";
        assert_eq!(repository.local_config(key).unwrap(), None);
        assert!(!repository.unset_local_config(key).unwrap());
        let value = "syncline merge-driver run %O %A %B \"%P\" # not a comment";
        repository.set_local_config(key, value).unwrap();
        assert_eq!(sandbox.git(&["config", "--local", key]).trim_end(), value);
        assert_eq!(repository.config(key).unwrap().as_deref(), Some(value));
        repository.set_local_config(key, "other").unwrap();
        assert_eq!(
            sandbox.git(&["config", "--local", "--get-all", key]).trim_end(),
            "other"
        );
        assert!(repository.unset_local_config(key).unwrap());
        assert_eq!(repository.local_config(key).unwrap(), None);
        assert!(repository.set_local_config("no key", "x").is_err());
    };
    check(&sandbox.path);
    check(&linked);
}

#[test]
fn a_short_id_prefers_the_commit() {
    let sandbox = Sandbox::new(&[]);
    let commit = sandbox.commit_all("one");
    let repository = sandbox.open();
    let short = &commit.to_string()[..4];
    let blob = |n: &u32| git2::Oid::hash_object(git2::ObjectType::Blob, n.to_string().as_bytes()).unwrap();
    let alike = (0..1_000_000).find(|n| blob(n).to_string().starts_with(short)).unwrap();
    repository.write_blob(alike.to_string().as_bytes()).unwrap();
    assert_eq!(sandbox.rev(&format!("{short}^{{commit}}")), commit);
    assert_eq!(repository.resolve(short).unwrap().oid, commit);
    assert_eq!(
        repository.resolve_tree(&format!("{short}^0")).unwrap(),
        repository.commit_tree(commit).unwrap()
    );
}
