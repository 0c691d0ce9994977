//! Workers in processes of their own, which are killed and frozen.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// How many seeds a test tries.
pub fn seeds() -> u64 {
    std::env::var("SYNCLINE_SEEDS").map_or(5, |text| text.parse().expect("a number"))
}

/// Starts this program as a worker of some sort. It ends when its standard input does.
pub fn start(sort: &str, arguments: &[&str]) -> Child {
    Command::new(std::env::current_exe().expect("runs"))
        .arg(sort)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a worker starts")
}

/// Ends a worker at once: SIGKILL.
pub fn kill(worker: &mut Child) {
    worker.kill().expect("killed");
    worker.wait().expect("gone");
}

/// Lets a worker stand still for a time: SIGSTOP, SIGCONT.
pub async fn freeze(worker: &Child, time: Duration) {
    signal("-STOP", worker);
    tokio::time::sleep(time).await;
    signal("-CONT", worker);
}

fn signal(name: &str, worker: &Child) {
    let status = Command::new("kill").args([name, &worker.id().to_string()]).status();
    assert!(status.expect("kill runs").success());
}

/// Lets a worker end by itself, and gives what it reports.
pub fn end(worker: Child) -> serde_json::Value {
    // Its standard input ends with this.
    let output = worker.wait_with_output().expect("ended");
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{told} {}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_str(&told).expect("a report")
}
