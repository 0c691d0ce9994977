//! An empty database on the PostgreSQL of the tests, which `ci/postgres` starts.

use std::path::Path;
use std::process::Command;

/// The address of an empty database; `None` when these tests are to be skipped.
pub fn new_postgres() -> Option<String> {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    if set("SYNCLINE_SKIP_POSTGRES") && !set("CI") {
        println!("skipped: SYNCLINE_SKIP_POSTGRES is set");
        return None;
    }
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ci/postgres");
    let output = Command::new(program).output().expect("ci/postgres starts");
    assert!(
        output.status.success(),
        "{}SYNCLINE_SKIP_POSTGRES=1 skips the tests on PostgreSQL where CI is not set",
        String::from_utf8_lossy(&output.stderr)
    );
    Some(String::from_utf8(output.stdout).expect("UTF-8").trim().to_owned())
}
