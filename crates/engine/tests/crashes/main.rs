//! Workers that are killed (SIGKILL) and frozen (SIGSTOP) at random points: every operation ends as without that, no effect
//! happens twice, the audit chain is whole.
//!
//! Called with `worker` this program is a worker in a process of its own; else it is the test. CRASH_SEEDS is the number of seeds
//! of each test; a failure names its seed.

mod drive;
mod worker;

use std::process::ExitCode;

/// The names of the tests: each runs some of the seeds on one database.
const GROUPS: u64 = 5;

fn names() -> Vec<(String, bool, u64)> {
    let group = |database: &str, postgres: bool| {
        let database = database.to_owned();
        (0..GROUPS).map(move |group| (format!("{database}::seeds_{group}"), postgres, group))
    };
    group("sqlite", false).chain(group("postgres", true)).collect()
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |word: &str| arguments.iter().any(|argument| argument == word);
    if arguments.first().is_some_and(|word| word == "worker") {
        return worker::main(&arguments[1..]);
    }
    // What test runners ask a test program.
    if has("--list") {
        for (name, ..) in names().iter().filter(|_| !has("--ignored")) {
            println!("{name}: test");
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
    for (name, postgres, group) in names().into_iter().filter(|(name, ..)| wanted(name)) {
        println!("test {name}");
        drive::check(postgres, group);
    }
    ExitCode::SUCCESS
}
