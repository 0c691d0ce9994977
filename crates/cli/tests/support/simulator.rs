//! Simulated orgs for a test, in a process of their own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Stdio};

use serde_json::{Value, json};

use super::{Ran, TestEnv};

/// Consumer key and secret of the app that every simulated org knows.
pub const APP: (&str, &str) = ("syncline-simulator", "simulator-secret");

/// Orgs that run until this is dropped.
pub struct Simulator {
    process: Child,
    told: Value,
}

impl Simulator {
    pub fn start(env: &TestEnv) -> Self {
        Self::configured(env, "", &[])
    }

    /// With this TOML and these options.
    pub fn configured(env: &TestEnv, config: &str, options: &[&str]) -> Self {
        let file = env.home().join("world.toml");
        std::fs::write(&file, config).expect("written");
        let mut process = env
            .program(env!("CARGO_BIN_EXE_syncline"))
            .args(["simulator", "start", "--port", "0", "--json", "--config"])
            .arg(file)
            .args(options)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the simulator starts");
        let mut line = String::new();
        let stdout = process.stdout.take().expect("piped");
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        let told = serde_json::from_str(&line).expect("JSON");
        Self { process, told }
    }

    /// The test key of the app, as PEM.
    pub fn jwt_key(&self) -> PathBuf {
        self.told["jwtKeyFile"].as_str().expect("a path").into()
    }

    fn org(&self, name: &str, field: &str) -> String {
        let orgs = self.told["orgs"].as_array().expect("orgs");
        let org = orgs.iter().find(|org| org["name"] == name).expect("the org");
        org[field].as_str().expect("text").to_owned()
    }

    pub fn url(&self, org: &str) -> String {
        self.org(org, "url")
    }

    pub fn token(&self, org: &str) -> String {
        self.org(org, "accessToken")
    }

    pub fn username(&self, org: &str) -> String {
        self.org(org, "username")
    }

    /// `127.0.0.1:PORT` of an org.
    pub fn host(&self, org: &str) -> String {
        self.url(org).trim_start_matches("http://").to_owned()
    }

    /// A control of the simulator, which has to succeed.
    pub fn control(&self, org: &str, method: &str, path: &str, body: &Value) -> Value {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let json = "application/json";
        let (status, _, text) = request(&self.host(org), method, &format!("/_simulator/{path}"), json, &body);
        assert!((200..300).contains(&status), "{method} {path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    pub fn fault(&self, fault: &Value) {
        // Each org takes the faults of all.
        let any = self.told["orgs"][0]["name"].as_str().expect("an org");
        self.control(any, "POST", "faults", fault);
    }

    /// Method and path of the requests to an org, oldest first.
    pub fn log(&self, org: &str) -> Vec<String> {
        let told = self.control(org, "GET", &format!("log?org={org}"), &Value::Null);
        let requests = told["requests"].as_array().expect("requests");
        let text = |request: &Value, name: &str| request[name].as_str().expect("text").to_owned();
        requests
            .iter()
            .map(|request| format!("{} {}", text(request, "method"), text(request, "path")))
            .collect()
    }

    /// A token of any user of an org.
    pub fn token_of(&self, org: &str, username: &str) -> String {
        let told = self.control(org, "POST", "token", &json!({ "username": username }));
        told["token"].as_str().expect("a token").to_owned()
    }

    /// Asks for tokens; the answer of the org.
    pub fn oauth(&self, org: &str, form: &str) -> Value {
        let kind = "application/x-www-form-urlencoded";
        let (_, _, text) = request(&self.host(org), "POST", "/services/oauth2/token", kind, form);
        serde_json::from_str(&text).expect("JSON")
    }

    /// A refresh token of the administrator for the sf CLI's app.
    pub fn refresh_token(&self, org: &str) -> String {
        let form = format!(
            "grant_type=password&client_id=PlatformCLI&scope=refresh_token+api+web&username={}&password=simulator1",
            self.username(org)
        );
        let told = self.oauth(org, &form);
        told["refresh_token"].as_str().expect("a refresh token").to_owned()
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

    /// Logs in at the address with this token.
    pub fn login_with(&self, env: &TestEnv, name: &str, url: &str, token: &str, more: &[&str]) -> Ran {
        let line = ["org", "login", name, "--access-token-stdin", "--instance", url];
        env.run_with(&[&line, more].concat(), &[], token)
    }
}

/// Status, head and body of the answer to a request by HTTP/1.1.
pub fn request(host: &str, method: &str, path: &str, content_type: &str, body: &str) -> (u16, String, String) {
    request_with(host, method, path, content_type, "", body)
}

/// The same with more headers, each with its line end.
pub fn request_with(
    host: &str,
    method: &str,
    path: &str,
    content_type: &str,
    headers: &str,
    body: &str,
) -> (u16, String, String) {
    let mut stream = TcpStream::connect(host).expect("a connection");
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Type: {content_type}\r\n{headers}\
         Content-Length: {length}\r\n\r\n"
    );
    stream.write_all(format!("{head}{body}").as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    (status.expect("a status"), head.to_owned(), body.to_owned())
}

impl Drop for Simulator {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
