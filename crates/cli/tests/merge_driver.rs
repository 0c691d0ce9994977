//! The merge driver in the hands of the real git program: merge, rebase, cherry-pick, worktrees, bare repositories, bad input.

mod support;

use support::{Ran, TestEnv, profile};

const FILE: &str = "force-app/main/default/profiles/Admin.profile-meta.xml";

/// Both sides add a class in the same place: a conflict by lines, none by meaning.
fn both_add() -> TestEnv {
    installed(TestEnv::diverged(
        FILE,
        profile(&[("Shared", true)]),
        profile(&[("Alpha", true), ("Shared", true)]),
        profile(&[("Beta", true), ("Shared", true)]),
    ))
}

/// Both sides change one value.
fn both_change() -> TestEnv {
    let sides = [true, false].map(|enabled| profile(&[("New", enabled), ("Shared", true)]));
    installed(TestEnv::diverged(
        FILE,
        profile(&[("Shared", true)]),
        &sides[0],
        &sides[1],
    ))
}

fn installed(env: TestEnv) -> TestEnv {
    let ran = env.syncline("merge-driver install");
    assert_eq!(ran.code, 0, "{ran}");
    env
}

fn merged() -> String {
    profile(&[("Alpha", true), ("Beta", true), ("Shared", true)])
}

#[test]
fn without_the_driver_it_is_a_conflict() {
    let env = both_add();
    env.syncline("merge-driver uninstall");
    assert_eq!(env.git(&["merge", "theirs"]).code, 1);
}

#[test]
fn merge_rebase_and_cherry_pick_are_clean() {
    for command in [
        &["merge", "theirs"][..],
        &["rebase", "theirs"],
        &["cherry-pick", "theirs"],
        &["merge", "-s", "recursive", "theirs"],
    ] {
        let env = both_add();
        let ran = env.git(command);
        assert_eq!(ran.code, 0, "{command:?}: {ran}");
        assert_eq!(env.read(FILE), merged(), "{command:?}");
        assert_eq!(env.git_ok(&["status", "--porcelain"]), "");
    }
}

#[test]
fn a_conflict_stands_between_markers_with_the_names_of_git() {
    let env = both_change();
    insta::assert_snapshot!(env.git(&["merge", "theirs"]), @r#"
    exit 1
    --- stdout
    Auto-merging force-app/main/default/profiles/Admin.profile-meta.xml
    CONFLICT (content): Merge conflict in force-app/main/default/profiles/Admin.profile-meta.xml
    Automatic merge failed; fix conflicts and then commit the result.
    --- stderr
    conflict in Profile:Admin/classAccesses[apexClass=New]/enabled: both sides added it differently
    "#);
    let text = env.read(FILE);
    let (before, after) = text.split_once("\n||||||| ").expect("the base has a name");
    let text = format!(
        "{before}\n||||||| [commit]{}",
        after.trim_start_matches(|c: char| c.is_ascii_hexdigit())
    );
    insta::assert_snapshot!(text, @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <Profile xmlns="http://soap.sforce.com/2006/04/metadata">
        <classAccesses>
            <apexClass>New</apexClass>
    <<<<<<< HEAD
            <enabled>true</enabled>
    ||||||| [commit]
    =======
            <enabled>false</enabled>
    >>>>>>> theirs
        </classAccesses>
        <classAccesses>
            <apexClass>Shared</apexClass>
            <enabled>true</enabled>
        </classAccesses>
        <custom>true</custom>
    </Profile>
    "#);
    let env = both_change();
    assert_eq!(env.git(&["rebase", "theirs"]).code, 1);
    assert!(env.read(FILE).contains(">>>>>>> "), "{}", env.read(FILE));
    assert_eq!(env.git(&["rebase", "--abort"]).code, 0);
    let env = both_change();
    assert_eq!(env.git(&["cherry-pick", "theirs"]).code, 1);
    assert!(env.read(FILE).contains("<<<<<<< HEAD"), "{}", env.read(FILE));
}

#[test]
fn stash_and_revert() {
    let env = installed(TestEnv::repository());
    env.commit(FILE, profile(&[("Shared", true)]));
    env.commit(FILE, profile(&[("Beta", true), ("Shared", true)]));
    env.write(FILE, profile(&[("Beta", true), ("Shared", false)]));
    env.git_ok(&["stash"]);
    env.commit(FILE, profile(&[("Alpha", true), ("Beta", true), ("Shared", true)]));
    env.git_ok(&["stash", "pop"]);
    env.git_ok(&["commit", "--all", "--quiet", "--message", "popped"]);
    assert_eq!(
        env.read(FILE),
        profile(&[("Alpha", true), ("Beta", true), ("Shared", false)])
    );
    env.git_ok(&["revert", "--no-edit", "HEAD~2"]);
    assert_eq!(env.read(FILE), profile(&[("Alpha", true), ("Shared", false)]));
}

#[test]
fn in_a_linked_worktree() {
    let env = both_add();
    env.git_ok(&["worktree", "add", "--quiet", "../linked tree", "-b", "linked"]);
    let linked = env.work().join("../linked tree");
    let ran = env.finish(env.program("git").current_dir(&linked).args(["merge", "theirs"]));
    assert_eq!(ran.code, 0, "{ran}");
    assert_eq!(std::fs::read_to_string(linked.join(FILE)).expect("read"), merged());
}

#[test]
fn merge_tree_and_bare_repositories() {
    let env = both_add();
    let show = |env: &TestEnv, tree: &str| env.git_ok(&["show", &format!("{}:{FILE}", tree.trim())]);
    let tree = env.git_ok(&["merge-tree", "--write-tree", "main", "theirs"]);
    assert_eq!(show(&env, &tree), merged());
    env.git_ok(&["clone", "--quiet", "--bare", ".", "bare.git"]);
    let bare = env.work().join("bare.git");
    let mut command = env.program(env!("CARGO_BIN_EXE_syncline"));
    let ran = env.finish(command.current_dir(&bare).args(["merge-driver", "install"]));
    assert_eq!(ran.code, 0, "{ran}");
    assert!(bare.join("info/attributes").is_file());
    let merge = ["merge-tree", "--write-tree", "main", "theirs"];
    let ran = env.finish(env.program("git").current_dir(&bare).args(merge));
    assert_eq!(ran.code, 0, "{ran}");
    assert_eq!(show(&env, &ran.stdout), merged());
}

#[test]
fn sparse_checkout() {
    let env = both_add();
    env.git_ok(&["sparse-checkout", "set", "somewhere-else"]);
    assert!(!env.work().join(FILE).exists());
    let ran = env.git(&["merge", "theirs"]);
    assert_eq!(ran.code, 0, "{ran}");
    assert_eq!(env.git_ok(&["show", &format!("HEAD:{FILE}")]), merged());
}

#[test]
fn criss_cross() {
    let env = both_add();
    env.git_ok(&["branch", "left"]);
    env.git_ok(&["merge", "--quiet", "--no-edit", "theirs"]);
    env.git_ok(&["switch", "--quiet", "theirs"]);
    env.git_ok(&["merge", "--quiet", "--no-edit", "left"]);
    env.commit(FILE, profile(&[("Alpha", true), ("Beta", false), ("Shared", true)]));
    env.git_ok(&["switch", "--quiet", "main"]);
    env.commit(FILE, profile(&[("Alpha", false), ("Beta", true), ("Shared", true)]));
    let ran = env.git(&["merge", "theirs"]);
    assert_eq!(ran.code, 0, "{ran}");
    assert_eq!(
        env.read(FILE),
        profile(&[("Alpha", false), ("Beta", false), ("Shared", true)])
    );
}

#[test]
fn criss_cross_with_a_conflict_between_the_ancestors() {
    let env = both_change();
    let settle = |text: String| {
        env.write(FILE, text);
        env.git_ok(&["commit", "--all", "--quiet", "--message", "settled"]);
    };
    env.git_ok(&["branch", "left"]);
    assert_eq!(env.git(&["merge", "theirs"]).code, 1);
    settle(profile(&[("Alpha", true), ("New", true), ("Shared", true)]));
    env.git_ok(&["switch", "--quiet", "theirs"]);
    assert_eq!(env.git(&["merge", "left"]).code, 1);
    settle(profile(&[("Beta", true), ("New", false), ("Shared", true)]));
    env.git_ok(&["switch", "--quiet", "main"]);
    // The ancestor holds markers, which nobody can read by meaning.
    let ran = env.git(&["merge", "theirs"]);
    assert!(ran.stderr.contains("could not read BASE"), "{ran}");
    falls_back(&ran, &env, true);
}

#[test]
fn hostile_names() {
    let names = [
        "-rf/--json.profile-meta.xml",
        "a b/Sales & 'Service' $(x) `y`.profile-meta.xml",
        "ü/\"quoted\".profile-meta.xml",
        "100%/%A %P %%.profile-meta.xml",
        "--/-o.profile",
    ];
    for name in names {
        let side = |class| profile(&[(class, true), ("Shared", true)]);
        let env = installed(TestEnv::diverged(
            name,
            profile(&[("Shared", true)]),
            side("Alpha"),
            side("Beta"),
        ));
        let ran = env.git(&["merge", "theirs"]);
        assert_eq!((ran.code, env.read(name)), (0, merged()), "{name}: {ran}");
    }
}

#[test]
fn a_program_with_a_hostile_name() {
    for folder in ["my tools", "it's 100%A", "ü\"$HOME"] {
        let env = both_add();
        let program = env.home().join(folder).join("syncline");
        std::fs::create_dir(env.home().join(folder)).expect("folder");
        std::fs::copy(env!("CARGO_BIN_EXE_syncline"), &program).expect("copied");
        let ran = env.finish(env.program(&program).args(["merge-driver", "install"]));
        assert!(ran.stdout.contains("merge.syncline.driver"), "{ran}");
        let ran = env.git(&["merge", "theirs"]);
        assert_eq!((ran.code, env.read(FILE)), (0, merged()), "{folder}: {ran}");
    }
}

/// Git merges by lines what cannot be read, and a person has to look.
fn falls_back(ran: &Ran, env: &TestEnv, markers: bool) {
    assert_eq!(ran.code, 1, "{ran}");
    assert!(ran.stderr.contains("by lines"), "{ran}");
    let text = env.read(FILE);
    assert_eq!(
        text.contains("\n<<<<<<< HEAD\n") && text.contains("\n>>>>>>> theirs\n"),
        markers,
        "{text}"
    );
    assert!(
        text.contains("Alpha") && text.contains("Beta"),
        "both sides are there: {text}"
    );
    assert!(env.git_ok(&["status", "--porcelain"]).starts_with("UU "));
}

#[test]
fn malformed_input_is_merged_by_lines() {
    let (base, ours) = (
        profile(&[("Shared", true)]),
        profile(&[("Alpha", true), ("Shared", true)]),
    );
    let broken = profile(&[("Beta", true), ("Shared", true)]).replace("</Profile>", "<Profile>");
    let env = installed(TestEnv::diverged(FILE, &base, &ours, &broken));
    let ran = env.git(&["merge", "theirs"]);
    // Git's name for the file of a side is another one each time.
    let said: Vec<&str> = ran
        .stderr
        .lines()
        .map(|line| line.split(": `.merge_file").next().unwrap_or(line))
        .collect();
    insta::assert_snapshot!(said.join("\n"), @r#"
    error: could not read THEIRS of `force-app/main/default/profiles/Admin.profile-meta.xml`
      because: line 1, column 1: malformed XML: the root node was opened but never closed
    hint: correct the file at that line, or retrieve it anew
    warning: force-app/main/default/profiles/Admin.profile-meta.xml: it cannot be merged by meaning; it stands in the file as git merges it by lines. Look through it before you `git add` it
    "#);
    falls_back(&ran, &env, true);
    // In another style, as git is told to.
    let env = installed(TestEnv::diverged(FILE, &base, &ours, &broken));
    env.git_ok(&["config", "merge.conflictStyle", "diff3"]);
    falls_back(&env.git(&["merge", "theirs"]), &env, true);
    assert!(env.read(FILE).contains("\n||||||| "));
}

#[test]
fn a_clean_merge_of_lines_that_nobody_understood_is_looked_at() {
    let side = |first: &str, last: &str| {
        format!(
            "<Profile xmlns=\"http://soap.sforce.com/2006/04/metadata\">\n<a>{first}</a>\n<b>\n<c/>\n<d/>\n<e>{last}</e>\n</Profile>\n"
        )
    };
    let env = installed(TestEnv::diverged(
        FILE,
        side("1", "1"),
        side("Alpha", "1"),
        side("1", "Beta"),
    ));
    falls_back(&env.git(&["merge", "theirs"]), &env, false);
    assert_eq!(env.read(FILE), side("Alpha", "Beta"));
}

#[test]
fn dtd_latin_1_and_binary() {
    let base = profile(&[("Shared", true)]);
    let [ours, theirs] = ["Alpha", "Beta"].map(|class| profile(&[(class, true), ("Shared", true)]));
    let env = installed(TestEnv::diverged(
        FILE,
        &base,
        &ours,
        theirs.replace("<Profile", "<!DOCTYPE p>\n<Profile"),
    ));
    falls_back(&env.git(&["merge", "theirs"]), &env, true);
    // Binary: as git does without a driver, our version stands and it is a conflict.
    let env = installed(TestEnv::diverged(FILE, &base, &ours, b"\x89PNG\0\0"));
    let ran = env.git(&["merge", "theirs"]);
    assert_eq!(ran.code, 1, "{ran}");
    assert!(ran.stderr.contains("it is binary"), "{ran}");
    assert_eq!(env.read(FILE), ours);
    assert!(env.git_ok(&["status", "--porcelain"]).starts_with("UU "));
}

#[test]
fn two_hundred_megabytes() {
    // Few long lines: git is slow with many short ones. Only one side is as large, to keep the test short.
    let large = format!("<!--Alpha-->\n{}", format!("{}\n", "x".repeat(2_000_000)).repeat(100));
    let env = installed(TestEnv::repository());
    env.git_ok(&["config", "core.compression", "0"]);
    env.git_ok(&["config", "gc.auto", "0"]);
    env.commit(FILE, "<!--1-->\n");
    env.git_ok(&["switch", "--quiet", "--create", "theirs"]);
    env.commit(FILE, "<!--Beta-->\n");
    env.git_ok(&["switch", "--quiet", "main"]);
    env.commit(FILE, &large);
    let ran = env.git(&["merge", "theirs"]);
    assert_eq!(ran.code, 1, "{ran}");
    assert!(ran.stderr.contains("has 200000113 bytes"), "{ran}");
    let text = env.read(FILE);
    assert!(text.starts_with("<<<<<<< HEAD\n<!--Alpha-->\nxxx"));
    assert!(text.ends_with("xxx\n=======\n<!--Beta-->\n>>>>>>> theirs\n"));
}

#[test]
fn files_of_other_kinds_are_not_touched() {
    let env = installed(TestEnv::diverged(
        "a.txt",
        "1\n2\n3\n4\n",
        "one\n2\n3\n4\n",
        "1\n2\n3\nfour\n",
    ));
    assert_eq!(env.git(&["merge", "theirs"]).code, 0);
    assert_eq!(env.read("a.txt"), "one\n2\n3\nfour\n");
    assert!(
        env.git_ok(&["check-attr", "merge", "a.txt", "pom.xml", "A.cls"])
            .matches("unspecified")
            .count()
            == 3
    );
}

#[test]
fn package_xml_and_metadata_api_format() {
    for name in [
        "package.xml",
        "src/profiles/Admin.profile",
        "src/settings/Account.settings",
    ] {
        let env = installed(TestEnv::repository());
        assert_eq!(
            env.git_ok(&["check-attr", "merge", name]),
            format!("{name}: merge: syncline\n")
        );
    }
}

#[test]
fn a_driver_that_is_gone_stops_git() {
    // Without care, the shell's 127 would be a conflict without markers.
    let env = both_add();
    let ran = env.syncline("merge-driver install --program /nowhere/syncline");
    assert_eq!(ran.code, 0, "{ran}");
    let before = env.read(FILE);
    let ran = env.git(&["merge", "theirs"]);
    assert_eq!(ran.code, 2, "{ran}");
    assert_eq!(env.read(FILE), before);
    assert_eq!(env.git_ok(&["status", "--porcelain"]), "", "nothing is merged");
}

#[test]
fn git_keeps_ours_alone_for_exit_codes_up_to_128() {
    // The fact that everything above rests on.
    for (code, lost) in [(2, true), (127, true), (128, true), (129, false)] {
        let env = both_add();
        env.git_ok(&["config", "merge.syncline.driver", &format!("exit {code}")]);
        let ran = env.git(&["merge", "theirs"]);
        let conflict = env.git_ok(&["status", "--porcelain"]).starts_with("UU ");
        assert_eq!(conflict && !env.read(FILE).contains("Beta"), lost, "{code}: {ran}");
    }
}

#[test]
fn wrong_arguments_stop_git() {
    let env = TestEnv::new();
    for arguments in [
        &["merge-driver", "run"][..],
        &["merge-driver", "run", "--", "a", "b", "c", "7", "p"],
    ] {
        assert_eq!(env.run(arguments).code, 129, "{arguments:?}");
    }
}
