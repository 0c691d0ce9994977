//! Every way to log in, against simulated orgs.

mod support;

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use serde_json::{Value, json};
use support::simulator::{APP, Simulator, request};
use support::{Ran, TestEnv};

/// What `org display` tells of a login, which has to work.
fn display(env: &TestEnv, name: &str) -> Value {
    let ran = env.run(&["org", "display", name, "--json"]);
    assert_eq!(ran.code, 0, "{ran}");
    serde_json::from_str(&ran.stdout).expect("JSON")
}

/// The login works, is of this grant, starts another session when one ends, and shows no secret in its files.
fn works(env: &TestEnv, simulator: &Simulator, name: &str, org: &str, grant: &str, secrets: &[&str]) {
    let shown = display(env, name);
    assert_eq!(
        (&shown["grant"], &shown["username"]),
        (&json!(grant), &json!(simulator.username(org)))
    );
    simulator.fault(&json!({"kind": "session_expired", "org": org, "path": "/services/data/v", "times": 1}));
    display(env, name);
    let faults = simulator.control(org, "GET", "faults", &Value::Null);
    assert_eq!(faults["faults"], json!([]), "the session has ended in between");
    for entry in std::fs::read_dir(env.home().join(".config/syncline")).expect("the folder of logins") {
        let path = entry.expect("a file").path();
        if path.is_file() {
            let text = String::from_utf8_lossy(&std::fs::read(&path).expect("read")).into_owned();
            let shown = secrets.iter().find(|secret| text.contains(**secret));
            assert_eq!(shown, None, "{}", path.display());
        }
    }
}

#[test]
fn by_client_credentials() {
    let env = TestEnv::new();
    let simulator = Simulator::start(&env);
    let url = simulator.url("uat");
    let login = |secret: &str| {
        let line = ["org", "login", "app", "--client-credentials", "--client-id", APP.0];
        let variables = [("SYNCLINE_CLIENT_SECRET", secret)];
        env.run_with(&[&line[..], &["--instance", &url, "--json"]].concat(), &variables, "")
    };
    let wrong = login("guessed");
    assert!(wrong.code == 2 && wrong.stderr.contains("org.login-refused"), "{wrong}");
    assert!(wrong.stderr.contains("check the consumer secret"), "{wrong}");
    let unset = login("");
    assert!(unset.stderr.contains("SYNCLINE_CLIENT_SECRET is not set"), "{unset}");
    assert_eq!(login(APP.1).code, 0);
    works(&env, &simulator, "app", "uat", "client credentials", &[APP.1]);

    // Login hosts stand for all orgs: no app has a user there.
    let line = ["org", "login", "app2", "--client-credentials", "--client-id", APP.0];
    let variables = [("SYNCLINE_CLIENT_SECRET", APP.1)];
    let at = ["--instance", "https://test.salesforce.com", "--json"];
    let ran = env.run_with(&[&line[..], &at].concat(), &variables, "");
    assert!(ran.code == 2 && ran.stderr.contains("My Domain"), "{ran}");
}

#[test]
fn by_the_key_of_an_app() {
    let env = TestEnv::new();
    let simulator = Simulator::start(&env);
    let (url, user) = (simulator.url("dev1"), simulator.username("dev1"));
    let key = std::fs::read_to_string(simulator.jwt_key()).expect("the key");
    env.write("app.pem", &key);
    let login = |file: &str, user: &str| {
        let line = ["org", "login", "ci", "--jwt-key", file, "--client-id", APP.0, "--json"];
        env.run(&[&line[..], &["--username", user, "--instance", &url]].concat())
    };
    let nobody = login("app.pem", "nobody@prod.example");
    assert!(
        nobody.code == 2 && nobody.stderr.contains("org.login-refused"),
        "{nobody}"
    );
    env.write(
        "broken.pem",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    );
    let broken = login("broken.pem", &user);
    assert!(
        broken.code == 2 && broken.stderr.contains("org.configuration"),
        "{broken}"
    );
    let ran = login("app.pem", &user);
    assert_eq!(ran.code, 0, "{ran}");
    let secret = key.lines().nth(3).expect("a line");
    works(&env, &simulator, "ci", "dev1", "JWT", &[secret]);
}

/// `force://…` of an org of the simulator.
fn auth_url(simulator: &Simulator, org: &str, token: &str) -> String {
    let port = simulator.host(org).rsplit(':').next().expect("a port").to_owned();
    format!("force://PlatformCLI::{token}@localhost:{port}")
}

#[test]
fn by_an_auth_url_from_a_file_or_standard_input() {
    let env = TestEnv::new();
    let simulator = Simulator::start(&env);
    let token = simulator.refresh_token("uat");
    let url = auth_url(&simulator, "uat", &token);
    env.write("auth.txt", format!("{url}\n"));
    let ran = env.syncline("org login uat --auth-url-file auth.txt");
    assert_eq!(ran.code, 0, "{ran}");
    works(&env, &simulator, "uat", "uat", "refresh token", &[&token]);
    let ran = env.run_with(&["org", "login", "again", "--auth-url-file", "-"], &[], &url);
    assert_eq!(ran.code, 0, "{ran}");
    let none = env.run_with(
        &["org", "login", "none", "--auth-url-file", "-", "--json"],
        &[],
        "https://x",
    );
    assert!(
        none.stderr.contains("org.configuration") && none.stderr.contains("force://KEY"),
        "{none}"
    );

    // Each use gives a new token and ends the old one: what is kept has to follow.
    simulator.control("uat", "POST", "switches", &json!({"rotation": "always"}));
    for _ in 0..3 {
        display(&env, "uat");
    }
    let old = env.run_with(&["org", "login", "old", "--auth-url-file", "-", "--json"], &[], &url);
    assert!(old.code == 2 && old.stderr.contains("org.login-refused"), "{old}");
}

#[test]
fn logging_out_ends_the_refresh_token() {
    let env = TestEnv::new();
    let simulator = Simulator::start(&env);
    let url = auth_url(&simulator, "uat", &simulator.refresh_token("uat"));
    let login = || env.run_with(&["org", "login", "uat", "--auth-url-file", "-", "--json"], &[], &url);
    assert_eq!(login().code, 0);
    let ran = env.syncline("org logout uat --json");
    assert!(ran.code == 0 && ran.stdout.contains("\"revoked\": true"), "{ran}");
    let again = login();
    assert!(again.code == 2 && again.stderr.contains("org.login-refused"), "{again}");
    assert!(env.syncline("org list --json").stdout.contains("\"orgs\": []"));
}

/// A login of the sf CLI, as its files hold it with a key file.
fn sf_login(env: &TestEnv, alias: &str, username: &str, login: &Value) {
    let folder = env.home().join(".sfdx");
    std::fs::create_dir_all(&folder).expect("a folder");
    let aliases = json!({"orgs": {alias: username}});
    std::fs::write(folder.join("alias.json"), aliases.to_string()).expect("written");
    std::fs::write(folder.join(format!("{username}.json")), login.to_string()).expect("written");
}

#[test]
fn by_a_login_of_the_sf_cli() {
    let env = TestEnv::new();
    let simulator = Simulator::start(&env);
    let (url, user, token) = (
        simulator.url("dev1"),
        simulator.username("dev1"),
        simulator.refresh_token("dev1"),
    );
    let missing = env.syncline("org login dev1 --from-sf work --json");
    assert!(
        missing.code == 2 && missing.stderr.contains("`sf org list`"),
        "{missing}"
    );
    let login = json!({"username": user, "clientId": "PlatformCLI", "refreshToken": token, "instanceUrl": url, "loginUrl": url});
    sf_login(&env, "work", &user, &login);
    let ran = env.syncline("org login dev1 --from-sf work");
    assert_eq!(ran.code, 0, "{ran}");
    works(&env, &simulator, "dev1", "dev1", "sf CLI", &[&token]);

    // By the key of an app, which stays where the sf CLI has it.
    let login = json!({"username": user, "clientId": APP.0, "privateKey": simulator.jwt_key(), "loginUrl": url});
    sf_login(&env, "work", &user, &login);
    works(&env, &simulator, "dev1", "dev1", "sf CLI", &[]);

    // The alias leads elsewhere now.
    let (other, name) = (simulator.url("uat"), simulator.username("uat"));
    let login = json!({"username": name, "accessToken": simulator.token("uat"), "instanceUrl": other});
    sf_login(&env, "work", &name, &login);
    let ran = env.syncline("org display dev1 --json");
    assert!(ran.code == 2 && ran.stderr.contains("org.wrong-org"), "{ran}");
}

/// `syncline org login web --web`, and the address that it shows for the browser.
fn browser(env: &TestEnv, url: &str) -> (Child, String) {
    let mut command = env.program(env!("CARGO_BIN_EXE_syncline"));
    command
        .args([
            "org",
            "login",
            "web",
            "--web",
            "--port",
            "0",
            "--json",
            "--instance",
            url,
        ])
        // No browser opens.
        .env("PATH", "")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut process = command.spawn().expect("the program starts");
    let mut line = String::new();
    let mut talk = BufReader::new(process.stderr.take().expect("piped"));
    talk.read_line(&mut line).expect("a line");
    process.stderr = Some(talk.into_inner());
    let shown = line.trim().strip_prefix("Sign in at ").expect("an address");
    (process, shown.to_owned())
}

/// Opens an address of this machine; where it leads on.
fn visit(url: &str, more: &str) -> (u16, String) {
    let (host, path) = url.trim_start_matches("http://").split_once('/').expect("a path");
    let (status, head, _) = request(
        &host.replace("localhost", "127.0.0.1"),
        "GET",
        &format!("/{path}{more}"),
        "text/plain",
        "",
    );
    let to = head.lines().find_map(|line| {
        line.split_once(": ")
            .filter(|(name, _)| name.eq_ignore_ascii_case("location"))
    });
    (status, to.map_or(String::new(), |(_, to)| to.to_owned()))
}

fn end(env: &TestEnv, process: Child) -> Ran {
    Ran::of(&process.wait_with_output().expect("an end"), env)
}

#[test]
fn by_the_browser() {
    let env = TestEnv::new();
    let simulator = Simulator::start(&env);
    let (process, shown) = browser(&env, &simulator.url("uat"));
    assert!(
        shown.contains("code_challenge_method=S256") && shown.contains("state="),
        "{shown}"
    );
    let (_, back) = visit(&shown, "&approve=1");
    // Another one's answer is no answer.
    let (code, _) = back.split_once("&state=").expect("a state");
    assert_eq!(visit(&format!("{code}&state=other"), "").0, 404);
    assert_eq!(visit(&back, "").0, 200);
    let ran = end(&env, process);
    assert_eq!(ran.code, 0, "{ran}");
    works(&env, &simulator, "web", "uat", "refresh token", &[]);

    // The code is worth nothing without what only the program knows.
    let (mut process, shown) = browser(&env, &simulator.url("uat"));
    let (_, back) = visit(&shown, "&approve=1");
    drop((process.kill(), process.wait()));
    let value = |name: &str| {
        let of = |url: &str| {
            url.split(['?', '&'])
                .find_map(|pair| pair.strip_prefix(&format!("{name}=")).map(str::to_owned))
        };
        of(&back).or_else(|| of(&shown)).expect("a value")
    };
    let form = format!(
        "grant_type=authorization_code&client_id=PlatformCLI&code={}&redirect_uri={}&code_verifier=guessed",
        value("code"),
        value("redirect_uri")
    );
    assert_eq!(
        simulator.oauth("uat", &form)["error_description"],
        "invalid code verifier"
    );
}

#[test]
fn a_sign_in_that_is_denied_is_not_kept() {
    let env = TestEnv::new();
    let simulator = Simulator::start(&env);
    let (process, shown) = browser(&env, &simulator.url("uat"));
    let (_, back) = visit(&shown, "&approve=0");
    visit(&back, "");
    let ran = end(&env, process);
    assert!(ran.code == 2 && ran.stderr.contains("org.login-refused"), "{ran}");
    assert!(ran.stderr.contains("allow it"), "{ran}");
    assert!(env.syncline("org list --json").stdout.contains("\"orgs\": []"));
}
