//! Processes that meet or are killed: the old state or the new one, never another.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use syncline_engine::back_promote::back_promote;
use syncline_git::Repository;
use xtask::generate::Random;

use crate::sandbox::{NOW, Sandbox, owner, profile, profile_path, request, told};

const CHILD: &str = "SYNCLINE_TEST_BACK_PROMOTE";

/// Many files on `main`, so that a back-promotion takes a while.
fn wide() -> Sandbox {
    let sandbox = Sandbox::new();
    let write = |value: &'static str| {
        move |s: &Sandbox| {
            for number in 0..60 {
                let name = format!("P{number}");
                s.write(
                    &profile_path(&name),
                    &profile(&[("A", value), ("B", "true"), ("C", "true")]),
                );
            }
        }
    };
    sandbox.on("main", write("true"));
    sandbox.promote("main", &["uat", "dev"]);
    sandbox.on("main", write("false"));
    for branch in ["uat", "dev"] {
        sandbox.on(branch, |s| {
            for number in 0..60 {
                s.write(
                    &profile_path(&format!("P{number}")),
                    &profile(&[("A", "true"), ("B", "true"), ("C", "false")]),
                );
            }
        });
    }
    sandbox
}

/// Not a test by itself: the process that the others start and kill.
#[test]
fn child() {
    if let Some(path) = std::env::var_os(CHILD) {
        let repository = Repository::open(path.as_ref()).unwrap();
        println!("begun");
        let report = back_promote(&repository, &request("main", &["uat", "dev"]), &owner(), NOW).unwrap();
        println!("told: {}", told(&report));
    }
}

fn start(sandbox: &Sandbox) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "crashes::child", "--nocapture"])
        .env(CHILD, &sandbox.path);
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

#[test]
fn two_processes_on_one_target() {
    let sandbox = wide();
    let before = sandbox.rev("uat");
    let children: Vec<_> = (0..4).map(|_| start(&sandbox).spawn().unwrap()).collect();
    let mut wins = 0;
    for child in children {
        let output = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
        let told = output
            .lines()
            .find_map(|line| line.split_once("told: "))
            .unwrap()
            .1
            .to_owned();
        for part in told.split("; ").filter(|part| part.starts_with("uat")) {
            let lost = part.contains("failed")
                && (part.contains("moved by somebody") || part.contains("expected") || part.contains("locked"));
            assert!(
                part.starts_with("uat done") || part.starts_with("uat nothing") || lost,
                "{told}"
            );
            wins += usize::from(part.starts_with("uat done"));
        }
    }
    assert_eq!(wins, 1);
    assert_eq!(sandbox.rev("uat^1"), before);
    assert_eq!(told(&sandbox.promote("main", &["uat"])), "uat nothing");
    assert_eq!(sandbox.git(&["fsck", "--strict", "--no-dangling"]), "");
}

fn unlock(folder: &Path) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            unlock(&path);
        } else if path.extension().is_some_and(|extension| extension == "lock") {
            std::fs::remove_file(path).unwrap();
        }
    }
}

#[test]
fn killed_at_any_time() {
    let sandbox = wide();
    let refs = ["uat", "dev"].map(|name| sandbox.rev(name));
    let reset = || {
        for (name, commit) in ["uat", "dev"].into_iter().zip(&refs) {
            sandbox.git(&["update-ref", &format!("refs/heads/{name}"), commit]);
        }
    };
    // How long an undisturbed one takes, so that the kills fall into it.
    let begun = Instant::now();
    assert!(
        start(&sandbox)
            .spawn()
            .unwrap()
            .wait_with_output()
            .unwrap()
            .status
            .success()
    );
    let whole = begun.elapsed();
    let goal = ["uat", "dev"].map(|name| sandbox.rev(&format!("{name}^{{tree}}")));
    let mut random = Random::fork(7, "kill");
    let mut old = 0;
    for _ in 0..25 {
        reset();
        let wait = whole.mul_f64(random.below(1000) as f64 / 1000.0);
        let mut child = start(&sandbox).spawn().unwrap();
        let begun = Instant::now();
        while begun.elapsed() < wait {
            std::thread::park_timeout(Duration::from_micros(200));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        for ((name, before), tree) in ["uat", "dev"].into_iter().zip(&refs).zip(&goal) {
            let now = sandbox.rev(name);
            old += usize::from(now == *before);
            assert!(
                now == *before || sandbox.rev(&format!("{name}^{{tree}}")) == *tree,
                "{name}"
            );
        }
        assert_eq!(sandbox.git(&["fsck", "--strict", "--no-dangling"]), "");
        // A lock of a killed process is named; removing it is a person's decision.
        unlock(&sandbox.path.join(".git/refs"));
    }
    assert!(
        old > 0 && old < 50,
        "the kills were all too early or all too late: {old} of 50 are old"
    );
    reset();
    sandbox.promote("main", &["uat", "dev"]);
    assert_eq!(
        ["uat", "dev"].map(|name| sandbox.rev(&format!("{name}^{{tree}}"))),
        goal
    );
}
