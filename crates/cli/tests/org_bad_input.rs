//! What a person or an org gives wrong: each case with the kind, the stable code and the hint of its error, and nothing half done.

mod support;

use std::io::{Read, Write};
use std::net::TcpListener;

use serde_json::{Value, json};
use support::simulator::{APP, Simulator};
use support::{Ran, TestEnv};

const CLASS: &str = "public class Tide {}\n";
const META: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ApexClass xmlns=\"http://soap.sforce.com/2006/04/metadata\">\n    \
                    <apiVersion>66.0</apiVersion>\n    <status>Active</status>\n</ApexClass>\n";

/// The error of a command: its kind, its code, and a part of its hints.
struct Expected(&'static str, &'static str, &'static str);

#[track_caller]
fn fails(ran: &Ran, Expected(kind, code, hint): Expected) {
    assert_eq!(ran.code, 2, "{ran}");
    let line = ran.stderr.lines().find(|line| line.starts_with("{\"error\""));
    assert!(line.is_some(), "{ran}");
    let told: Value = serde_json::from_str(line.unwrap_or_default()).expect("JSON");
    let error = &told["error"];
    assert_eq!((&error["kind"], &error["code"]), (&json!(kind), &json!(code)), "{ran}");
    let hints = error["hints"].as_array().expect("hints");
    assert!(
        hints
            .iter()
            .any(|text| text.as_str().is_some_and(|text| text.contains(hint))),
        "{ran}"
    );
}

struct Rig {
    env: TestEnv,
    simulator: Simulator,
}

impl Rig {
    /// A folder with a class, in a repository, and a login in dev1.
    fn new() -> Self {
        let env = TestEnv::repository();
        let simulator = Simulator::start(&env);
        env.write(
            "sfdx-project.json",
            r#"{"packageDirectories":[{"path":"app","default":true}]}"#,
        );
        env.write("app/main/default/classes/Tide.cls", CLASS);
        env.write("app/main/default/classes/Tide.cls-meta.xml", META);
        env.git_ok(&["add", "--all"]);
        env.git_ok(&["commit", "--quiet", "--message", "a class"]);
        let ran = simulator.login(&env, "dev1", &simulator.url("dev1"), &[]);
        assert_eq!(ran.code, 0, "{ran}");
        Self { env, simulator }
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        self.env.run(&[arguments, &["--json"]].concat())
    }

    fn login(&self, name: &str, url: &str, token: &str) -> Ran {
        self.simulator.login_with(&self.env, name, url, token, &["--json"])
    }

    fn count(&self, object: &str) -> String {
        let soql = format!("SELECT COUNT() FROM {object}");
        self.env.run(&["org", "query", "dev1", &soql]).stdout
    }

    fn logins(&self) -> usize {
        let ran = self.run(&["org", "list"]);
        let told: Value = serde_json::from_str(&ran.stdout).expect("JSON");
        told["orgs"].as_array().map_or(0, Vec::len)
    }
}

/// A server that gives this answer to everything.
fn server(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let mut head = [0; 8192];
            drop(client.read(&mut head));
            drop(client.write_all(answer.as_bytes()));
        }
    });
    url
}

#[test]
fn wrong_addresses() {
    let rig = Rig::new();
    let dead = {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        format!("http://{}", listener.local_addr().expect("an address"))
    };
    let page = server(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\nContent-Length: 27\r\n\r\n<html><title>A</title></html>",
    );
    let gone = server(
        "HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\nConnection: close\r\nContent-Length: 13\r\n\r\n<html></html>",
    );
    let moved =
        server("HTTP/1.1 301 Moved\r\nLocation: http://localhost/\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    for (url, expected) in [
        ("acme dot com", Expected("user", "org.address", "my.salesforce.com")),
        (
            "http://acme.example",
            Expected("user", "org.address", "my.salesforce.com"),
        ),
        (
            "ftp://acme.example",
            Expected("user", "org.address", "my.salesforce.com"),
        ),
        (
            dead.as_str(),
            Expected("upstream", "org.no-answer", "the org's address"),
        ),
        (page.as_str(), Expected("upstream", "org.no-api", "check the address")),
        (gone.as_str(), Expected("upstream", "org.no-api", "check the address")),
        (moved.as_str(), Expected("upstream", "org.no-api", "My Domain")),
    ] {
        fails(&rig.login("other", url, "00DD000000IRt53!AQ4"), expected);
    }
    assert_eq!(rig.logins(), 1, "nothing is kept");
}

#[test]
fn sessions_that_do_not_work() {
    let rig = Rig::new();
    let (simulator, url) = (&rig.simulator, rig.simulator.url("dev1"));
    let ended = || Expected("config", "org.session-ended", "sign in again");
    fails(&rig.login("dead", &url, "00DD000000IRt53!AQdead"), ended());

    // A session that ends, of a login that cannot start another one.
    simulator.fault(&json!({"kind": "session_expired", "org": "dev1", "path": "/services/data/v"}));
    fails(&rig.run(&["org", "display", "dev1"]), ended());
    fails(&rig.run(&["org", "deploy", "dev1", "."]), ended());
    simulator.control("dev1", "DELETE", "faults", &Value::Null);
    assert_eq!(rig.count("Contact WHERE Id = null"), "0\n", "the login is still there");

    // A refresh token that was revoked.
    let port = simulator.host("uat").rsplit(':').next().expect("a port").to_owned();
    let token = simulator.refresh_token("uat");
    let auth = format!("force://PlatformCLI::{token}@localhost:{port}");
    let ran = rig
        .env
        .run_with(&["org", "login", "uat", "--auth-url-file", "-"], &[], &auth);
    assert_eq!(ran.code, 0, "{ran}");
    let (status, ..) = support::simulator::request(
        &simulator.host("uat"),
        "POST",
        "/services/oauth2/revoke",
        "application/x-www-form-urlencoded",
        &format!("token={token}"),
    );
    assert_eq!(status, 200);
    fails(
        &rig.run(&["org", "display", "uat"]),
        Expected("config", "org.login-refused", "the token was revoked"),
    );
    assert_eq!(rig.logins(), 2, "what is kept stays");
}

#[test]
fn another_org_than_before() {
    let rig = Rig::new();
    let login = |org: &str| {
        let user = rig.simulator.username(org);
        let folder = rig.env.home().join(".sfdx");
        std::fs::create_dir_all(&folder).expect("a folder");
        let entry = json!({
            "username": user, "clientId": APP.0, "privateKey": rig.simulator.jwt_key(), "loginUrl": rig.simulator.url(org),
        });
        std::fs::write(folder.join(format!("{user}.json")), entry.to_string()).expect("written");
        std::fs::write(folder.join("alias.json"), json!({"orgs": {"work": user}}).to_string()).expect("written");
    };
    login("dev1");
    let ran = rig.run(&["org", "login", "work", "--from-sf", "work"]);
    assert_eq!(ran.code, 0, "{ran}");
    login("uat");
    let wrong = || Expected("refused", "org.wrong-org", "refreshed sandbox");
    fails(&rig.run(&["org", "display", "work"]), wrong());
    fails(&rig.run(&["org", "deploy", "work", "."]), wrong());
    let none = rig
        .simulator
        .control("uat", "GET", "components?type=ApexClass", &Value::Null);
    assert_eq!(none["components"], json!([]), "nothing was deployed");
}

#[test]
fn a_user_without_permissions() {
    let rig = Rig::new();
    let token = rig.simulator.token_of("dev1", "reader@prod.example.dev1");
    let ran = rig.login("reader", &rig.simulator.url("dev1"), &token);
    assert_eq!(ran.code, 0, "{ran}");
    let lacks = || Expected("config", "org.salesforce", "lacks a permission");
    fails(&rig.run(&["org", "deploy", "reader", "."]), lacks());
    fails(
        &rig.run(&["org", "retrieve", "reader", "-o", "back", "--metadata", "ApexClass"]),
        lacks(),
    );
    assert!(!rig.env.work().join("back").exists());
    // Rows are refused one by one.
    rig.env.write("rows.csv", "LastName\nArcher\n");
    let before = rig.count("Contact");
    let ran = rig.run(&[
        "org",
        "import",
        "reader",
        "Contact",
        "rows.csv",
        "--refused",
        "refused.csv",
    ]);
    assert_eq!(ran.code, 1, "{ran}");
    assert!(
        rig.env.read("refused.csv").contains("INSUFFICIENT_ACCESS"),
        "{}",
        rig.env.read("refused.csv")
    );
    assert_eq!(rig.count("Contact"), before);
}

#[test]
fn files_that_break_off() {
    let rig = Rig::new();
    assert_eq!(rig.run(&["org", "deploy", "dev1", "."]).code, 0);
    let cut = || {
        rig.simulator
            .fault(&json!({"kind": "cut_zip", "org": "dev1", "times": 1}));
    };
    let damaged = || Expected("upstream", "org.unexpected-answer", "damaged on its way");
    cut();
    fails(
        &rig.run(&["org", "retrieve", "dev1", "-o", "back", "--metadata", "ApexClass"]),
        damaged(),
    );
    assert!(!rig.env.work().join("back/classes").exists(), "nothing is written");
    cut();
    fails(&rig.run(&["org", "retrieve", "dev1", "--snapshot"]), damaged());
    let refs = rig.env.git_ok(&["for-each-ref", "refs/syncline"]);
    assert_eq!(refs, "", "no snapshot is taken");

    // An answer that breaks off is asked for again: the zip comes with another retrieve.
    rig.simulator
        .fault(&json!({"kind": "truncated", "org": "dev1", "path": "/services/Soap/m", "times": 3}));
    let ran = rig.run(&["org", "retrieve", "dev1", "-o", "back", "--metadata", "ApexClass"]);
    assert_eq!(ran.code, 0, "{ran}");
    assert_eq!(rig.env.read("back/classes/Tide.cls"), CLASS);
}

#[test]
fn rows_that_cannot_be_taken() {
    let rig = Rig::new();
    let before = rig.count("Contact");
    let csv = || Expected("user", "org.csv", "correct the file at that line");
    for (text, expected) in [
        ("", csv()),
        ("FirstName,FirstName\nA,B\n", csv()),
        ("FirstName,\nA,B\n", csv()),
        ("FirstName,LastName\nA,B\nonly one\n", csv()),
        ("FirstName,LastName\n\"A\" x,B\n", csv()),
        ("FirstName,LastName\n\"A,B\n", csv()),
        (
            "LastName,Nope__c\nA,B\n",
            Expected("user", "org.job-failed", "check the columns' names"),
        ),
    ] {
        rig.env.write("rows.csv", text);
        fails(&rig.run(&["org", "import", "dev1", "Contact", "rows.csv"]), expected);
    }
    rig.env.write("rows.csv", "LastName\nArcher\n");
    let import = |more: &[&str]| rig.run(&[&["org", "import", "dev1"], more].concat());
    fails(
        &import(&["Nope__c", "rows.csv"]),
        Expected("user", "org.salesforce", "the object's name"),
    );
    fails(
        &import(&["Contact", "rows.csv", "--upsert", "Nope__c"]),
        Expected("user", "org.salesforce", "the external id"),
    );
    assert_eq!(rig.count("Contact"), before, "no row was taken");
}

#[test]
fn queries_of_what_is_not_there() {
    let rig = Rig::new();
    for (soql, hint) in [
        ("SELECT Nope__c FROM Contact", "check the field's name"),
        ("SELECT Id FROM Nope__c", "check the object's name"),
        ("SELECT Id FRM Contact", "correct the query"),
    ] {
        let said = || Expected("user", "org.salesforce", hint);
        fails(&rig.run(&["org", "query", "dev1", soql]), said());
        fails(&rig.run(&["org", "query", "dev1", soql, "-o", "rows.csv"]), said());
        fails(
            &rig.run(&["org", "query", "dev1", soql, "--bulk", "-o", "rows.csv"]),
            said(),
        );
        assert!(!rig.env.work().join("rows.csv").exists(), "no file is left behind");
    }
}
