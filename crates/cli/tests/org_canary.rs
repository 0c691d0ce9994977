//! Secrets stay secret: nothing that the program prints or writes shows one, whether it works or fails.

mod support;

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;
use support::simulator::{APP, Simulator};
use support::{Ran, TestEnv};

const CLASS: &str = "public class Tide {}\n";
const META: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ApexClass xmlns=\"http://soap.sforce.com/2006/04/metadata\">\n    \
                    <apiVersion>66.0</apiVersion>\n    <status>Active</status>\n</ApexClass>\n";

struct Rig {
    env: TestEnv,
    simulator: Simulator,
    /// What was said, with the command that said it.
    said: Vec<(String, String)>,
    secrets: Vec<String>,
}

impl Rig {
    fn keep(&mut self, line: &[&str], ran: &Ran) {
        self.said.push((line.join(" "), ran.to_string()));
    }

    /// Runs a command in both manners of output.
    fn run(&mut self, line: &[&str], code: i32) {
        for more in [&[][..], &["--json"]] {
            let ran = self.env.run(&[line, more].concat());
            self.keep(line, &ran);
            assert_eq!(ran.code, code, "{line:?}: {ran}");
        }
    }

    fn login(&mut self, line: &[&str], variables: &[(&str, &str)], input: &str) -> i32 {
        let line = [&["org", "login"], line].concat();
        let ran = self.env.run_with(&line, variables, input);
        self.keep(&line, &ran);
        ran.code
    }

    /// Whether this shows a secret, as it is or in base64.
    fn shows(&self, bytes: &[u8]) -> Option<&str> {
        let text = String::from_utf8_lossy(bytes);
        let found = |secret: &&String| {
            // Three offsets of base64: what surrounds a secret moves its bits.
            let coded = (0..3).flat_map(|skip| {
                let part = &secret.as_bytes()[skip..skip + (secret.len() - skip) / 3 * 3];
                [STANDARD.encode(part), URL_SAFE_NO_PAD.encode(part)]
            });
            text.contains(secret.as_str()) || coded.into_iter().any(|coded| text.contains(&coded))
        };
        self.secrets.iter().find(found).map(String::as_str)
    }

    fn scan(&self) {
        for (line, text) in &self.said {
            assert_eq!(self.shows(text.as_bytes()), None, "syncline {line} says:\n{text}");
        }
        let mut seen = 0;
        for folder in [self.env.home(), self.env.work()] {
            for path in files(&folder) {
                let bytes = std::fs::read(&path).expect("read");
                assert_eq!(self.shows(&bytes), None, "{}", path.display());
                seen += 1;
            }
        }
        assert!(seen > 10, "{seen} files");
        // Objects are compressed in their files.
        let all = self.env.git_ok(&["cat-file", "--batch-all-objects", "--batch"]);
        assert!(all.contains(CLASS.trim()), "the class is among the objects");
        assert_eq!(self.shows(all.as_bytes()), None, "an object of git");
    }
}

/// All files below a folder, but those that hold the secrets to begin with.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.ends_with(".sfdx") {
            continue;
        }
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path),
        }
    }
    found
}

/// The part of a token that is secret: without the org's id.
fn secret_of(token: &str) -> String {
    token.rsplit('!').next().expect("a token").to_owned()
}

fn rig() -> Rig {
    let env = TestEnv::repository();
    let simulator = Simulator::start(&env);
    env.write(
        "sfdx-project.json",
        r#"{"packageDirectories":[{"path":"app","default":true}]}"#,
    );
    env.write("app/main/default/classes/Tide.cls", CLASS);
    env.write("app/main/default/classes/Tide.cls-meta.xml", META);
    env.write("rows.csv", "FirstName,LastName\nAda,Archer\nBen,\n");
    env.git_ok(&["add", "--all"]);
    env.git_ok(&["commit", "--quiet", "--message", "a class"]);
    Rig {
        env,
        simulator,
        said: Vec::new(),
        secrets: Vec::new(),
    }
}

#[test]
fn no_secret_is_shown() {
    let mut rig = rig();
    let (url, user) = (rig.simulator.url("dev1"), rig.simulator.username("dev1"));
    let (token, refresh) = (rig.simulator.token("dev1"), rig.simulator.refresh_token("dev1"));
    let key = std::fs::read_to_string(rig.simulator.jwt_key()).expect("the key");
    let line = key.lines().nth(3).expect("a line of the key").to_owned();
    rig.secrets = vec![secret_of(&token), refresh.clone(), APP.1.to_owned(), line];
    for secret in rig.secrets.clone() {
        let coded = STANDARD.encode(format!("x:{secret}:y"));
        for text in [format!("a {secret} b"), coded] {
            assert_eq!(rig.shows(text.as_bytes()), Some(secret.as_str()), "the scan finds it");
        }
    }

    // Each way to log in, and each way that fails.
    let at = ["--instance", &url];
    let port = rig
        .simulator
        .host("dev1")
        .rsplit(':')
        .next()
        .expect("a port")
        .to_owned();
    let auth = format!("force://PlatformCLI::{refresh}@localhost:{port}");
    assert_eq!(
        rig.login(&[&["token", "--access-token-stdin"], &at[..]].concat(), &[], &token),
        0
    );
    assert_eq!(rig.login(&["url", "--auth-url-file", "-"], &[], &auth), 0);
    let app = ["app", "--client-credentials", "--client-id", APP.0];
    let secret = [("SYNCLINE_CLIENT_SECRET", APP.1)];
    assert_eq!(rig.login(&[&app, &at[..]].concat(), &secret, ""), 0);
    assert_eq!(
        rig.login(
            &[&app, &["--instance", "https://test.salesforce.com"][..]].concat(),
            &secret,
            ""
        ),
        2
    );
    let file = rig.simulator.jwt_key().to_string_lossy().into_owned();
    let ci = ["ci", "--jwt-key", &file, "--client-id", APP.0, "--username"];
    assert_eq!(rig.login(&[&ci[..], &[&user], &at].concat(), &[], ""), 0);
    assert_eq!(rig.login(&[&ci[..], &["nobody@x.example"], &at].concat(), &[], ""), 2);
    for (what, input) in [
        ("no", token.as_str()),
        ("no", &key),
        ("no", &auth.replace("force", "forces")),
    ] {
        assert_eq!(rig.login(&[what, "--auth-url-file", "-"], &[], input), 2);
    }
    for input in [&auth, &key, &format!("{token}\u{7}{token}")] {
        assert_eq!(
            rig.login(&[&["no", "--access-token-stdin"], &at[..]].concat(), &[], input),
            2
        );
    }
    let sfdx = rig.env.home().join(".sfdx");
    std::fs::create_dir(&sfdx).expect("a folder");
    let entry = json!({"username": user, "clientId": "PlatformCLI", "refreshToken": refresh, "loginUrl": url});
    std::fs::write(sfdx.join(format!("{user}.json")), entry.to_string()).expect("written");
    assert_eq!(rig.login(&["sf", "--from-sf", &user], &[], ""), 0);
    std::fs::write(
        sfdx.join("broken.json"),
        format!("{{\"refreshToken\": \"{refresh}\", {refresh}"),
    )
    .expect("written");
    assert_eq!(rig.login(&["no", "--from-sf", "broken"], &[], ""), 2);

    rig.run(&["org", "list"], 0);
    for name in ["token", "url", "app", "ci", "sf"] {
        rig.run(&["org", "display", name], 0);
        rig.run(&["org", "query", name, "SELECT Nope FROM User"], 2);
    }
    for line in [
        &["query", "url", "SELECT Id, Username FROM User"][..],
        &["query", "url", "SELECT Id FROM User", "--bulk", "-o", "rows-out.csv"],
        &["deploy", "url", "."],
        &["deploy", "url", ".", "--check-only", "--tests", "RunLocalTests"],
        &["retrieve", "url", "-o", "back", "--metadata", "ApexClass"],
        &["retrieve", "url", "--snapshot"],
        &["tests", "url"],
        &["limits", "url"],
    ] {
        rig.run(&[&["org"], line].concat(), 0);
    }
    rig.run(
        &[
            "org",
            "import",
            "url",
            "Contact",
            "rows.csv",
            "--refused",
            "refused.csv",
        ],
        1,
    );
    rig.run(&["diff", "main", "org:url", "--type", "ApexClass"], 0);
    rig.scan();

    // What is written when things go wrong, and what a run that was ended leaves.
    for (kind, code) in [("session_expired", 2), ("lost_answer", 0)] {
        let fault =
            json!({"kind": kind, "org": "dev1", "method": "POST", "path": "/metadata/deployRequest", "times": 2});
        rig.simulator.fault(&fault);
        rig.run(&["org", "deploy", "token", "."], code);
    }
    let form = format!("token={refresh}");
    let kind = "application/x-www-form-urlencoded";
    support::simulator::request(
        &rig.simulator.host("dev1"),
        "POST",
        "/services/oauth2/revoke",
        kind,
        &form,
    );
    for name in ["url", "sf"] {
        rig.run(&["org", "display", name], 2);
    }
    let ran = rig.env.syncline("org logout url");
    assert_eq!(ran.code, 0, "{ran}");
    rig.keep(&["org", "logout", "url"], &ran);
    rig.scan();
}
