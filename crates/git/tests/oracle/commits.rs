//! Commits, identities and trailers as git writes and reads them.

use std::process::Command;

use syncline_git::{
    CommitError, CommitTime, Identity, NewCommit, Oid, Signature, Trailer, TrailerError, append_trailers,
    parse_trailers,
};

use crate::random::Random;
use crate::sandbox::{Sandbox, ada};

#[test]
fn commits_are_gits_commits() {
    let sandbox = Sandbox::new(&[]);
    sandbox.write("a", "1\n");
    let first = sandbox.commit_all("Subject\n\nBody with ü\n");
    let repository = sandbox.open();
    let read = repository.commit(first).unwrap();
    assert_eq!((read.subject(), read.parents.as_slice()), ("Subject", &[][..]));
    assert_eq!(read.author, ada());
    let new = NewCommit {
        tree: read.tree,
        parents: &[],
        message: "Subject\n\nBody with ü",
        author: &ada(),
        committer: &ada(),
    };
    assert_eq!(
        repository.write_commit(new).unwrap(),
        first,
        "same input, same id as git"
    );

    let merge = NewCommit {
        parents: &[first, first],
        message: "# not a comment\n\n\nx  \n",
        ..new
    };
    let merge = repository.write_commit(merge).unwrap();
    assert_eq!(repository.commit(merge).unwrap().message, "# not a comment\n\nx\n");
    let empty = NewCommit {
        tree: Oid::EMPTY_TREE,
        ..new
    };
    repository.write_commit(empty).unwrap();
    sandbox.git(&["fsck", "--strict"]);

    let missing = NewCommit {
        tree: Oid::from_bytes([7; 20]),
        ..new
    };
    assert!(matches!(repository.write_commit(missing), Err(CommitError::Object(_))));
    let orphan = NewCommit {
        parents: &[Oid::from_bytes([7; 20])],
        ..new
    };
    assert!(matches!(repository.write_commit(orphan), Err(CommitError::Object(_))));
    for name in ["", "<>"] {
        let identity = Identity {
            name: name.to_owned(),
            email: "a@example.com".to_owned(),
        };
        let author = Signature {
            identity,
            time: CommitTime {
                seconds: 0,
                offset_minutes: 0,
            },
        };
        let bad = repository.write_commit(NewCommit { author: &author, ..new });
        assert!(matches!(bad, Err(CommitError::BadIdentity { .. })), "{bad:?}");
    }
    assert!(repository.commit(read.tree).is_err());
}

#[test]
fn identity_comes_from_the_configuration() {
    let sandbox = Sandbox::new(&[]);
    sandbox.git(&["config", "user.name", "Grace"]);
    sandbox.git(&["config", "user.email", "grace@example.com"]);
    // Other tests of this process do not set these variables.
    let found = sandbox.open().committer().unwrap();
    assert_eq!(
        (found.name.as_str(), found.email.as_str()),
        ("Grace", "grace@example.com")
    );
}

const CHILD: &str = "SYNCLINE_TEST_NO_IDENTITY";

/// Runs itself again without home, where git knows nobody.
#[test]
fn missing_identity_is_explained() {
    if let Some(path) = std::env::var_os(CHILD) {
        let repository = syncline_git::Repository::open(path.as_ref()).unwrap();
        assert!(matches!(repository.author(), Err(CommitError::NoIdentity)));
        assert!(
            repository
                .committer()
                .unwrap_err()
                .to_string()
                .contains("git config user.name")
        );
        return;
    }
    let sandbox = Sandbox::new(&[]);
    let home = sandbox.beside("home");
    std::fs::create_dir(&home).unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap());
    child
        .args(["--exact", "commits::missing_identity_is_explained"])
        .env(CHILD, &sandbox.path);
    child.env("HOME", &home).env("XDG_CONFIG_HOME", &home);
    for role in ["AUTHOR", "COMMITTER"] {
        child
            .env_remove(format!("GIT_{role}_NAME"))
            .env_remove(format!("GIT_{role}_EMAIL"));
    }
    child.env_remove("EMAIL");
    let output = child.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

fn git_trailers(sandbox: &Sandbox, message: &str) -> Vec<String> {
    let arguments = ["interpret-trailers", "--parse", "--no-divider"];
    sandbox
        .git_with(&arguments, message.as_bytes())
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect()
}

fn lines(trailers: &[Trailer]) -> Vec<String> {
    trailers
        .iter()
        .map(|trailer| format!("{}: {}", trailer.key, trailer.value).trim_end().to_owned())
        .collect()
}

fn trailer(key: &str, value: &str) -> Trailer {
    Trailer {
        key: key.to_owned(),
        value: value.to_owned(),
    }
}

/// Git rewrites the spaces of the trailers that are there already and drops comments among them; we leave them alone.
fn tidy(message: &str) -> Vec<String> {
    let line = |line: &str| match line.split_once(':') {
        Some((key, value)) => format!("{}:{}", key.trim_end(), value.trim()),
        None => line.trim_end().to_owned(),
    };
    message
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(line)
        .collect()
}

/// Reads and appends as git does.
fn check(sandbox: &Sandbox, message: &str, add: &Trailer) {
    assert_eq!(
        lines(&parse_trailers(message)),
        git_trailers(sandbox, message),
        "{message:?}"
    );
    let appended = append_trailers(message, std::slice::from_ref(add)).unwrap();
    let argument = format!("{}: {}", add.key, add.value);
    let arguments = ["interpret-trailers", "--no-divider", "--trailer", &argument];
    let expect = sandbox.git_with(&arguments, format!("{}\n", message.trim_end()).as_bytes());
    assert_eq!(tidy(&appended), tidy(&expect), "{message:?} + {argument}");
}

#[test]
fn trailers_are_gits_trailers() {
    let sandbox = Sandbox::new(&[]);
    let messages = [
        "Subject",
        "Subject: with colon",
        "Subject\n\nBody.",
        "Subject\n\nKey: value",
        "Subject\n\nBody.\n\nKey: value\nOther-Key : spaced  \n",
        "Subject\n\nKey: value\nnot a trailer",
        "Subject\n\nKey: value\nnot a trailer\nSigned-off-by: A <a@example.com>",
        "Subject\n\none\ntwo\nthree\nfour\nfive\n(cherry picked from commit abc)",
        "Subject\n\nKey: value\n  goes on\n  and on\n",
        "Subject\n\nKey: value\n\n\n\n",
        "Subject\n\nKey:\nLast: x",
        "Subject\n\nBody\n---\nKey: value",
        "Subject\n\nhttps://example.com/a",
        "Subject\n\n Key: indented",
        "Subject\n\n# comment\nKey: value",
        "Subject\nKey: value",
        "Subject\n\nÄ: value",
        "Subject\n\nA b: value",
        "Subject\n\n: value",
    ];
    for message in messages {
        check(&sandbox, message, &trailer("Syncline-Source", "main@1234"));
        check(&sandbox, message, &trailer("Key", "value"));
    }
    let parts = [
        "Key: v",
        "Signed-off-by: A <a@b>",
        "plain text",
        "  more",
        "",
        "(cherry picked from commit 1)",
        "X-Y:z",
        "A: b: c",
    ];
    for seed in 0..150 {
        let mut random = Random(seed);
        let body: Vec<&str> = (0..1 + random.below(9))
            .map(|_| parts[random.below(parts.len())])
            .collect();
        check(
            &sandbox,
            &format!("Subject\n\n{}", body.join("\n")),
            &trailer("Key", "v"),
        );
    }
}

#[test]
fn trailers_cannot_smuggle_lines() {
    let check = |key: &str, value: &str| append_trailers("Subject", &[trailer(key, value)]);
    assert!(matches!(check("Key", "a\nOther: b"), Err(TrailerError::Value { .. })));
    assert!(matches!(check("Key: x", "a"), Err(TrailerError::Key { .. })));
    assert!(matches!(check("", "a"), Err(TrailerError::Key { .. })));
    let two = [trailer("A", "1"), trailer("B", "2")];
    let message = append_trailers("Subject", &two).unwrap();
    assert_eq!(message, "Subject\n\nA: 1\nB: 2\n");
    assert_eq!(parse_trailers(&message), two);
    assert_eq!(append_trailers("Subject\n", &[]).unwrap(), "Subject\n");
}
