//! Environments against simulated orgs: snapshots, drift, status, baselines, and what goes wrong with them.

mod support;

use serde_json::{Value, json};
use support::simulator::Simulator;
use support::{Ran, TestEnv};

const PROJECT: &str = r#"{"packageDirectories":[{"path":"app","default":true}]}"#;
const SCOPE: &str = "types = [\"ApexClass\", \"CustomObject\"]\nnames = [\"CustomObject:*__c\"]\n";
const CONFIG: &str = r#"
[environments.production]
branch = "main"
kind = "production"
org = "prod"

[environments.uat]
branch = "env/uat"
kind = "uat"
licence = "partial"
promotes-to = "production"
org = "uat"
refreshed = 2026-01-10

[environments.dev1]
branch = "env/dev1"
kind = "developer"
licence = "developer"
promotes-to = "uat"
org = "dev1"
"#;

fn class(env: &TestEnv, folder: &str, name: &str, rate: u32) {
    let body = format!("public class {name} {{\n    public static Integer rate() {{ return {rate}; }}\n}}\n");
    let meta = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ApexClass xmlns=\"http://soap.sforce.com/2006/04/metadata\">\n    \
                <apiVersion>66.0</apiVersion>\n    <status>Active</status>\n</ApexClass>\n";
    env.write(&format!("{folder}/main/default/classes/{name}.cls"), body);
    env.write(&format!("{folder}/main/default/classes/{name}.cls-meta.xml"), meta);
}

/// A repository with three environments whose orgs have what their branches say.
fn world() -> (TestEnv, Simulator) {
    let env = TestEnv::repository();
    let simulator = Simulator::start(&env);
    env.write("sfdx-project.json", PROJECT);
    env.write("syncline.toml", CONFIG);
    env.write("syncline/scope.toml", SCOPE);
    env.write(".gitignore", "/org/\n");
    class(&env, "app", "Tax", 19);
    class(&env, "app", "Fee", 1);
    env.git_ok(&["add", "--all"]);
    env.git_ok(&["commit", "--quiet", "--message", "taxes"]);
    for branch in ["env/uat", "env/dev1"] {
        env.git_ok(&["branch", branch]);
    }
    for org in ["prod", "uat", "dev1"] {
        let ran = simulator.login(&env, org, &simulator.url(org), &["--production-writes"]);
        assert_eq!(ran.code, 0, "{ran}");
        deploy(&env, org, ".");
    }
    (env, simulator)
}

fn deploy(env: &TestEnv, org: &str, folder: &str) {
    let ran = env.run(&[
        "org",
        "deploy",
        org,
        folder,
        "--confirm-production",
        "prod",
        "--tests",
        "NoTestRun",
    ]);
    let ran = match org {
        "prod" => env.run(&["org", "deploy", org, folder, "--confirm-production", "prod"]),
        _ if ran.code == 0 => ran,
        _ => env.run(&["org", "deploy", org, folder]),
    };
    assert_eq!(ran.code, 0, "{ran}");
}

/// Somebody changes an org directly.
fn edit(env: &TestEnv, org: &str, name: &str, rate: u32) {
    env.write("org/sfdx-project.json", PROJECT);
    class(env, "org/app", name, rate);
    deploy(env, org, "org");
    std::fs::remove_dir_all(env.work().join("org")).expect("removed");
}

/// Differences as `class path kind author`.
fn differences(ran: &Ran) -> Vec<String> {
    let found = ran.json();
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let one = |one: &Value| {
        format!(
            "{} {} {} by {}",
            text(&one["class"]),
            text(&one["component"]),
            text(&one["kind"]),
            text(&one["author"]["by"])
        )
    };
    found["differences"]
        .as_array()
        .expect("a list")
        .iter()
        .map(one)
        .collect()
}

#[test]
fn a_hotfix_made_in_production_is_drift_and_is_adopted() {
    let (env, _simulator) = world();
    env.ok("snapshot production uat dev1");
    assert_eq!(
        env.ok("drift production").stdout.lines().last(),
        Some("the org is as its branch says")
    );

    edit(&env, "prod", "Tax", 20);
    edit(&env, "prod", "Quick", 7);
    let found = env.syncline("drift production --now --json");
    assert_eq!(found.code, 1, "{found}");
    assert_eq!(
        differences(&found),
        [
            "unmanaged ApexClass:Quick added by admin",
            "foreign ApexClass:Tax changed by admin"
        ],
        "{found}"
    );
    let shown = env.syncline("drift production");
    assert!(shown.stdout.contains("syncline drift production --adopt"), "{shown}");

    let dry = env.ok("drift production --adopt ApexClass:Tax --dry-run --json");
    assert_eq!(dry.json()["commit"], Value::Null);
    let adopted = env.ok("drift production --adopt ApexClass:Tax -m Hotfix");
    assert!(
        adopted.stdout.contains("1 difference of production adopted in 1 file"),
        "{adopted}"
    );
    let message = env.git_ok(&["log", "-1", "--format=%B", "main"]);
    assert!(
        message.starts_with("Hotfix\n") && message.contains("Syncline-Changed-By: admin"),
        "{message}"
    );
    // The branch is checked out: its working tree follows.
    assert!(env.read("app/main/default/classes/Tax.cls").contains("return 20;"));
    assert_eq!(env.git_ok(&["status", "--porcelain"]), "");
    let left = env.syncline("drift production --json");
    assert_eq!(
        differences(&left),
        ["unmanaged ApexClass:Quick added by admin"],
        "{left}"
    );
    env.ok("drift production --adopt --all");
    env.ok("drift production");

    // The hotfix is now ahead of everything below.
    let status = env.ok("status --json").json();
    let uat = &status["environments"][1];
    assert_eq!(
        (&uat["name"], &uat["above"]["behind"]),
        (&"uat".into(), &2.into()),
        "{uat}"
    );
    assert_eq!(uat["drift"]["in_org"], 0);
    assert_eq!(uat["next_refresh"]["from"], "2026-01-15T00:00:00Z");
    env.ok("back-promote --from production --onto uat --branches-only");
    let pending = env.syncline("drift uat --json");
    assert_eq!(
        differences(&pending),
        [
            "pending ApexClass:Quick removed by -",
            "pending ApexClass:Tax changed by -"
        ],
        "{pending}"
    );
    let refused = env.syncline("drift uat --adopt ApexClass:Tax --json");
    assert!(
        refused.code == 2 && refused.stderr.contains("env.argument"),
        "{refused}"
    );
}

#[test]
fn what_was_changed_in_an_org_is_set_back() {
    let (env, _simulator) = world();
    env.ok("snapshot uat");
    edit(&env, "uat", "Tax", 21);
    edit(&env, "uat", "More", 1);
    env.ok("snapshot uat");
    let tried = env.ok("drift uat --revert --all --json");
    let told = tried.json();
    let operation = &told["operations"][0];
    assert_eq!(
        (&operation["kind"], &operation["state"]),
        (&"revert".into(), &"succeeded".into()),
        "{tried}"
    );
    assert_eq!(operation["data"]["deployed"], Value::Array(Vec::new()));
    assert_eq!(
        (&operation["data"]["components"][0], &operation["data"]["deletions"][0]),
        (&"ApexClass:Tax".into(), &"ApexClass:More".into())
    );
    let shown = env.ok("drift uat --revert --all");
    assert!(shown.stdout.contains("only validated"), "{shown}");
    // Somebody is faster than the snapshot.
    edit(&env, "uat", "Tax", 22);
    let refused = env.syncline("drift uat --revert ApexClass:Tax --yes");
    assert!(
        refused.code == 2 && refused.stdout.contains("was changed again"),
        "{refused}"
    );
    let done = env.ok("drift uat --revert --all --yes --json");
    let id = done.json()["operations"][0]["id"].as_str().expect("an id").to_owned();
    env.ok("drift uat");
    let bodies = env.run(&[
        "org",
        "query",
        "uat",
        "SELECT Name FROM ApexClass ORDER BY Name",
        "--tooling",
        "--format",
        "csv",
    ]);
    assert_eq!(bodies.stdout, "Name\nFee\nTax\n");
    // It is undone like any other deployment.
    env.ok(&format!("rollback {id}"));
    let again = env.syncline("drift uat --json");
    assert_eq!(differences(&again).len(), 2, "{again}");
    // A production is set back only when it is named.
    env.ok("snapshot production");
    edit(&env, "prod", "Fee", 2);
    env.ok("snapshot production");
    let refused = env.syncline("drift production --revert --all --yes --json");
    assert!(
        refused.code == 2 && refused.stderr.contains("org.not-confirmed"),
        "{refused}"
    );
    env.ok("drift production --revert --all --yes --confirm production");
    env.ok("drift production");
}

#[test]
fn operations_that_wait_are_shown_where_they_wait() {
    let (env, _simulator) = world();
    assert_eq!(
        env.ok("status --json").json()["environments"][1]["operations"],
        json!([])
    );
    env.write(
        "syncline.toml",
        format!("{CONFIG}[gates]\napprovals = {{ admin = 1 }}\n"),
    );
    class(&env, "app", "Tax", 20);
    env.git_ok(&["commit", "--quiet", "--all", "--message", "more"]);
    let waits = env.syncline("back-promote --from production --onto uat");
    assert_eq!(waits.code, 1, "{waits}");
    let shown = env.ok("status");
    assert!(
        shown
            .stdout
            .contains("(promote) is waiting for a person at gates: Back-promote production to uat: approvals"),
        "{shown}"
    );
    let listed = env.ok("status --json").json();
    let waiting = &listed["environments"][1]["operations"][0];
    assert_eq!(
        (&waiting["kind"], &waiting["step"]),
        (&"promote".into(), &"gates".into())
    );
    let id = waiting["id"].as_str().expect("an id");
    let one = env.ok("env show uat");
    assert!(
        one.stdout.contains(&format!("{} (promote)", &id[id.len() - 8..])),
        "{one}"
    );
    env.ok(&format!("operation cancel {id} --reason done"));
    assert!(!env.ok("status").stdout.contains("(promote)"));
}

#[test]
fn everything_outside_of_git_is_adopted_at_once() {
    let (env, _simulator) = world();
    const COUNT: usize = 300;
    env.write("org/sfdx-project.json", PROJECT);
    for number in 0..COUNT {
        class(&env, "org/app", &format!("Old{number}"), 1);
    }
    deploy(&env, "uat", "org");
    std::fs::remove_dir_all(env.work().join("org")).expect("removed");
    env.ok("snapshot uat");
    let shown = env.syncline("drift uat --stat");
    assert_eq!(shown.code, 1);
    let row: Vec<&str> = shown.stdout.lines().last().expect("a row").split_whitespace().collect();
    assert_eq!(row, ["ApexClass", "300", "0", "0"], "{shown}");
    let adopted = env.ok("drift uat --adopt --all");
    assert!(
        adopted
            .stdout
            .starts_with("300 differences of uat adopted in 600 files"),
        "{adopted}"
    );
    env.ok("drift uat");
}

#[test]
fn absence_is_deletion_only_after_a_complete_snapshot_of_the_same_scope() {
    let (env, _simulator) = world();
    class(&env, "app", "Late", 1);
    env.git_ok(&["add", "--all"]);
    env.git_ok(&["commit", "--quiet", "--message", "late"]);
    env.ok("snapshot production");
    let never = env.syncline("drift production --json");
    assert_eq!(differences(&never), ["pending ApexClass:Late removed by -"], "{never}");

    env.write(
        "gone/destructiveChangesPost.xml",
        "<Package xmlns=\"http://soap.sforce.com/2006/04/metadata\"><types><members>Fee</members><name>ApexClass</name></types></Package>",
    );
    env.write(
        "gone/package.xml",
        "<Package xmlns=\"http://soap.sforce.com/2006/04/metadata\"><version>66.0</version></Package>",
    );
    let line = "org deploy prod gone --destructive gone/destructiveChangesPost.xml --confirm-production prod";
    env.ok(line);
    std::fs::remove_dir_all(env.work().join("gone")).expect("removed");
    let gone = env.syncline("drift production --now --json");
    assert_eq!(
        differences(&gone),
        [
            "foreign ApexClass:Fee removed by admin",
            "pending ApexClass:Late removed by -"
        ],
        "{gone}"
    );
    env.ok("drift production --adopt ApexClass:Fee");
    assert!(!env.work().join("app/main/default/classes/Fee.cls").exists());
}

#[test]
fn states_are_named() {
    let (env, _simulator) = world();
    env.ok("snapshot uat");
    env.ok("diff env:uat snapshot:uat --type ApexClass");
    env.ok("diff env:production org:production --type ApexClass");
    let ambiguous = env.syncline("diff uat main --json");
    assert!(
        ambiguous.code == 2 && ambiguous.stderr.contains("`env:uat` or `snapshot:uat` or `org:uat`"),
        "{ambiguous}"
    );
    // An environment and its branch are one.
    env.ok("diff main env:production");
    let unknown = env.syncline("diff snapshot:dev1 main --json");
    assert!(
        unknown.code == 2 && unknown.stderr.contains("there is no snapshot of `dev1`"),
        "{unknown}"
    );
}

#[test]
fn what_goes_wrong_is_told_with_a_code_and_a_hint() {
    let (env, simulator) = world();
    env.ok("snapshot");
    let fails = |line: &str, code: &str, hint: &str| {
        let ran = env.syncline(&format!("{line} --json"));
        assert_eq!(ran.code, 2, "{line}: {ran}");
        let error: Value = serde_json::from_str(ran.stderr.lines().last().unwrap_or_default()).expect("JSON");
        assert_eq!(error["error"]["code"], code, "{line}: {ran}");
        assert!(error["error"]["hints"].to_string().contains(hint), "{line}: {ran}");
    };
    fails("snapshot nowhere", "env.unknown", "env list");
    fails("drift nowhere", "env.unknown", "env list");
    env.git_ok(&["branch", "-D", "env/dev1"]);
    fails("drift dev1", "env.no-branch", "git branch env/dev1");
    let status = env.syncline("status");
    assert!(
        status.code == 1
            && status
                .stdout
                .contains("dev1: problem: the branch `env/dev1` does not exist"),
        "{status}"
    );
    env.git_ok(&["branch", "env/dev1", "main"]);

    // A branch that was rewritten has lost what it shared with its org: nothing is pending, all is to be looked at.
    env.git_ok(&["switch", "--quiet", "--orphan", "other"]);
    env.write("sfdx-project.json", PROJECT);
    env.write("syncline.toml", CONFIG);
    env.write("syncline/scope.toml", SCOPE);
    env.git_ok(&["add", "--all"]);
    env.git_ok(&["commit", "--quiet", "--message", "other"]);
    env.git_ok(&["branch", "--force", "env/uat", "other"]);
    let rewritten = env.syncline("drift uat");
    assert!(
        rewritten.stderr.contains("was rewritten") && rewritten.stdout.contains("unmanaged"),
        "{rewritten}"
    );
    assert!(env.syncline("status uat").stdout.contains("was rewritten"));

    // An expired login, an org that does not answer, and one that is another than before.
    simulator.fault(&json!({"kind": "session_expired", "org": "uat", "path": "Soap", "times": 1000}));
    fails("snapshot uat", "org.session-ended", "log");
    drop(simulator);
    fails("snapshot uat", "org.no-answer", "");
    let some = env.syncline("env check --json");
    assert_eq!(some.code, 1, "{some}");
    assert!(some.stdout.contains("org.no-answer"), "{some}");
    assert_eq!(env.syncline("snapshot uat dev1 --json").code, 2);
}

#[test]
fn an_org_that_was_refreshed_is_noticed() {
    let (env, simulator) = world();
    env.ok("snapshot uat");
    // The sandbox's login leads to another org from now on.
    simulator.login_as(&env, "uat", "dev1");
    let refused = env.syncline("snapshot uat --json");
    assert!(
        refused.code == 2 && refused.stderr.contains("org.other-org"),
        "{refused}"
    );
    let check = env.syncline("env check uat");
    assert!(check.code == 1 && check.stdout.contains("it was refreshed"), "{check}");
    env.ok("snapshot uat --new-org");
    env.ok("snapshot uat");
    let orgs = env.git_ok(&[
        "log",
        "--format=%(trailers:key=Syncline-Org,valueonly)",
        "refs/syncline/snapshot/uat",
    ]);
    let orgs: Vec<&str> = orgs.split_whitespace().collect();
    assert!(orgs.len() == 2 && orgs[0] != orgs[1], "{orgs:?}");
}

#[test]
fn environments_are_listed_shown_and_checked() {
    let (env, _simulator) = world();
    let list = env.ok("env list");
    assert!(
        list.stdout.contains("dev1 → uat  developer, branch env/dev1, org dev1"),
        "{list}"
    );
    let shown = env.ok("env show uat");
    assert!(
        shown.stdout.contains("licence      partial") && shown.stdout.contains("below        dev1"),
        "{shown}"
    );
    let check = env.ok("env check");
    assert!(check.stdout.ends_with("everything that was checked works\n"), "{check}");
    env.write("syncline.toml", CONFIG.replace("org = \"dev1\"", "org = \"nope\""));
    let bad = env.syncline("env check --offline");
    assert!(
        bad.code == 1 && bad.stdout.contains("there is no login `nope`"),
        "{bad}"
    );
    env.write("syncline.toml", CONFIG.replace("kind = \"uat\"", "kind = \"tea\""));
    let bad = env.syncline("env check");
    assert!(bad.code == 1 && bad.stdout.contains("syncline.toml line 9"), "{bad}");
}

#[test]
fn a_baseline_says_what_is_shared() {
    let (env, _simulator) = world();
    class(&env, "app", "Tax", 25);
    env.git_ok(&["add", "--all"]);
    env.git_ok(&["commit", "--quiet", "--message", "more"]);
    let dry = env.ok("baseline uat --at env/uat --dry-run");
    assert!(dry.stdout.contains("1 component in which production differs"), "{dry}");
    assert_eq!(env.git_ok(&["for-each-ref", "refs/syncline/base"]), "");
    let set = env.ok("baseline uat --json");
    assert_eq!(
        (&set.json()["down"], &set.json()["up"]),
        (&0.into(), &1.into()),
        "{set}"
    );
    assert_eq!(env.git_ok(&["for-each-ref", "refs/syncline/base"]).lines().count(), 2);
}

#[test]
fn the_first_day_begins_with_what_the_orgs_have() {
    let (env, simulator) = world();
    edit(&env, "uat", "Only", 3);
    // A new repository without a commit.
    let fresh = TestEnv::repository();
    for org in ["prod", "uat", "dev1"] {
        simulator.login(&fresh, org, &simulator.url(org), &[]);
    }
    let dry = fresh.ok("init --from-org dev1 prod uat --dry-run");
    assert!(
        dry.stdout.contains(
            "[environments.uat]\nbranch = \"env/uat\"\nkind = \"uat\"\npromotes-to = \"prod\"\norg = \"uat\""
        ),
        "{dry}"
    );
    let made = fresh.ok("init --from-org dev1 prod uat");
    assert!(
        made.stdout
            .contains("uat: uat; its branch env/uat begins with what the org has"),
        "{made}"
    );
    assert_eq!(fresh.git_ok(&["status", "--porcelain"]), "", "the working tree follows");
    assert!(
        fresh
            .read("force-app/main/default/classes/Tax.cls")
            .contains("return 19;")
    );
    assert_eq!(
        fresh
            .git_ok(&["diff", "--name-only", "main", "env/uat"])
            .lines()
            .count(),
        2
    );
    assert_eq!(fresh.git_ok(&["diff", "--name-only", "main", "env/dev1"]), "");
    for name in ["prod", "uat", "dev1"] {
        let drift = fresh.ok(&format!("drift {name}"));
        assert!(drift.stdout.ends_with("the org is as its branch says\n"), "{drift}");
    }
    let status = fresh.ok("status --json").json();
    assert_eq!(status["environments"][1]["above"]["ahead"], 1, "{status}");
    let still = fresh.ok("snapshot uat --json").json();
    assert_eq!(
        (&still["snapshots"][0]["changed"], &still["snapshots"][0]["gone"]),
        (&false.into(), &Value::Array(Vec::new()))
    );
    assert!(still["snapshots"][0]["unchanged"].as_u64() > Some(0), "{still}");
    let again = fresh.syncline("init --from-org prod --json");
    assert!(again.code == 2 && again.stderr.contains("init.exists"), "{again}");

    // A repository with metadata keeps it.
    std::fs::remove_file(env.work().join("syncline.toml")).expect("removed");
    env.git_ok(&["commit", "--quiet", "--all", "--message", "anew"]);
    let kept = env.ok("init --from-org prod uat");
    assert!(
        kept.stdout
            .contains("prod: production; its branch main keeps what it has, commit"),
        "{kept}"
    );
}

#[test]
fn values_of_an_environment_and_secrets_are_no_drift() {
    let (env, _simulator) = world();
    let credential = |host: &str| {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<RemoteSiteSetting xmlns=\"http://soap.sforce.com/2006/04/metadata\">\n    \
             <disableProtocolSecurity>false</disableProtocolSecurity>\n    <isActive>true</isActive>\n    \
             <url>https://{host}.example.com</url>\n</RemoteSiteSetting>\n"
        )
    };
    let path = "main/default/remoteSiteSettings/Erp.remoteSite-meta.xml";
    env.write(
        "syncline/scope.toml",
        "types = [\"ApexClass\", \"RemoteSiteSetting\"]\n",
    );
    env.write(
        "syncline/overlays/uat.toml",
        "[[overlay]]\npath = \"RemoteSiteSetting:Erp/url\"\nvalue = \"https://erp-test.example.com\"\nkind = \"endpoint\"\n",
    );
    env.write(&format!("app/{path}"), credential("erp"));
    env.git_ok(&["add", "--all"]);
    env.git_ok(&["commit", "--quiet", "--message", "remote site"]);
    env.git_ok(&["branch", "--force", "env/uat", "main"]);
    env.write("org/sfdx-project.json", PROJECT);
    env.write(&format!("org/app/{path}"), credential("erp-test"));
    deploy(&env, "uat", "org");
    env.ok("snapshot uat");
    let explained = env.ok("drift uat --json");
    assert_eq!(
        differences(&explained),
        ["overlay RemoteSiteSetting:Erp changed by -"],
        "{explained}"
    );
    assert_eq!(
        env.ok("status uat --json").json()["environments"][0]["drift"]["in_org"],
        0
    );
    // Another value than that of the overlay is somebody's change.
    env.write(&format!("org/app/{path}"), credential("elsewhere"));
    deploy(&env, "uat", "org");
    let changed = env.syncline("drift uat --now --json");
    assert_eq!(
        differences(&changed),
        ["foreign RemoteSiteSetting:Erp changed by admin"],
        "{changed}"
    );
}
