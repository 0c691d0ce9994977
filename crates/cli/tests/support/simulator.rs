//! Simulated orgs for a test, in a process of their own.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use super::{Ran, TestEnv};

/// Orgs that run until this is dropped.
pub struct Simulator {
    process: Child,
    orgs: Vec<serde_json::Value>,
}

impl Simulator {
    pub fn start(env: &TestEnv) -> Self {
        let mut process = env
            .program(env!("CARGO_BIN_EXE_syncline"))
            .args(["simulator", "start", "--port", "0", "--json"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the simulator starts");
        let mut line = String::new();
        let stdout = process.stdout.take().expect("piped");
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        let told: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        let orgs = told["orgs"].as_array().expect("orgs").clone();
        Self { process, orgs }
    }

    fn org(&self, name: &str, field: &str) -> String {
        let org = self.orgs.iter().find(|org| org["name"] == name).expect("the org");
        org[field].as_str().expect("text").to_owned()
    }

    pub fn url(&self, org: &str) -> String {
        self.org(org, "url")
    }

    pub fn token(&self, org: &str) -> String {
        self.org(org, "accessToken")
    }

    /// Logs in at the address with the administrator's token.
    pub fn login(&self, env: &TestEnv, org: &str, url: &str, more: &[&str]) -> Ran {
        let mut command: Command = env.program(env!("CARGO_BIN_EXE_syncline"));
        command
            .args(["org", "login", org, "--access-token-stdin", "--instance", url])
            .args(more)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut process = command.spawn().expect("the program starts");
        let mut stdin = process.stdin.take().expect("piped");
        stdin.write_all(self.token(org).as_bytes()).expect("written");
        drop(stdin);
        Ran::of(&process.wait_with_output().expect("an end"), env)
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
