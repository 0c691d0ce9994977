//! Installing the merge driver: idempotent, undone byte for byte, beside the lines of other tools.

mod support;

use support::TestEnv;

const ATTRIBUTES: &str = ".git/info/attributes";

fn state(env: &TestEnv) -> [Option<Vec<u8>>; 2] {
    [ATTRIBUTES, ".git/config"].map(|name| std::fs::read(env.work().join(name)).ok())
}

#[test]
fn dry_run_changes_nothing() {
    let env = TestEnv::repository();
    let before = state(&env);
    let ran = env.syncline("merge-driver install --dry-run --program syncline");
    assert_eq!(state(&env), before);
    let shown: Vec<&str> = ran.stdout.lines().filter(|line| !line.starts_with("*.")).collect();
    insta::assert_snapshot!(shown.join("\n"), @r#"
    would set merge.syncline.name to: syncline: merges Salesforce metadata by meaning
    would set merge.syncline.driver to: 'syncline' merge-driver run -- %O %A %B %L %P %S %X %Y || case $? in 1) exit 1;; *) exit 129;; esac
    would change .git/info/attributes: +257 lines
    # >>> syncline merge driver (new file); remove with: syncline merge-driver uninstall
    # Salesforce DX source format, and manifests
    *-meta.xml merge=syncline
    package.xml merge=syncline
    destructiveChanges*.xml merge=syncline
    # Metadata API format: names end in the type's suffix
    **/ActionableEventOrchDefSettings/*.settings merge=syncline
    **/ActionableEventTypeDefSettings/*.settings merge=syncline
    **/IndustriesManufacturingSettings/*.settings merge=syncline
    **/ObjectHierarchyRelationship/*.settings merge=syncline
    **/analyticSnapshots/*.snapshot merge=syncline
    **/applications/*.app merge=syncline
    **/customMetadata/*.md merge=syncline
    **/emailservices/*.xml merge=syncline
    **/forms/*.form merge=syncline
    **/functions/*.function merge=syncline
    **/groups/*.group merge=syncline
    **/integrationHub/*.settings merge=syncline
    **/integrationHub/*.type merge=syncline
    **/notificationTypeConfig/*.config merge=syncline
    **/settings/*.settings merge=syncline
    # <<< syncline merge driver
    "#);
    assert_eq!(ran.stderr, "");
}

#[test]
fn twice_is_once() {
    let env = TestEnv::repository();
    assert_eq!(env.syncline("merge-driver install").code, 0);
    let first = state(&env);
    let ran = env.syncline("merge-driver install");
    insta::assert_snapshot!(ran, @r#"
    exit 0
    --- stderr
    already installed; nothing to change
    "#);
    assert_eq!(state(&env), first);
    let ran = env.syncline("merge-driver install --program other");
    assert!(ran.stdout.contains("'other' merge-driver run"), "{ran}");
    assert!(!ran.stdout.contains("attributes"), "{ran}");
}

#[test]
fn uninstall_restores_byte_for_byte() {
    for before in [
        None,
        Some(""),
        Some("*.txt text\n"),
        Some("# no line end"),
        Some("*.a b\r\n\n\n"),
    ] {
        let env = TestEnv::repository();
        if let Some(text) = before {
            env.write(ATTRIBUTES, text);
        }
        let states = state(&env);
        assert_eq!(env.syncline("merge-driver install").code, 0);
        assert_ne!(state(&env), states);
        let ran = env.syncline("merge-driver uninstall");
        assert_eq!(ran.code, 0, "{ran}");
        assert_eq!(state(&env), states, "{before:?}");
        insta::allow_duplicates! { insta::assert_snapshot!(env.syncline("merge-driver uninstall"), @r#"
        exit 0
        --- stderr
        not installed; nothing to change
        "#); }
    }
}

#[test]
fn lines_of_other_tools() {
    let env = TestEnv::repository();
    env.write(ATTRIBUTES, "*.profile-meta.xml merge=other\n");
    env.write(".gitattributes", "*.cls text\n*.xml merge=union\n");
    env.write("force app/.gitattributes", "package.xml -merge\n");
    let ran = env.syncline("merge-driver install");
    insta::assert_snapshot!(ran.stderr, @r#"
    .git/info/attributes:1: `*.profile-meta.xml merge=other` stands above syncline's lines and loses against them
    .gitattributes:2: `*.xml merge=union` loses against syncline's lines for files that both match
    force app/.gitattributes:1: `package.xml -merge` loses against syncline's lines for files that both match
    "#);
    let mut attributes = env.read(ATTRIBUTES);
    assert!(attributes.starts_with("*.profile-meta.xml merge=other\n"));
    assert!(
        env.git_ok(&["check-attr", "merge", "A.profile-meta.xml"])
            .ends_with("syncline\n")
    );
    assert!(
        env.git_ok(&["check-attr", "merge", "force app/package.xml"])
            .ends_with("syncline\n")
    );
    attributes.push_str("*.flow-meta.xml -merge\n");
    env.write(ATTRIBUTES, &attributes);
    insta::assert_snapshot!(env.syncline("merge-driver install --json").stdout, @r#"
    {
      "changed": false,
      "settings": [],
      "attributes": {
        "path": ".git/info/attributes",
        "changed": false
      },
      "others": [
        ".git/info/attributes:1: `*.profile-meta.xml merge=other` stands above syncline's lines and loses against them",
        ".git/info/attributes:259: `*.flow-meta.xml -merge` stands below syncline's lines and wins over them",
        ".gitattributes:2: `*.xml merge=union` loses against syncline's lines for files that both match",
        "force app/.gitattributes:1: `package.xml -merge` loses against syncline's lines for files that both match"
      ]
    }
    "#);
    assert!(
        env.git_ok(&["check-attr", "merge", "A.flow-meta.xml"])
            .ends_with("unset\n")
    );
    env.syncline("merge-driver uninstall");
    assert_eq!(
        env.read(ATTRIBUTES),
        "*.profile-meta.xml merge=other\n*.flow-meta.xml -merge\n"
    );
}

#[test]
fn global() {
    let env = TestEnv::repository();
    let config = || std::fs::read(env.home().join(".gitconfig")).expect("read");
    let before = config();
    let ran = env.syncline("merge-driver install --global");
    assert_eq!(ran.code, 0, "{ran}");
    assert!(env.home().join(".config/git/attributes").is_file());
    assert!(
        env.git_ok(&["check-attr", "merge", "A.profile-meta.xml"])
            .ends_with("syncline\n")
    );
    assert_eq!(
        env.git_ok(&["config", "--local", "--list"]).matches("merge.").count(),
        0
    );
    assert_eq!(env.syncline("merge-driver uninstall --global").code, 0);
    assert!(!env.home().join(".config/git/attributes").exists());
    assert_eq!(config(), before);
    // Where the user says.
    env.git_ok(&["config", "--global", "core.attributesFile", "~/my attributes"]);
    assert_eq!(env.syncline("merge-driver install --global").code, 0);
    assert!(env.home().join("my attributes").is_file());
}

#[test]
fn from_a_folder_and_from_a_linked_worktree() {
    let env = TestEnv::repository();
    env.commit("deep/er/file", "");
    env.git_ok(&["worktree", "add", "--quiet", "../linked"]);
    for folder in ["deep/er", "../linked"] {
        let mut command = env.program(env!("CARGO_BIN_EXE_syncline"));
        command.current_dir(env.work().join(folder));
        let ran = env.finish(command.args(["merge-driver", "install"]));
        assert!(ran.code == 0 && ran.stdout.contains("attributes"), "{ran}");
        assert!(env.work().join(ATTRIBUTES).is_file());
        let ran = env.finish(env.program("git").current_dir(env.home().join("../linked")).args([
            "check-attr",
            "merge",
            "package.xml",
        ]));
        assert_eq!(ran.stdout, "package.xml: merge: syncline\n");
        assert_eq!(env.syncline("merge-driver uninstall").code, 0);
    }
}

#[test]
fn refusals() {
    let env = TestEnv::new();
    let ran = env.finish(
        env.program(env!("CARGO_BIN_EXE_syncline"))
            .env("GIT_CEILING_DIRECTORIES", env.home())
            .args(["merge-driver", "install"]),
    );
    assert_eq!(ran.code, 2);
    insta::assert_snapshot!(ran, @r#"
    exit 2
    --- stderr
    error: could not find a git repository here
      because: fatal: not a git repository (or any of the parent directories): .git
    hint: run it in a repository, or with --global for all of yours
    "#);
    let env = TestEnv::repository();
    env.write(ATTRIBUTES, "a\n# >>> syncline merge driver\n*.x merge=syncline\n");
    insta::assert_snapshot!(env.syncline("merge-driver install"), @r#"
    exit 2
    --- stderr
    error: could not change `.git/info/attributes`
      because: line 2: the block of syncline has no end
    hint: delete the lines of syncline's block by hand and try again
    "#);
    insta::assert_snapshot!(env.syncline("merge-driver uninstall"), @r#"
    exit 2
    --- stderr
    error: could not change `.git/info/attributes`
      because: line 2: the block of syncline has no end
    hint: delete the lines of syncline's block by hand and try again
    "#);
    assert_eq!(
        env.git_ok(&["config", "--local", "--list"]).matches("merge.").count(),
        0,
        "nothing is written"
    );
    let ran = env.finish(
        env.program(env!("CARGO_BIN_EXE_syncline"))
            .env("PATH", "/nowhere")
            .args(["merge-driver", "install"]),
    );
    insta::assert_snapshot!(ran, @r#"
    exit 2
    --- stderr
    error: could not start the program git
      because: No such file or directory (os error 2)
    hint: install git, or put it on PATH
    "#);
}

#[cfg(unix)]
#[test]
fn links_and_modes_stay() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    let env = TestEnv::repository();
    let target = env.home().join("attributes");
    std::fs::write(&target, "*.txt text\n").expect("written");
    std::fs::set_permissions(&target, std::fs::Permissions::from_mode(0o600)).expect("mode");
    std::fs::create_dir_all(env.work().join(".git/info")).expect("folder");
    symlink(&target, env.work().join(ATTRIBUTES)).expect("link");
    assert_eq!(env.syncline("merge-driver install").code, 0);
    assert!(env.work().join(ATTRIBUTES).is_symlink());
    assert_eq!(
        std::fs::metadata(&target).expect("exists").permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(env.syncline("merge-driver uninstall").code, 0);
    assert_eq!(std::fs::read_to_string(&target).expect("read"), "*.txt text\n");
}
