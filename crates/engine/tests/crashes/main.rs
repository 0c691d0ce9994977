//! Workers that are killed (SIGKILL) and frozen (SIGSTOP) at random points: every operation ends as without that, no effect
//! happens twice, the audit chain is whole.
//!
//! `sqlite` and `postgres` run steps of the test's own, `promotions` deploy to simulated orgs whose answers get lost, too.
//!
//! Called with `worker` or `promoter` this program is a worker in a process of its own; else it is the test. SYNCLINE_SEEDS is the
//! number of seeds of each test; a failure names its seed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

#[path = "../promotions/bench.rs"]
#[allow(dead_code, reason = "the promotions use more of it")]
mod bench;
mod drive;
#[path = "../deployments/files.rs"]
#[allow(dead_code, reason = "the deployments use more of it")]
mod files;
#[path = "../../../store/tests/store/postgres.rs"]
mod postgres;
mod process;
mod promotions;
mod worker;

use std::process::ExitCode;

/// Runs the seeds of a group on PostgreSQL or SQLite.
type Check = fn(postgres: bool, group: u64);

/// The suites: their tests' names, and how many groups of seeds are tried on SQLite and PostgreSQL.
const SUITES: &[(&str, Check, u64, u64)] = &[("", drive::check, 5, 5), ("promotions::", promotions::check, 4, 1)];

struct Test {
    name: String,
    check: Check,
    postgres: bool,
    group: u64,
}

fn tests() -> Vec<Test> {
    let mut tests = Vec::new();
    for (suite, check, sqlite, postgres) in SUITES {
        for (database, groups) in [("sqlite", 0..*sqlite), ("postgres", *sqlite..sqlite + postgres)] {
            tests.extend(groups.map(|group| Test {
                name: format!("{suite}{database}::seeds_{group}"),
                check: *check,
                postgres: database == "postgres",
                group,
            }));
        }
    }
    tests
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |word: &str| arguments.iter().any(|argument| argument == word);
    match arguments.first().map(String::as_str) {
        Some("worker") => return worker::main(&arguments[1..]),
        Some("promoter") => return promotions::main(&arguments[1..]),
        _ => {}
    }
    // What test runners ask a test program.
    if has("--list") {
        for test in tests().iter().filter(|_| !has("--ignored")) {
            println!("{}: test", test.name);
        }
        return ExitCode::SUCCESS;
    }
    if has("--ignored") {
        return ExitCode::SUCCESS;
    }
    let filters: Vec<&String> = arguments.iter().filter(|word| !word.starts_with('-')).collect();
    let wanted = |name: &str| {
        filters.is_empty()
            || filters.iter().any(|filter| match has("--exact") {
                true => filter.as_str() == name,
                false => name.contains(filter.as_str()),
            })
    };
    for test in tests().into_iter().filter(|test| wanted(&test.name)) {
        println!("test {}", test.name);
        (test.check)(test.postgres, test.group);
    }
    ExitCode::SUCCESS
}
