//! The demo tells its whole story, needs nothing of the user, and leaves nothing behind.

mod support;

use std::process::{Command, Stdio};

use support::{Ran, TestEnv};

/// The demo without home, identity or configuration; temporary folders go to `work/tmp`.
fn demo(env: &TestEnv, arguments: &[&str]) -> Ran {
    env.finish(&mut command(env, arguments))
}

fn command(env: &TestEnv, arguments: &[&str]) -> Command {
    std::fs::create_dir_all(env.work().join("tmp")).expect("folder");
    let mut command = env.program(env!("CARGO_BIN_EXE_syncline"));
    command
        .env_remove("HOME")
        .env("TMPDIR", env.work().join("tmp"))
        .arg("demo")
        .args(arguments);
    command
}

fn left(env: &TestEnv) -> usize {
    std::fs::read_dir(env.work().join("tmp")).expect("folder").count()
}

#[test]
fn the_story() {
    let env = TestEnv::new();
    let ran = demo(&env, &[]);
    assert_eq!(ran.code, 0, "{ran}");
    for line in [
        "1. A repository with a branch for each environment",
        "$ syncline init",
        "$ syncline diff production~1 production",
        "Profile Sales › fieldPermissions Opportunity.Discount__c › editable: true → false",
        "$ git merge-tree --write-tree --name-only --no-messages uat production",
        "Files that somebody would have to repair by hand: 4 in uat, 3 in integration, 1 in developer.",
        "$ syncline diff production uat",
        "$ syncline back-promote --from production --onto uat,integration,developer",
        "uat: back-promoted from production",
        "integration: back-promoted from production",
        "developer: 1 conflict to decide, the branch was not moved",
        "$ syncline conflicts list",
        "<numberValue>25.0</numberValue>",
        "1 --theirs",
        "developer: back-promoted from production",
        "developer-2: back-promoted from production",
        "replayed: Flow:Discount_Check/decisions[name=Is_Large]/rules[name=Large]/conditions",
        "developer-2: nothing to do",
        "Syncline-From: production@",
        "uat          hotfix 9 of 9   own work 6 of 6   decided 0   history kept",
        "integration  hotfix 9 of 9   own work 5 of 5   decided 0   history kept",
        "developer    hotfix 9 of 9   own work 3 of 3   decided 1   history kept",
        "53 of 53 changes are where they belong, 0 are lost.",
        "The sample is deleted.",
    ] {
        assert!(ran.stdout.contains(line), "`{line}` is missing in {ran}");
    }
    assert_eq!(left(&env), 0, "the sample is deleted");
}

#[test]
fn kept_and_as_json() {
    let env = TestEnv::new();
    let ran = demo(&env, &["--json", "--keep"]);
    assert_eq!(ran.code, 0, "{ran}");
    let summary: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(summary["environments"].as_array().map(Vec::len), Some(4), "{ran}");
    let folder = summary["folder"].as_str().expect("a folder");
    assert!(folder.contains("syncline-demo-"), "{folder}");
    assert_eq!(left(&env), 1);
}

#[test]
fn only_the_repository() {
    let env = TestEnv::new();
    let ran = demo(&env, &["--setup", "sample"]);
    assert_eq!(ran.code, 0, "{ran}");
    assert_eq!(left(&env), 0);
    let branches = env.git_ok(&["-C", "sample", "branch", "--format=%(refname:short)"]);
    assert_eq!(branches, "developer\ndeveloper-2\nintegration\nproduction\nuat\n");
    assert_eq!(env.git_ok(&["-C", "sample", "status", "--porcelain"]), "");
    let again = demo(&env, &["--setup", "sample"]);
    assert_eq!(again.code, 2, "{again}");
}

#[test]
fn answers_of_nobody_do_not_stop_it() {
    let env = TestEnv::new();
    assert_eq!(demo(&env, &["--pause"]).code, 0);
}

#[cfg(unix)]
#[test]
fn stopped_by_the_user() {
    let env = TestEnv::new();
    let mut child = command(&env, &["--pause"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    // It waits for Enter behind the first step.
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().expect("piped")));
    let told = lines.any(|line| line.is_ok_and(|line| line.contains("look it over")));
    assert!(told, "step 1");
    assert_eq!(left(&env), 1);
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(killed.is_ok_and(|status| status.success()));
    assert_eq!(child.wait().expect("ended").code(), Some(130));
    assert_eq!(left(&env), 0, "the sample is deleted");
}
