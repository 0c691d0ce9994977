//! Simulated orgs for a test, in a process of their own.

use std::io::{BufRead, BufReader, Read, Write};
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
        self.login_with(env, org, url, &self.token(org), more)
    }

    /// Makes the login of that name lead to another org.
    pub fn login_as(&self, env: &TestEnv, name: &str, org: &str) {
        let ran = self.login_with(env, name, &self.url(org), &self.token(org), &[]);
        assert_eq!(ran.code, 0, "{ran}");
    }

    /// An access token of another user.
    pub fn token_of(&self, org: &str, username: &str) -> String {
        let answer = self.control(&self.url(org), "token", &format!(r#"{{"username": "{username}"}}"#));
        let answer: serde_json::Value = serde_json::from_str(&answer).expect("JSON");
        answer["token"].as_str().expect("a token").to_owned()
    }

    /// Asks one of the simulator's own endpoints, `/_simulator/PATH`.
    pub fn control(&self, url: &str, path: &str, body: &str) -> String {
        let host = url.trim_start_matches("http://");
        let mut stream = std::net::TcpStream::connect(host).expect("the simulator");
        let request = format!(
            "POST /_simulator/{path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).expect("written");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a body");
        assert!(
            head.split_whitespace().nth(1).is_some_and(|code| code.starts_with('2')),
            "{answer}"
        );
        body.to_owned()
    }

    pub fn login_with(&self, env: &TestEnv, org: &str, url: &str, token: &str, more: &[&str]) -> Ran {
        let mut command: Command = env.program(env!("CARGO_BIN_EXE_syncline"));
        command
            .args(["org", "login", org, "--access-token-stdin", "--instance", url])
            .args(more)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut process = command.spawn().expect("the program starts");
        let mut stdin = process.stdin.take().expect("piped");
        stdin.write_all(token.as_bytes()).expect("written");
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
