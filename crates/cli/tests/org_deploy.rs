//! Deployments that are looked after from outside: cancelled, watched, left on Ctrl-C; and orgs without deployments by REST.

mod support;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use support::simulator::Simulator;
use support::{Ran, TestEnv};

const META: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ApexClass xmlns=\"http://soap.sforce.com/2006/04/metadata\">\n    \
                    <apiVersion>66.0</apiVersion>\n    <status>Active</status>\n</ApexClass>\n";

/// A folder with two classes, one of them a test, and a login in dev1.
fn project(env: &TestEnv, simulator: &Simulator) {
    env.write(
        "sfdx-project.json",
        r#"{"packageDirectories":[{"path":"app","default":true}]}"#,
    );
    for (name, body) in [
        ("Tide", "public class Tide {}\n"),
        (
            "TideTest",
            "@IsTest\nprivate class TideTest {\n    @IsTest static void rises() {}\n}\n",
        ),
    ] {
        env.write(&format!("app/main/default/classes/{name}.cls"), body);
        env.write(&format!("app/main/default/classes/{name}.cls-meta.xml"), META);
    }
    let ran = simulator.login(env, "dev1", &simulator.url("dev1"), &[]);
    assert_eq!(ran.code, 0, "{ran}");
}

fn classes(simulator: &Simulator) -> Vec<String> {
    let told = simulator.control("dev1", "GET", "components?type=ApexClass", &Value::Null);
    let names = told["components"].as_array().expect("components").iter();
    names
        .map(|one| one["name"].as_str().expect("a name").to_owned())
        .collect()
}

fn value(ran: &Ran) -> Value {
    let value = serde_json::from_str(&ran.stdout);
    assert!(value.is_ok(), "{ran}");
    value.unwrap_or_default()
}

#[test]
fn an_org_without_deployments_by_rest_is_deployed_to_by_soap() {
    let env = TestEnv::new();
    let absent = "[[faults]]\nkind = \"absent\"\npath = \"/metadata/deployRequest\"\n";
    let simulator = Simulator::configured(&env, absent, &[]);
    project(&env, &simulator);
    let tried = env.syncline("org deploy dev1 . --check-only --tests RunLocalTests --json");
    assert_eq!(tried.code, 0, "{tried}");
    assert_eq!(value(&tried)["testsCompleted"], 1);
    assert!(classes(&simulator).is_empty());

    let id = value(&tried)["id"].as_str().expect("an id").to_owned();
    let quick = env.run(&["org", "deploy", "dev1", "--quick", &id]);
    assert_eq!(quick.code, 0, "{quick}");
    assert_eq!(classes(&simulator), ["Tide", "TideTest"]);

    env.write("app/main/default/classes/Tide.cls-meta.xml", "<ApexClass>");
    let failed = env.syncline("org deploy dev1 . --json");
    assert_eq!(failed.code, 1, "{failed}");
    assert_eq!(value(&failed)["problems"].as_array().map(Vec::len), Some(1), "{failed}");

    let late = env.run(&["org", "deploy", "dev1", "--cancel", &id, "--json"]);
    assert!(late.code == 2 && late.stderr.contains("nothing to cancel"), "{late}");
    let watched = env.run(&["org", "deploy", "dev1", "--watch", &id]);
    assert_eq!(watched.code, 0, "{watched}");
}

/// `syncline org deploy` in an org whose clock stands; the id of the deployment, which waits.
fn begun(env: &TestEnv) -> (Child, String) {
    let mut command = env.program(env!("CARGO_BIN_EXE_syncline"));
    command.args(["org", "deploy", "dev1", "."]);
    let mut process = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut line = String::new();
    let mut talk = BufReader::new(process.stderr.take().expect("piped"));
    talk.read_line(&mut line).expect("a line");
    process.stderr = Some(talk.into_inner());
    let id = line
        .trim()
        .strip_prefix("deployment ")
        .and_then(|rest| rest.strip_suffix(" in dev1"));
    assert!(id.is_some(), "`{line}`");
    let id = id.unwrap_or_default().to_owned();
    (process, id)
}

fn interrupt(env: &TestEnv, process: Child) -> Ran {
    let id = process.id().to_string();
    let told = Command::new("kill").args(["-INT", &id]).status().expect("kill");
    assert!(told.success());
    Ran::of(&process.wait_with_output().expect("an end"), env)
}

#[cfg(unix)]
#[test]
fn a_deployment_that_is_left_goes_on_until_it_is_cancelled() {
    let env = TestEnv::new();
    let simulator = Simulator::configured(&env, "", &["--clock", "stepped"]);
    project(&env, &simulator);
    let (process, first) = begun(&env);
    let left = interrupt(&env, process);
    assert_eq!(left.code, 130, "{left}");
    assert!(left.stderr.contains(&format!("{first} goes on in dev1")), "{left}");
    for option in ["--watch", "--cancel"] {
        assert!(
            left.stderr
                .contains(&format!("`syncline org deploy dev1 {option} {first}`")),
            "{left}"
        );
    }

    // The second one waits for the first: it is cancelled at once.
    let (process, second) = begun(&env);
    let ran = env.run(&["org", "deploy", "dev1", "--cancel", &second, "--json"]);
    assert_eq!((ran.code, &value(&ran)["status"]), (0, &json!("Canceled")), "{ran}");
    let watching = Ran::of(&process.wait_with_output().expect("an end"), &env);
    assert!(watching.code == 1 && watching.stdout.contains("Canceled"), "{watching}");
    // It knew of the first one, whose end nobody saw.
    assert!(
        watching.stderr.contains(&format!("its deployment {first} went on")),
        "{watching}"
    );

    // The first one is at work: it ends when the org gets to it. The answer to the cancelling is lost.
    simulator.fault(&json!({"kind": "lost_answer", "org": "dev1", "method": "PATCH", "times": 1}));
    let mut command = env.program(env!("CARGO_BIN_EXE_syncline"));
    let cancelling = command
        .args(["org", "deploy", "dev1", "--cancel", &first])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    while !simulator
        .log("dev1")
        .iter()
        .any(|line| line.starts_with("PATCH ") && line.ends_with(&first))
    {
        std::thread::yield_now();
    }
    simulator.control("dev1", "POST", "clock", &json!({"step": 3_600_000}));
    let ran = Ran::of(&cancelling.wait_with_output().expect("an end"), &env);
    assert!(
        ran.code == 0 && ran.stdout.contains(&format!("{first} Canceled")),
        "{ran}"
    );
    assert!(classes(&simulator).is_empty());

    let late = env.run(&["org", "deploy", "dev1", "--cancel", &first, "--json"]);
    assert!(late.code == 2 && late.stderr.contains("nothing to cancel"), "{late}");
    let watched = env.run(&["org", "deploy", "dev1", "--watch", &first]);
    assert_eq!(watched.code, 1, "{watched}");
    let unknown = env.syncline("org deploy dev1 --watch 0Af000000000001AAA --json");
    assert!(
        unknown.code == 2 && unknown.stderr.contains("check the id"),
        "{unknown}"
    );
}

#[test]
fn reports_for_ci_say_what_failed() {
    let env = TestEnv::new();
    let simulator = Simulator::start(&env);
    project(&env, &simulator);
    let missing = env.syncline("org deploy dev1 . --check-only --junit no/where.xml");
    assert!(
        missing.code == 2 && missing.stderr.contains("there is no folder `no`"),
        "{missing}"
    );

    let reports = "--junit junit.xml --sarif found.sarif --markdown summary.md";
    let passed = env.syncline(&format!("org deploy dev1 . --tests RunLocalTests {reports}"));
    assert_eq!(passed.code, 0, "{passed}");
    let junit = env.read("junit.xml");
    assert!(
        junit.contains("<testsuites name=\"Deployment to dev1\" tests=\"1\" failures=\"0\" skipped=\"0\">"),
        "{junit}"
    );
    assert!(
        junit.contains("<testcase classname=\"TideTest\" name=\"rises\""),
        "{junit}"
    );
    assert!(env.read("summary.md").starts_with("## Deployment to dev1: passed\n"));

    let tests = env.syncline("org tests dev1 --markdown tests.md");
    assert_eq!(tests.code, 0, "{tests}");
    assert!(env.read("tests.md").starts_with("## Apex tests in dev1: passed\n"));

    env.write("app/main/default/classes/Tide.cls-meta.xml", "<ApexClass>");
    let failed = env.syncline(&format!("org deploy dev1 . {reports}"));
    assert_eq!(failed.code, 1, "{failed}");
    let sarif: Value = serde_json::from_str(&env.read("found.sarif")).expect("SARIF");
    let found = &sarif["runs"][0]["results"][0];
    assert_eq!(
        (&found["ruleId"], &found["level"]),
        (&json!("deploy/ApexClass"), &json!("error")),
        "{sarif:#}"
    );
    assert!(env.read("summary.md").starts_with("## Deployment to dev1: failed\n"));
    assert!(env.read("junit.xml").contains("failures=\"1\""));
}
