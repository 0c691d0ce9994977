//! Back-promotion to an org and its rollback from the command line, with the way back tried on a simulated org of its own.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_syncline");
const CLASS: &str = "force-app/main/default/classes/Fix.cls";

/// Simulated orgs in a process of their own, and a repository.
struct Bench {
    orgs: Child,
    folder: TempDir,
}

impl Bench {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("world.toml");
        let world =
            "port = 0\nclock = \"fast\"\n[[orgs]]\nname = \"prod\"\n[[orgs]]\nname = \"qa\"\nkind = \"Developer\"\n";
        std::fs::write(&config, world).unwrap();
        let mut orgs = Command::new(PROGRAM)
            .args(["--json", "simulator", "start", "--until-input-ends", "--config"])
            .arg(&config)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(orgs.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let bench = Self { orgs, folder };
        std::fs::create_dir(bench.repository()).unwrap();
        let started: Value = serde_json::from_str(&line).unwrap();
        let qa = started["orgs"]
            .as_array()
            .unwrap()
            .iter()
            .find(|org| org["name"] == "qa")
            .unwrap();
        let mut login = bench
            .command(&[
                "org",
                "login",
                "qa",
                "--access-token-stdin",
                "--instance",
                qa["url"].as_str().unwrap(),
            ])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        login
            .stdin
            .take()
            .unwrap()
            .write_all(qa["accessToken"].as_str().unwrap().as_bytes())
            .unwrap();
        assert!(login.wait().unwrap().success());
        bench
    }

    fn repository(&self) -> std::path::PathBuf {
        self.folder.path().join("repository")
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command
            .args(args)
            .current_dir(self.repository())
            .env("SYNCLINE_HOME", self.folder.path().join("home"))
            .env_remove("SYNCLINE_DATABASE_URL");
        command
    }

    /// Runs the program; its exit code and what it wrote as JSON.
    fn run(&self, args: &[&str]) -> (i32, Value) {
        let done = self.command(args).arg("--json").output().unwrap();
        let text = String::from_utf8_lossy(&done.stdout).into_owned();
        let value = serde_json::from_str(&text);
        let value = value.unwrap_or_else(|_| panic!("{text}{}", String::from_utf8_lossy(&done.stderr)));
        (done.status.code().unwrap(), value)
    }

    fn git(&self, args: &[&str]) -> std::process::Output {
        Command::new("git")
            .args(args)
            .current_dir(self.repository())
            .output()
            .unwrap()
    }

    fn write(&self, path: &str, text: &str) {
        let file = self.repository().join(path);
        std::fs::create_dir_all(file.parent().unwrap_or(Path::new("."))).unwrap();
        std::fs::write(file, text).unwrap();
    }

    fn commit(&self) {
        assert!(self.git(&["add", "--all"]).status.success());
        assert!(self.git(&["commit", "--quiet", "--message", "Change"]).status.success());
    }

    fn has_class(&self) -> bool {
        self.git(&["cat-file", "-e", &format!("env/qa:{CLASS}")])
            .status
            .success()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        // Its input ends, and so does it; if it has ended already there is nothing to do.
        drop(self.orgs.stdin.take());
        let _ = self.orgs.wait();
    }
}

impl Bench {
    /// A production with a class that its sandbox does not have.
    fn with_a_change(more: &str) -> Self {
        let bench = Self::start();
        for args in [
            &["init", "--quiet", "--initial-branch=main", "."][..],
            &["config", "user.name", "Ada"],
            &["config", "user.email", "ada@example.com"],
        ] {
            assert!(bench.git(args).status.success());
        }
        bench.write(
            "syncline.toml",
            &format!(
                "[environments.production]\nbranch = \"main\"\nkind = \"production\"\n\
                 [environments.qa]\nbranch = \"env/qa\"\nkind = \"developer\"\norg = \"qa\"\npromotes-to = \"production\"\n{more}"
            ),
        );
        bench.write(
            "sfdx-project.json",
            r#"{"packageDirectories": [{"path": "force-app", "default": true}]}"#,
        );
        bench.commit();
        assert!(bench.git(&["branch", "env/qa"]).status.success());
        bench.write(CLASS, "public class Fix {\n}\n");
        bench.write(
            &format!("{CLASS}-meta.xml"),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ApexClass xmlns=\"http://soap.sforce.com/2006/04/metadata\">\n    \
             <apiVersion>60.0</apiVersion>\n    <status>Active</status>\n</ApexClass>\n",
        );
        bench.commit();
        bench
    }
}

#[test]
fn down_and_back() {
    let bench = Bench::with_a_change("");
    let (code, told) = bench.run(&["back-promote", "--from", "production", "--onto", "all-below"]);
    assert_eq!(code, 0, "{told:#}");
    let operation = &told["operations"][0];
    assert_eq!(operation["state"], "succeeded", "{told:#}");
    assert_eq!(operation["data"]["rehearsed"]["result"]["proof"], "proved", "{told:#}");
    assert_eq!(operation["data"]["rollback"]["valid"], true);
    assert!(bench.has_class());

    let (code, told) = bench.run(&["rollback", operation["id"].as_str().unwrap()]);
    assert_eq!(
        (code, &told["operations"][0]["state"]),
        (0, &Value::from("succeeded")),
        "{told:#}"
    );
    assert!(!bench.has_class());
}

#[test]
fn an_org_that_another_operation_has() {
    let bench = Bench::with_a_change("[gates]\napprovals = { admin = 1 }\n");
    let promote = ["back-promote", "--from", "production", "--onto", "qa"];
    let (code, told) = bench.run(&promote);
    assert_eq!(
        (code, &told["operations"][0]["state"]),
        (1, &Value::from("needs_person")),
        "{told:#}"
    );
    let first = told["operations"][0]["id"].as_str().unwrap().to_owned();
    let short = &first[first.len() - 8..];
    bench.write(CLASS, "public class Fix {\n    Integer more;\n}\n");
    bench.commit();
    let says = |args: &[&str]| {
        let done = bench.command(args).output().unwrap();
        let text = String::from_utf8_lossy(&done.stdout).into_owned();
        assert!(
            text.contains("has qa first: promote, waiting for a person at gates"),
            "{text}"
        );
        assert!(text.contains(&format!("syncline operation show {short}")), "{text}");
    };
    says(&promote);
    says(&["operation", "list"]);
    let (_, listed) = bench.run(&["operation", "list"]);
    assert_eq!(listed["operations"][0]["blocked"]["by"], first.as_str(), "{listed:#}");
    assert_eq!(listed["operations"][1]["blocked"], Value::Null, "{listed:#}");
    says(&["operation", "show", listed["operations"][0]["id"].as_str().unwrap()]);

    // What a command does is told while it works.
    let done = bench.command(&["operation", "approve", short]).output().unwrap();
    let talk = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(talk.contains("qa: "), "{talk}");
}
