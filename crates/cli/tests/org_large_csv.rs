//! A file of 400 MB is imported by uploads that the platform takes, in little memory.

mod support;

use std::fmt::Write as _;
use std::io::{BufWriter, Write as _};
use std::process::Stdio;

use serde_json::Value;
use support::simulator::Simulator;
use support::{Ran, TestEnv};

/// Rows of 32 KB: few records, many bytes.
const ROWS: usize = 12_500;
const TEXT: usize = 31_990;
/// Peak memory that is allowed, KiB.
const MEMORY: u64 = 256 * 1024;

/// Peak memory of a process, KiB; none once it has ended.
fn peak(id: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

#[cfg(target_os = "linux")]
#[ignore = "writes 400 MB and takes a minute; a thousandth of it is tried by the tests of the engine"]
#[test]
fn four_hundred_megabytes() {
    let env = TestEnv::new();
    let simulator = Simulator::configured(&env, "", &["--state", "orgs"]);
    simulator.login(&env, "dev1", &simulator.url("dev1"), &[]);
    let path = env.work().join("accounts.csv");
    let mut file = BufWriter::new(std::fs::File::create(&path).expect("a file"));
    let mut row = String::new();
    file.write_all(b"Name,Description\n").expect("written");
    for number in 0..ROWS {
        row.clear();
        writeln!(row, "Gull {number},{}", "x".repeat(TEXT)).expect("written");
        file.write_all(row.as_bytes()).expect("written");
    }
    file.flush().expect("written");
    drop(file);
    assert!(std::fs::metadata(&path).expect("a file").len() > 400_000_000);

    let mut command = env.program(env!("CARGO_BIN_EXE_syncline"));
    let mut process = command
        .args(["org", "import", "dev1", "Account", "accounts.csv", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut most = 0;
    while process.try_wait().expect("asked").is_none() {
        most = peak(process.id()).map_or(most, |now| now.max(most));
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let ran = Ran::of(&process.wait_with_output().expect("an end"), &env);
    assert_eq!(ran.code, 0, "{ran}");
    let told: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!((&told["taken"], &told["refused"]), (&ROWS.into(), &0.into()));
    assert_eq!(told["jobs"].as_array().map(Vec::len), Some(5), "{ran}");
    assert!(most > 0 && most < MEMORY, "{most} KiB");
    eprintln!("{most} KiB at most");
}
