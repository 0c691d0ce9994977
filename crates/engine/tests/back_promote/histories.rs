//! Histories of all shapes, and repositories that are not as they should be.

use syncline_engine::back_promote::{BackPromoteError, Base, Outcome, Request, back_promote};
use syncline_git::Repository;

use crate::sandbox::{NOW, ROOT, Sandbox, class, owner, profile, profile_path, request, told};

fn edit(fields: &'static [(&'static str, &'static str)]) -> impl Fn(&Sandbox) {
    move |s| s.write(&profile_path("Admin"), &profile(fields))
}

#[test]
fn criss_cross_histories_have_a_folded_base() {
    let sandbox = Sandbox::new();
    sandbox.on("main", edit(&[("A", "false"), ("B", "true"), ("C", "true")]));
    sandbox.on("uat", edit(&[("A", "true"), ("B", "true"), ("C", "false")]));
    let (main, uat) = (sandbox.rev("main"), sandbox.rev("uat"));
    let merge = |branch: &str, other: &str| {
        sandbox.git(&["switch", "--quiet", branch]);
        sandbox.run(&["merge", "--quiet", "--no-commit", other]);
        edit(&[("A", "false"), ("B", "true"), ("C", "false")])(&sandbox);
        sandbox.commit("Cross");
        sandbox.rest();
    };
    merge("main", &uat);
    merge("uat", &main);
    sandbox.on("main", edit(&[("A", "false"), ("B", "true"), ("C", "true")]));
    sandbox.on("uat", edit(&[("A", "false"), ("B", "false"), ("C", "false")]));
    let report = sandbox.promote("main", &["uat"]);
    assert_eq!(told(&report), "uat done");
    assert!(matches!(&report.targets[0].base, Some(Base::Folded { commits }) if commits.len() == 2));
    let expect = profile(&[("A", "false"), ("B", "false"), ("C", "true")]);
    assert_eq!(sandbox.read("uat", &profile_path("Admin")), Some(expect));
}

#[test]
fn without_a_base_every_difference_is_a_conflict() {
    let sandbox = Sandbox::new();
    sandbox.git(&["switch", "--quiet", "--orphan", "alone"]);
    sandbox.write(
        "sfdx-project.json",
        r#"{"packageDirectories": [{"path": "force-app"}, {"path": "extra"}]}"#,
    );
    edit(&[("A", "false"), ("B", "true"), ("C", "true"), ("D", "true")])(&sandbox);
    sandbox.commit("Alone");
    sandbox.rest();
    let report = sandbox.promote("main", &["alone"]);
    assert_eq!(report.targets[0].base, Some(Base::None));
    // The project file and one element.
    assert_eq!(told(&report), "alone conflicts 2");
}

#[test]
fn a_base_that_no_longer_holds_is_not_used() {
    let sandbox = Sandbox::new();
    let before = sandbox.rev("uat");
    sandbox.on("main", edit(&[("A", "false"), ("B", "true"), ("C", "true")]));
    assert_eq!(told(&sandbox.promote("main", &["uat"])), "uat done");
    // Somebody sets the branch back: the remembered state is not in it any more.
    sandbox.git(&["branch", "-f", "uat", &before]);
    let report = sandbox.promote("main", &["uat"]);
    assert!(matches!(report.targets[0].base, Some(Base::MergeBase { .. })));
    assert_eq!(told(&report), "uat done");
    assert_eq!(sandbox.rev("uat^{tree}"), sandbox.rev("main^{tree}"));
}

#[test]
fn a_baseline_that_a_person_named() {
    let sandbox = Sandbox::new();
    let start = sandbox.rev("main");
    sandbox.git(&["switch", "--quiet", "--orphan", "alone"]);
    sandbox.git(&["restore", "--source", &start, "."]);
    edit(&[("A", "true"), ("B", "true"), ("C", "false")])(&sandbox);
    sandbox.commit("Alone");
    sandbox.rest();
    sandbox.git(&["update-ref", "refs/syncline/base/main/alone", &start]);
    sandbox.on("main", edit(&[("A", "false"), ("B", "true"), ("C", "true")]));
    assert_eq!(told(&sandbox.promote("main", &["alone"])), "alone done");
    let expect = profile(&[("A", "false"), ("B", "true"), ("C", "false")]);
    assert_eq!(sandbox.read("alone", &profile_path("Admin")), Some(expect));
}

#[test]
fn the_whole_request_is_refused() {
    let check = |sandbox: &Sandbox, ask: &Request, expect: &str| {
        let before = sandbox.git(&["for-each-ref"]);
        let error = back_promote(&sandbox.open(), ask, &owner(), NOW).unwrap_err();
        let mut text = error.to_string();
        if let BackPromoteError::Range(source) = &error {
            text = format!("{text}: {source}");
        }
        assert!(text.contains(expect), "{text}");
        assert_eq!(sandbox.git(&["for-each-ref"]), before);
    };
    check(&Sandbox::empty(), &request("main", &["uat"]), "the repository is empty");
    let sandbox = Sandbox::new();
    check(
        &sandbox,
        &request("mian", &["uat"]),
        "there is no revision `mian`; similar names: main",
    );
    check(&sandbox, &request("main", &[]), "no target is named");
    check(&sandbox, &request("main", &["all-below"]), "run `syncline init`");
    check(
        &sandbox,
        &request("env:prod", &["uat"]),
        "there is no environment `prod`",
    );
    let commits = |text: &str| Request {
        commits: Some(text.to_owned()),
        ..request("main", &["uat"])
    };
    check(&sandbox, &commits("main"), "`main` is not a revision");
    check(&sandbox, &commits("v1..main"), "there is no revision `v1`");
    sandbox.write("syncline.toml", "[environments.uat]\nbranch = 1\n");
    check(&sandbox, &request("main", &["uat"]), "syncline.toml line 2: ");
}

#[test]
fn one_target_fails_and_the_others_go_on() {
    let check = |onto: &str, change: &dyn Fn(&Sandbox), expect: &str| {
        let sandbox = Sandbox::new();
        sandbox.on("main", edit(&[("A", "false"), ("B", "true"), ("C", "true")]));
        change(&sandbox);
        let before = sandbox.run(&["rev-parse", onto]).stdout;
        let report = sandbox.promote("main", &[onto, "dev"]);
        let told = told(&report);
        assert!(told.starts_with(&format!("{onto} failed: ")), "{told}");
        assert!(told.contains(expect), "{told}");
        assert!(told.ends_with("; dev done"), "{told}");
        assert_eq!(sandbox.run(&["rev-parse", onto]).stdout, before);
    };
    let nothing = |_: &Sandbox| {};
    check("uaat", &nothing, "there is no branch `uaat`; similar names: uat");
    check("main", &nothing, "is the source itself");
    check("v1", &|s| drop(s.git(&["tag", "v1"])), "only be brought to a branch");
    check(
        "HEAD",
        &|s| drop(s.git(&["switch", "--quiet", "--detach"])),
        "HEAD is detached",
    );
    check(
        "far",
        &|s| drop(s.git(&["update-ref", "refs/remotes/origin/far", "main"])),
        "run `git branch far origin/far` first",
    );
    check(
        "uat",
        &|s| {
            s.git(&["switch", "--quiet", "uat"]);
            s.write(&profile_path("Admin"), "dirty");
        },
        "commit or stash them there",
    );
    check(
        "uat",
        &|s| {
            s.on("uat", |s| s.write(&profile_path("Admin"), "<Profile>\n<custom>\n"));
        },
        "line 1, column 1: malformed XML",
    );
    check(
        "uat",
        &|s| {
            s.on("uat", |s| s.write(&profile_path("Other"), "1"));
            s.on("dev", |s| s.write(&profile_path("Other"), "2"));
            s.git(&["switch", "--quiet", "uat"]);
            s.run(&["merge", "dev"]);
        },
        "git merge is unfinished",
    );
    check(
        "uat",
        &|s| s.on("uat", |s| s.write("sfdx-project.json", "{\n}}")),
        "sfdx-project.json line 2",
    );
}

#[test]
fn a_branch_that_is_checked_out() {
    let sandbox = Sandbox::new();
    sandbox.on("main", edit(&[("A", "false"), ("B", "true"), ("C", "true")]));
    sandbox.git(&["switch", "--quiet", "uat"]);
    let linked = sandbox.path.with_file_name("linked");
    sandbox.git(&["worktree", "add", "--quiet", linked.to_str().unwrap(), "dev"]);
    sandbox.write("untracked.txt", "stays");
    assert_eq!(told(&sandbox.promote("main", &["uat", "dev"])), "uat done; dev done");
    for folder in [&sandbox.path, &linked] {
        assert_eq!(sandbox.git_in(folder, &["status", "--porcelain", "-uno"]), "");
        let text = std::fs::read_to_string(folder.join(profile_path("Admin"))).unwrap();
        assert!(text.contains("<editable>false"), "{text}");
    }
    // From inside the linked worktree.
    sandbox.on("main", edit(&[("A", "false"), ("B", "false"), ("C", "true")]));
    let report = back_promote(
        &Repository::open(&linked).unwrap(),
        &request("main", &["dev"]),
        &owner(),
        NOW,
    )
    .unwrap();
    assert_eq!(told(&report), "dev done");
    assert_eq!(sandbox.git_in(&linked, &["status", "--porcelain"]), "");
}

#[test]
fn a_file_that_git_does_not_know_is_in_the_way() {
    let sandbox = Sandbox::new();
    sandbox.on("main", |s| s.write("new.txt", "theirs"));
    sandbox.git(&["switch", "--quiet", "uat"]);
    sandbox.write("new.txt", "mine");
    let before = sandbox.rev("uat");
    let told = told(&sandbox.promote("main", &["uat"]));
    assert!(told.contains("could not follow") && told.contains("new.txt"), "{told}");
    assert_eq!(sandbox.rev("uat"), before);
    assert_eq!(std::fs::read_to_string(sandbox.path.join("new.txt")).unwrap(), "mine");
}

#[test]
fn bare_and_shallow_repositories() {
    let sandbox = Sandbox::new();
    for text in ["1", "2", "3"] {
        sandbox.on("main", |s| s.write("notes.txt", text));
        sandbox.on("uat", |s| s.write("other.txt", text));
    }
    let clone = |arguments: &[&str], name: &str| {
        let folder = sandbox.path.with_file_name(name);
        let from = format!("file://{}", sandbox.path.display());
        sandbox.git(
            &[
                &["clone", "--quiet", "--mirror"],
                arguments,
                &[&from, folder.to_str().unwrap()],
            ]
            .concat(),
        );
        for (key, value) in [("user.name", "Ada"), ("user.email", "ada@example.com")] {
            sandbox.git_in(&folder, &["config", key, value]);
        }
        Repository::open(&folder).unwrap()
    };
    let report = back_promote(&clone(&[], "bare"), &request("main", &["uat"]), &owner(), NOW).unwrap();
    assert_eq!(told(&report), "uat done");
    let report = back_promote(
        &clone(&["--depth", "2", "--no-single-branch"], "shallow"),
        &request("main", &["uat"]),
        &owner(),
        NOW,
    )
    .unwrap();
    assert!(
        told(&report).contains("run `git fetch --unshallow`"),
        "{}",
        told(&report)
    );
}

#[test]
fn hostile_paths_are_refused() {
    let check = |path: &[u8], expect: &str| {
        let sandbox = Sandbox::new();
        let blob = sandbox.git(&["hash-object", "-w", "sfdx-project.json"]);
        let mut record = [b"100644 blob ", blob.trim().as_bytes(), b"\t"].concat();
        record.extend_from_slice(path);
        record.push(0);
        let file = sandbox.path.with_file_name("records");
        std::fs::write(&file, record).unwrap();
        let mut mktree = std::process::Command::new("git");
        mktree.args(["mktree", "-z"]).current_dir(&sandbox.path);
        let output = mktree.stdin(std::fs::File::open(&file).unwrap()).output().unwrap();
        let tree = String::from_utf8(output.stdout).unwrap();
        let commit = sandbox.git(&["commit-tree", "-m", "Hostile", "-p", "main", tree.trim()]);
        let before = sandbox.rev("uat");
        sandbox.git(&["update-ref", "refs/heads/hostile", commit.trim()]);
        let result = back_promote(&sandbox.open(), &request("hostile", &["uat"]), &owner(), NOW);
        let text = match result {
            Ok(report) => told(&report),
            Err(error) => error.to_string(),
        };
        assert!(text.contains(expect), "{text}");
        assert_eq!(sandbox.rev("uat"), before);
    };
    check(b"a\nb", "control characters");
    check(b"a\x1b[2J", "control characters");
    check(b"\xff\xfe", "not UTF-8");
    check(b"..", "the name \"..\" is not allowed");
    check(b".git", "the name \".git\" is not allowed");
}

#[test]
fn submodules_go_along_and_conflict_as_a_whole() {
    let sandbox = Sandbox::new();
    let link = |commit: &str| {
        let commit = commit.to_owned();
        move |s: &Sandbox| {
            s.git(&[
                "update-index",
                "--add",
                "--cacheinfo",
                &format!("160000,{commit},module"),
            ]);
        }
    };
    let commit_index = |branch: &str, change: &dyn Fn(&Sandbox)| {
        sandbox.git(&["switch", "--quiet", branch]);
        change(&sandbox);
        sandbox.git(&["commit", "--quiet", "-m", "Link"]);
        sandbox.rest();
    };
    let (one, two, three) = ("1".repeat(40), "2".repeat(40), "3".repeat(40));
    commit_index("main", &link(&one));
    assert_eq!(told(&sandbox.promote("main", &["uat"])), "uat done");
    commit_index("main", &link(&two));
    commit_index("uat", &link(&three));
    let report = sandbox.promote("main", &["uat"]);
    let Outcome::Conflicts { conflicts, .. } = &report.targets[0].outcome else {
        panic!("{}", told(&report))
    };
    assert_eq!(conflicts[0].theirs.as_ref().unwrap().lossy(), format!("commit {two}"));
}

#[test]
fn environments_name_branches() {
    let sandbox = Sandbox::new();
    sandbox.on("main", |s| {
        s.write(&format!("{ROOT}/classes/Hello.cls"), &class(&["one"]));
    });
    sandbox.write(
        "syncline.toml",
        "[environments.production]\nbranch = \"main\"\nkind = \"production\"\n\n[environments.test]\nbranch = \"uat\"\n\
         kind = \"uat\"\npromotes-to = \"production\"\n\n[environments.dev]\nbranch = \"dev\"\nkind = \"developer\"\n\
         promotes-to = \"test\"\n",
    );
    assert_eq!(
        told(&sandbox.promote("production", &["all-below", "uat"])),
        "test done; dev done"
    );
    sandbox.git(&["branch", "test", "main"]);
    let told = told(&sandbox.promote("production", &["test", "env:test"]));
    assert_eq!(
        told,
        "test failed: `test` is ambiguous: write `env:test` for the branch `uat`, or `git:test` for the revision ; test nothing"
    );
}
