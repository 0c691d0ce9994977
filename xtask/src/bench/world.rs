//! A simulator that runs as long as its value lives, and requests to it.

use super::Bench;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A running `syncline simulator`.
pub(super) struct World {
    process: Child,
    orgs: Vec<Org>,
    /// From the start of the process to the line that tells of the orgs.
    pub(super) started: Duration,
}

/// An org of it.
#[derive(Clone, Debug)]
pub(super) struct Org {
    pub(super) name: String,
    /// `http://127.0.0.1:…`
    pub(super) url: String,
    /// Token of the administrator.
    pub(super) token: String,
}

impl World {
    /// Starts orgs on free ports and waits until they are told. `config` is a file, `state` a folder.
    pub(super) fn start(bench: &Bench, config: Option<&Path>, state: Option<&Path>) -> Result<Self, String> {
        let failed = |why: &dyn std::fmt::Display| format!("syncline simulator start: {why}");
        let mut command = Command::new(&bench.syncline);
        command.args(["simulator", "start", "--port", "0", "--json"]);
        for (flag, path) in [("--config", config), ("--state", state)] {
            if let Some(path) = path {
                command.arg(flag).arg(path);
            }
        }
        command.current_dir(bench.scratch.path()).stdout(Stdio::piped());
        let began = Instant::now();
        let mut process = command.spawn().map_err(|error| failed(&error))?;
        let mut line = String::new();
        let stdout = process.stdout.take().ok_or_else(|| failed(&"no output"))?;
        let read = BufReader::new(stdout).read_line(&mut line);
        // Made here, so that the process ends in any case.
        let mut world = Self {
            process,
            orgs: Vec::new(),
            started: began.elapsed(),
        };
        read.map_err(|error| failed(&error))?;
        let told: Value = serde_json::from_str(&line).map_err(|error| failed(&error))?;
        let text = |org: &Value, name: &str| org[name].as_str().unwrap_or_default().to_owned();
        let orgs = told["orgs"].as_array().into_iter().flatten();
        world.orgs = orgs
            .map(|org| Org {
                name: text(org, "name"),
                url: text(org, "url"),
                token: text(org, "accessToken"),
            })
            .collect();
        Ok(world)
    }

    /// An org by its name.
    pub(super) fn org(&self, name: &str) -> Result<&Org, String> {
        let found = self.orgs.iter().find(|org| org.name == name);
        found.ok_or_else(|| format!("the simulator has no org {name}"))
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

impl Org {
    /// A connection to it.
    pub(super) fn connect(&self) -> Result<TcpStream, String> {
        let address = self.url.trim_start_matches("http://");
        TcpStream::connect(address).map_err(|error| format!("{}: {error}", self.url))
    }

    /// Sends a GET with the administrator's token; gives the status and the body.
    pub(super) fn get(&self, mut stream: TcpStream, path: &str) -> Result<(u16, Vec<u8>), String> {
        let failed = |error: std::io::Error| format!("GET {}{path}: {error}", self.url);
        let head = format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\nConnection: close\r\n\r\n",
            self.token
        );
        stream.write_all(head.as_bytes()).map_err(failed)?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).map_err(failed)?;
        let status = answer
            .get(9..12)
            .and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
        let body = answer.windows(4).position(|four| four == b"\r\n\r\n");
        match (status, body) {
            (Some(status), Some(body)) => Ok((status, answer.split_off(body + 4))),
            _ => Err(format!("GET {}{path}: no HTTP in the answer", self.url)),
        }
    }

    /// What the simulator itself tells about the org, at `/_simulator/…`.
    pub(super) fn control(&self, path: &str) -> Result<Value, String> {
        let path = format!("/_simulator/{path}");
        let (status, body) = self.get(self.connect()?, &path)?;
        if status != 200 {
            return Err(format!("GET {}{path} gave {status}", self.url));
        }
        serde_json::from_slice(&body).map_err(|error| format!("GET {}{path}: {error}", self.url))
    }
}
