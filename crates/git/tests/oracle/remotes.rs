//! Fetch, push and clone between repositories on disk; versions of the program; what it is told.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use syncline_git::{
    Authorization, Expect, Program, ProgramError, PushRef, RefName, Remote, RemoteError, Repository, clone_mirror,
};

use crate::sandbox::{Sandbox, git};

fn script(sandbox: &Sandbox, text: &str) -> PathBuf {
    let path = sandbox.beside("git-script");
    fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[test]
fn old_and_strange_programs_are_refused() {
    let sandbox = Sandbox::empty();
    let check = |text: &str, expect: &str| {
        let path = script(&sandbox, text);
        let error = Program::at(&path).unwrap_err().to_string();
        assert_eq!(error.replace(path.to_str().unwrap(), "PATH"), expect);
    };
    check(
        "echo 'git version 2.39.5'",
        "PATH is git 2.39; syncline needs git 2.41 or newer",
    );
    check(
        "echo hello",
        "`PATH --version` printed `hello`, which is no version of git",
    );
    check("exit 1", "`PATH --version` printed ``, which is no version of git");
    let none = sandbox.beside("none");
    assert!(matches!(Program::at(&none), Err(ProgramError::NotFound { .. })));
    let version = Program::at(&script(&sandbox, "echo 'git version 2.41.0'"))
        .unwrap()
        .version();
    assert_eq!(version.to_string(), "2.41");
}

#[test]
fn tokens_go_through_the_environment() {
    let sandbox = Sandbox::new(&["--bare"]);
    let seen = sandbox.beside("seen");
    let text = format!(
        "if [ \"$1\" = --version ]; then echo 'git version 2.47.0'; exit; fi\n\
         {{ echo \"$@\"; env | grep -E '^GIT_(CONFIG_|TERMINAL|ALLOW|DIR)' | sort; }} > {}\necho 'fatal: no' >&2; exit 128",
        seen.display()
    );
    let git = Program::at(&script(&sandbox, &text)).unwrap();
    let authorization = Authorization::new("https://example.com/", "Authorization: Bearer canary").unwrap();
    let remote = Remote::new("https://example.com/a.git").unwrap();
    let error = sandbox
        .open()
        .fetch(&git, &remote, &["+refs/heads/*:refs/remotes/o/*"], Some(&authorization))
        .unwrap_err();
    assert_eq!(error.to_string(), "`git fetch` failed (exit status: 128): fatal: no");
    let seen = fs::read_to_string(seen).unwrap();
    let (arguments, variables) = seen.split_once('\n').unwrap();
    assert!(!arguments.contains("canary"), "{arguments}");
    assert!(
        arguments.ends_with(" -- https://example.com/a.git +refs/heads/*:refs/remotes/o/*"),
        "{arguments}"
    );
    for line in [
        "GIT_ALLOW_PROTOCOL=https:ssh:file",
        "GIT_TERMINAL_PROMPT=0",
        "KEY_0=http.https://example.com/.extraHeader",
        "VALUE_0=Authorization: Bearer canary",
    ] {
        assert!(variables.contains(line), "{line} in {variables}");
    }
    assert!(!format!("{error:?}").contains("canary"));
}

#[test]
fn clone_fetch_and_push() {
    let origin = Sandbox::new(&[]);
    origin.write("a", "1");
    let one = origin.commit_all("one");
    let url = format!("file://{}", origin.path.display());
    let (git, remote) = (git(), Remote::new(&url).unwrap());
    let path = origin.beside("mirror.git");
    clone_mirror(&git, &remote, &path, None).unwrap();
    let mirror = Repository::open(&path).unwrap();
    assert!(mirror.is_bare());
    assert_eq!(mirror.resolve("main").unwrap().oid, one);

    origin.write("a", "2");
    let two = origin.commit_all("two");
    mirror
        .fetch(&git, &remote, &["+refs/heads/main:refs/remotes/o/main"], None)
        .unwrap();
    assert_eq!(mirror.resolve("o/main").unwrap().oid, two);
    let error = mirror
        .fetch(&git, &remote, &["refs/heads/none:refs/heads/none"], None)
        .unwrap_err();
    assert!(error.to_string().contains("couldn't find remote ref"), "{error}");
    assert!(matches!(
        mirror.fetch(&git, &remote, &["--prune"], None),
        Err(RemoteError::BadRefspec { .. })
    ));

    let uat = RefName::branch("uat").unwrap();
    let push = |source, expect| {
        mirror.push(
            &git,
            &remote,
            &[PushRef {
                source,
                target: uat.clone(),
                expect,
            }],
            None,
        )
    };
    push(Some(two), Expect::Absent).unwrap();
    assert_eq!(origin.rev("uat"), two);
    let rejected = |result: Result<(), RemoteError>, reason: &str| match result {
        Err(RemoteError::Rejected { refs }) => {
            assert_eq!(
                refs.iter()
                    .map(|one| (one.target.as_str(), one.reason.as_str()))
                    .collect::<Vec<_>>(),
                [("refs/heads/uat", reason)]
            );
        }
        other => panic!("{other:?}"),
    };
    rejected(push(Some(one), Expect::Absent), "stale info");
    rejected(push(Some(one), Expect::At(one)), "stale info");
    rejected(push(Some(one), Expect::FastForward), "non-fast-forward");
    assert_eq!(origin.rev("uat"), two);
    push(Some(one), Expect::At(two)).unwrap();
    push(Some(two), Expect::FastForward).unwrap();
    assert!(matches!(
        push(None, Expect::FastForward),
        Err(RemoteError::BlindDelete { .. })
    ));
    rejected(push(None, Expect::At(one)), "stale info");
    push(None, Expect::At(two)).unwrap();
    assert_eq!(origin.git(&["for-each-ref", "refs/heads/uat"]), "");

    // One refused ref keeps the others from moving.
    let (a, b) = (RefName::branch("a").unwrap(), RefName::branch("b").unwrap());
    let refs = [
        PushRef {
            source: Some(two),
            target: a,
            expect: Expect::Absent,
        },
        PushRef {
            source: Some(two),
            target: b,
            expect: Expect::At(one),
        },
    ];
    assert!(matches!(
        mirror.push(&git, &remote, &refs, None),
        Err(RemoteError::Rejected { .. })
    ));
    assert_eq!(origin.git(&["for-each-ref", "refs/heads/a", "refs/heads/b"]), "");
}

#[test]
fn commands_as_protocols_are_refused_in_configured_remotes_too() {
    let sandbox = Sandbox::new(&["--bare"]);
    let proof = sandbox.beside("proof");
    sandbox.git(&["config", "remote.evil.url", &format!("ext::touch {}", proof.display())]);
    sandbox.git(&["config", "protocol.ext.allow", "always"]);
    let result = sandbox
        .open()
        .fetch(&git(), &Remote::new("evil").unwrap(), &["main"], None);
    assert!(
        matches!(result, Err(RemoteError::Program(ProgramError::Failed { .. }))),
        "{result:?}"
    );
    assert!(!proof.exists());
}
