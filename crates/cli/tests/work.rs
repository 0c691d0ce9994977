//! Work items against simulated orgs: from a change in a sandbox to a branch at the remote.

mod support;

use serde_json::{Value, json};
use support::simulator::Simulator;
use support::{Ran, TestEnv};

const PROJECT: &str = r#"{"packageDirectories":[{"path":"app","default":true}]}"#;
const CONFIG: &str = r#"
[environments.production]
branch = "main"
kind = "production"
org = "prod"

[environments.uat]
branch = "env/uat"
kind = "uat"
promotes-to = "production"
org = "uat"

[environments.dev1]
branch = "env/dev1"
kind = "developer"
promotes-to = "uat"
org = "dev1"
"#;

fn class(env: &TestEnv, folder: &str, name: &str, body: &str) {
    let meta = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ApexClass xmlns=\"http://soap.sforce.com/2006/04/metadata\">\n    \
                <apiVersion>66.0</apiVersion>\n    <status>Active</status>\n</ApexClass>\n";
    let text = format!("public class {name} {{\n    // one\n    // two\n    // three\n    {body}\n}}\n");
    env.write(&format!("{folder}/main/default/classes/{name}.cls"), text);
    env.write(&format!("{folder}/main/default/classes/{name}.cls-meta.xml"), meta);
}

fn world() -> (TestEnv, Simulator) {
    let env = TestEnv::repository();
    let simulator = Simulator::start(&env);
    env.write("sfdx-project.json", PROJECT);
    env.write("syncline.toml", CONFIG);
    env.write("syncline/scope.toml", "types = [\"ApexClass\"]\n");
    env.write(".gitignore", "/org/\n");
    class(&env, "app", "Tax", "Integer rate;");
    env.git_ok(&["add", "--all"]);
    env.git_ok(&["commit", "--quiet", "--message", "taxes"]);
    for branch in ["env/uat", "env/dev1"] {
        env.git_ok(&["branch", branch]);
    }
    for org in ["uat", "dev1"] {
        let ran = simulator.login(&env, org, &simulator.url(org), &[]);
        assert_eq!(ran.code, 0, "{ran}");
        env.ok(&format!("org deploy {org} ."));
    }
    (env, simulator)
}

fn edit(env: &TestEnv, login: &str, name: &str, body: &str) {
    env.write("org/sfdx-project.json", PROJECT);
    class(env, "org/app", name, body);
    env.ok(&format!("org deploy {login} org"));
    std::fs::remove_dir_all(env.work().join("org")).expect("removed");
}

fn listed(ran: &Ran) -> Vec<String> {
    let found = ran.json();
    let one = |one: &Value| {
        format!(
            "{} {}",
            one["component"].as_str().expect("text"),
            one["kind"].as_str().expect("text")
        )
    };
    found["candidates"]
        .as_array()
        .expect("a list")
        .iter()
        .map(one)
        .collect()
}

/// Source tracking shows a change some seconds after it.
fn let_time_pass(simulator: &Simulator) {
    simulator.control("prod", "POST", "clock", &json!({"step": 600_000}));
}

#[test]
fn my_changes_become_a_branch_that_is_submitted() {
    let (env, simulator) = world();
    env.ok("snapshot uat dev1");
    let none = env.syncline("work capture --json");
    assert!(none.code == 2 && none.stderr.contains("syncline work start"), "{none}");
    let begun = env.run(&["work", "start", "Fees in euro", "--json"]);
    assert_eq!(begun.code, 0, "{begun}");
    assert_eq!(begun.json()["branch"], "changes/1-fees-in-euro", "{begun}");
    assert_eq!(begun.json()["target"], "uat");
    assert_eq!(
        env.git_ok(&["branch", "--show-current"]),
        "main\n",
        "nothing is checked out"
    );

    edit(&env, "dev1", "Fee", "Integer fee;");
    edit(&env, "dev1", "Tax", "Integer rates;");
    let_time_pass(&simulator);
    let list = env.ok("work capture --json");
    assert_eq!(list.json()["tracked"], true, "{list}");
    assert_eq!(
        listed(&list),
        ["ApexClass:Fee added", "ApexClass:Tax changed"],
        "{list}"
    );
    assert_eq!(
        env.git_ok(&["rev-list", "--count", "main..changes/1-fees-in-euro"]),
        "1\n",
        "nothing is kept yet"
    );

    let kept = env.ok("work capture 1 -m Fees");
    assert!(
        kept.stdout.contains("1 component kept in 2 files for work item 1"),
        "{kept}"
    );
    let message = env.git_ok(&["log", "-1", "--format=%B", "changes/1-fees-in-euro"]);
    assert!(
        message.starts_with("Fees\n") && message.contains("Syncline-Item: 1\n"),
        "{message}"
    );
    assert!(
        message.contains("Syncline-Environment: dev1") && message.contains("Syncline-Changed-By: admin"),
        "{message}"
    );
    assert_eq!(
        listed(&env.ok("work capture --json --offline")),
        ["ApexClass:Tax changed"]
    );
    // What is captured is in an open change for everybody else.
    let drift = env.syncline("drift dev1 --json");
    let found = drift.json();
    assert_eq!(
        (&found["differences"][0]["class"], &found["differences"][0]["change"]),
        (&"captured".into(), &"changes/1-fees-in-euro".into()),
        "{drift}"
    );
    let status = env.ok("status dev1 --json").json();
    assert_eq!(status["environments"][0]["open_changes"][0], "changes/1-fees-in-euro");

    env.ok("work capture --all --offline");
    let shown = env.git_ok(&["diff", "--name-only", "main...changes/1-fees-in-euro"]);
    assert_eq!(shown.lines().count(), 3, "{shown}");
    assert!(
        env.ok("work list")
            .stdout
            .contains("1  Fees in euro  [begun, in dev1, 3 files]")
    );
    let alone = env.ok("work submit");
    assert!(alone.stdout.contains("has no remote"), "{alone}");
    assert!(env.ok("work list").stdout.contains("[open, in dev1"));

    // With a remote it is pushed.
    let remote = env.home().join("remote.git");
    env.git_ok(&["init", "--quiet", "--bare", remote.to_str().expect("UTF-8")]);
    env.git_ok(&["remote", "add", "origin", remote.to_str().expect("UTF-8")]);
    let pushed = env.ok("work submit --json");
    assert_eq!(pushed.json()["remote"], "origin", "{pushed}");
    assert!(
        env.git_ok(&["ls-remote", "origin"])
            .contains("refs/heads/changes/1-fees-in-euro")
    );

    // Its target takes it.
    env.git_ok(&["branch", "--force", "env/uat", "changes/1-fees-in-euro"]);
    assert!(env.ok("work list").stdout.contains("[done, in dev1"));
}

#[test]
fn without_tracking_the_last_change_tells_whose_it_is() {
    let (env, _simulator) = world();
    env.ok("snapshot uat");
    let begun = env.run(&["work", "start", "Hotfix", "--env", "uat", "--id", "BILL-12"]);
    assert_eq!(begun.code, 0, "{begun}");
    edit(&env, "uat", "Fee", "Integer fee;");
    let list = env.ok("work capture --json");
    assert_eq!(list.json()["tracked"], false, "{list}");
    assert_eq!(listed(&list), ["ApexClass:Fee added"], "{list}");
    let wrong = env.syncline("work capture 7 --offline --json");
    assert!(
        wrong.code == 2 && wrong.stderr.contains("no number of the list"),
        "{wrong}"
    );
    env.ok("work capture ApexClass:Fee --offline");
    assert!(
        env.git_ok(&["ls-tree", "-r", "--name-only", "changes/BILL-12-hotfix"])
            .contains("classes/Fee.cls")
    );
}

#[test]
fn what_somebody_else_changed_meanwhile_is_merged_or_told() {
    let (env, _simulator) = world();
    env.ok("snapshot uat dev1");
    // The target goes on: another line of the same class, and the same line of another.
    class(&env, "app", "Tax", "Integer rate;");
    let text = env.read("app/main/default/classes/Tax.cls").replace("// one", "// uno");
    env.write("app/main/default/classes/Tax.cls", text);
    env.git_ok(&["add", "--all"]);
    env.git_ok(&["commit", "--quiet", "--message", "uno"]);
    env.git_ok(&["branch", "--force", "env/uat", "main"]);
    assert_eq!(env.run(&["work", "start", "Rates"]).code, 0);
    edit(&env, "dev1", "Tax", "Integer rates;");
    env.ok("work capture --all");
    let merged = env.git_ok(&["show", "changes/1-rates:app/main/default/classes/Tax.cls"]);
    assert!(
        merged.contains("// uno") && merged.contains("Integer rates;"),
        "{merged}"
    );

    let text = env
        .read("app/main/default/classes/Tax.cls")
        .replace("Integer rate;", "Decimal rate;");
    env.write("app/main/default/classes/Tax.cls", text);
    env.git_ok(&["add", "--all"]);
    env.git_ok(&["commit", "--quiet", "--message", "decimal"]);
    env.git_ok(&["branch", "--force", "env/uat", "main"]);
    assert_eq!(env.run(&["work", "start", "Again"]).code, 0);
    let refused = env.syncline("work capture --all --item 2 --offline");
    assert!(
        refused.code == 2 && refused.stderr.contains("somebody else changed the same"),
        "{refused}"
    );
    assert!(
        refused.stderr.contains("syncline back-promote --from uat --onto dev1"),
        "{refused}"
    );
}
