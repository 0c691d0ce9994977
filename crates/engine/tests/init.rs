//! `syncline.toml` guessed from the branches of a repository.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::path::{Path, PathBuf};
use std::process::Command;

use syncline_engine::config::Config;
use syncline_engine::init::{InitError, init};
use syncline_git::Repository;
use tempfile::TempDir;

fn git(folder: &Path, arguments: &[&str]) {
    let mut command = Command::new("git");
    command.current_dir(folder).args(arguments);
    command
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1");
    for role in ["AUTHOR", "COMMITTER"] {
        command
            .env(format!("GIT_{role}_NAME"), "Ada")
            .env(format!("GIT_{role}_EMAIL"), "ada@example.com");
    }
    assert!(command.output().unwrap().status.success(), "{arguments:?}");
}

/// A repository with a project on the first branch and the others beside it.
fn repository(branches: &[&str]) -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("r");
    std::fs::create_dir(&path).unwrap();
    git(
        &path,
        &[
            "init",
            "--quiet",
            "--initial-branch",
            branches.first().unwrap_or(&"main"),
        ],
    );
    if let Some((_, others)) = branches.split_first() {
        std::fs::write(
            path.join("sfdx-project.json"),
            r#"{"packageDirectories": [{"path": "force-app"}]}"#,
        )
        .unwrap();
        git(&path, &["add", "--all"]);
        git(&path, &["commit", "--quiet", "-m", "Start"]);
        others.iter().for_each(|branch| git(&path, &["branch", branch]));
    }
    (folder, path)
}

#[test]
fn environments_from_branches() {
    let check = |branches: &[&str], expect: &str| {
        let (_folder, path) = repository(branches);
        let done = init(&Repository::open(&path).unwrap(), false).unwrap();
        let text = std::fs::read_to_string(path.join("syncline.toml")).unwrap();
        assert_eq!(done.text, text);
        assert!(text.contains("# Metadata: force-app\n"), "{text}");
        let config = Config::parse(&text).unwrap();
        let found: Vec<String> = config
            .environments()
            .iter()
            .map(|e| format!("{}={}>{}", e.name, e.branch, e.promotes_to.as_deref().unwrap_or("-")))
            .collect();
        assert_eq!(found.join(" "), expect);
    };
    check(
        &["main", "uat", "integration", "dev1", "dev2", "feature/x"],
        "production=main>- uat=uat>production integration=integration>uat dev1=dev1>integration dev2=dev2>integration",
    );
    check(
        &["main", "production", "staging", "hotfix"],
        "production=production>- hotfix=hotfix>production staging=staging>production",
    );
    check(&["env/prod", "env/qa"], "production=env/prod>- qa=env/qa>production");
    check(&["trunk"], "");
    check(
        &["master", "dev.x", "Dev y"].map(|name| if name == "Dev y" { "DevY" } else { name }),
        "production=master>- DevY=DevY>production dev.x=dev.x>production",
    );
}

#[test]
fn never_over_another() {
    let (_folder, path) = repository(&["main"]);
    let repository = Repository::open(&path).unwrap();
    let dry = init(&repository, true).unwrap();
    assert!(!dry.written && !path.join("syncline.toml").exists());
    std::fs::write(path.join("syncline.toml"), "# mine\n").unwrap();
    assert!(matches!(init(&repository, false), Err(InitError::Exists { .. })));
    assert_eq!(std::fs::read_to_string(path.join("syncline.toml")).unwrap(), "# mine\n");
}

#[test]
fn empty_and_bare() {
    let (_folder, path) = repository(&[]);
    let done = init(&Repository::open(&path).unwrap(), false).unwrap();
    assert!(done.written && done.hints[0].starts_with("nothing is committed yet"));
    Config::parse(&done.text).unwrap();
    let bare = path.with_file_name("bare");
    git(&path, &["init", "--quiet", "--bare", bare.to_str().unwrap()]);
    let bare = Repository::open(&bare).unwrap();
    assert!(matches!(init(&bare, false), Err(InitError::Bare { .. })));
    assert!(init(&bare, true).unwrap().path.is_none());
}
