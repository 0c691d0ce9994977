//! The merge driver when the merge itself breaks down: it panics, overflows its stack, aborts, is killed.
//!
//! The product has no hook for that. This test program is the driver: called with `merge-driver run` it is the product; the
//! child that the product starts from its own program file, called with `merge-file`, breaks down as FAULT says.

mod support;

use std::process::ExitCode;

use support::{TestEnv, profile};

const FILE: &str = "profiles/Admin.profile-meta.xml";
const FAULTS: [&str; 5] = ["panic", "overflow", "abort", "memory", "nonsense"];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |word: &str| arguments.iter().any(|argument| argument == word);
    match arguments.first().map(String::as_str) {
        Some("merge-driver") => syncline::main(),
        Some("merge-file") => break_down(&std::env::var("FAULT").unwrap_or_default()),
        // What cargo-nextest asks a test program.
        _ if has("--list") => {
            if !has("--ignored") {
                println!("the_driver_outlives_its_merge: test");
            }
            ExitCode::SUCCESS
        }
        _ if has("--ignored") => ExitCode::SUCCESS,
        _ => {
            FAULTS.into_iter().for_each(check);
            ExitCode::SUCCESS
        }
    }
}

fn break_down(fault: &str) -> ExitCode {
    print!("<half a result>");
    match fault {
        "panic" => ExitCode::from(syncline::guard(|| Vec::<u8>::new()[std::hint::black_box(7)])),
        "overflow" => ExitCode::from(u8::try_from(deeper(1) % 2).unwrap_or(0)),
        "abort" => std::process::abort(),
        // Allocation fails, which aborts.
        "memory" => ExitCode::from(u8::from(vec![1_u8; usize::MAX / 4].is_empty())),
        _ => ExitCode::from(77),
    }
}

fn deeper(n: u64) -> u64 {
    let room = std::hint::black_box([n; 64]);
    if n == 0 {
        0
    } else {
        deeper(n + 1) + room[n as usize % 64]
    }
}

fn check(fault: &str) {
    let side = |class: &str| profile(&[(class, true), ("Shared", true)]);
    let env = TestEnv::diverged(FILE, profile(&[("Shared", true)]), side("Alpha"), side("Beta"));
    let this = std::env::current_exe().expect("runs");
    let ran = env.run(&["merge-driver", "install", "--program", this.to_str().expect("UTF-8")]);
    assert_eq!(ran.code, 0, "{ran}");
    let ran = env.finish(env.program("git").env("FAULT", fault).args(["merge", "theirs"]));
    assert_eq!(ran.code, 1, "{fault}: {ran}");
    assert!(ran.stderr.contains("by lines"), "{fault}: {ran}");
    assert_eq!(
        ran.stderr.contains("please report it"),
        fault == "panic",
        "{fault}: {ran}"
    );
    let text = env.read(FILE);
    for part in ["<<<<<<< HEAD\n", "Alpha", "Beta", ">>>>>>> theirs\n"] {
        assert!(text.contains(part), "{fault}: {text}");
    }
    assert!(!text.contains("half"), "{fault}: {text}");
}
