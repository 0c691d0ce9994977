//! What goes wrong before an operation, while it waits for people, and right before it deploys: it is told with a code and a hint,
//! nothing is overwritten or half written, and it goes on when the cause is gone.

mod support;

use serde_json::{Value, json};
use support::outside::Files;
use support::world::{World, base, changed, class, labels, news, profile};
use support::{Ran, TestEnv};

const NAMES: [&str; 3] = ["production", "dev1", "dev2"];

/// Two waits: for an approval, and for a person who confirms right before the deployment.
const WAITS: &str =
    "\n[gates]\napprovals = { admin = 1 }\n\n[[steps]]\nid = \"call\"\nwhen = \"pre\"\nmanual = \"Call the team\"\n";
const COMMAND: &str = "back-promote --from production --onto dev1";

fn hotfix(files: &mut Files) {
    class(files, "Tax", &["Integer rate = 20;", "", "Integer digits = 2;"]);
    labels(files, &[("Bye", "Bye"), ("Fixed", "Fixed"), ("Greeting", "Hello")]);
}

/// What somebody does in the target meanwhile.
fn work(files: &mut Files) {
    class(files, "Tax", &["Integer rate = 19;", "", "Integer digits = 3;"]);
    profile(files, &[("Fee", false), ("Tax", true)]);
}

fn both(files: &mut Files) {
    work(files);
    class(files, "Tax", &["Integer rate = 20;", "", "Integer digits = 3;"]);
    labels(files, &[("Bye", "Bye"), ("Fixed", "Fixed"), ("Greeting", "Hello")]);
}

/// A hotfix on production's branch, and work in progress in the target.
fn world(config: &str) -> World {
    world_in(TestEnv::repository(), config)
}

/// The same in this repository.
fn world_in(env: TestEnv, config: &str) -> World {
    let world = World::within(env, &NAMES);
    world
        .env
        .write("syncline.toml", world.env.read("syncline.toml") + config);
    world.git("commit --quiet --allow-empty --all --message rules");
    world
        .admin("production")
        .change(&news(&base(), &changed(&base(), hotfix)), &[]);
    world.run("drift production --now");
    world.ok("drift production --adopt --all");
    world.admin("dev1").change(&news(&base(), &changed(&base(), work)), &[]);
    world
}

/// Deployments that changed an org.
fn deployments(world: &World, org: &str) -> usize {
    let told = world
        .simulator
        .control(org, "GET", "records/DeployRequest", &Value::Null);
    let rows = told["records"].as_array().expect("rows");
    rows.iter().filter(|row| row["CheckOnly"] == 0).count()
}

/// When something goes wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum When {
    Before,
    Waiting,
    Deploying,
}

/// Something that goes wrong, and how it is mended.
struct Bad {
    name: &'static str,
    cause: fn(&World),
    cure: fn(&World),
    /// The code of the error, or of the operation's problem, by the time when it happens.
    codes: [&'static str; 3],
    /// Some words of a hint.
    hint: &'static str,
}

const BAD: &[Bad] = &[
    Bad {
        name: "bad configuration",
        cause: |world| {
            let text = world.env.read("syncline.toml") + "\n[environments.qa\n";
            world.env.write("syncline.toml", text);
        },
        cure: |world| drop(world.git("checkout --quiet main -- syncline.toml")),
        codes: ["config.invalid"; 3],
        hint: "correct the file",
    },
    Bad {
        name: "expired login",
        cause: |world| {
            world
                .simulator
                .fault(&json!({"kind": "session_expired", "org": "dev1", "path": "Soap"}));
        },
        cure: |world| drop(world.simulator.control("production", "DELETE", "faults", &Value::Null)),
        codes: ["org.session-ended"; 3],
        hint: "sign in again",
    },
    Bad {
        name: "login that is gone",
        cause: |world| drop(world.ok("org logout dev1")),
        cure: |world| world.log_in(&["dev1"]),
        codes: ["org.unknown"; 3],
        hint: "syncline org login",
    },
    Bad {
        name: "deleted branch",
        cause: |world| {
            world.git("branch keep env/dev1");
            world.git("branch -D env/dev1");
        },
        cure: |world| drop(world.git("branch env/dev1 keep")),
        codes: ["promote.no_branch"; 3],
        hint: "create it again",
    },
    Bad {
        name: "org behind the login is another one",
        cause: |world| world.simulator.login_as(&world.env, "dev1", "dev2"),
        cure: |world| world.simulator.login_as(&world.env, "dev1", "dev1"),
        codes: ["org.other-org", "promote.other_org", "promote.other_org"],
        hint: "syncline snapshot dev1 --new-org",
    },
];

/// The newest operation.
fn operation(world: &World) -> Value {
    world.json("operation list --all")["operations"][0].clone()
}

/// Does what the operation asks for until it has ended or gone wrong.
fn go_on(world: &World) -> Ran {
    let mut ran = None;
    for _ in 0..5 {
        let asked = operation(world);
        let id = asked["id"].as_str().unwrap_or_default();
        let line = match (asked["state"].as_str(), asked["question"]["name"].as_str()) {
            (Some("needs_person"), Some("gates")) => format!("operation approve {id}"),
            (Some("needs_person"), Some("call")) => format!("operation answer {id}"),
            (Some("failed" | "errored"), _) if ran.is_none() => format!("operation retry {id}"),
            _ => COMMAND.to_owned(),
        };
        let last = world.run(&line);
        let stop = last.code != 1;
        ran = Some(last);
        if stop {
            break;
        }
    }
    ran.expect("ran")
}

/// A row at each time.
fn at_each_time(name: &str) {
    let bad = BAD.iter().find(|bad| bad.name == name).expect("a row");
    for (when, code) in [When::Before, When::Waiting, When::Deploying]
        .into_iter()
        .zip(bad.codes)
    {
        check(bad, when, code);
    }
}

#[test]
fn a_bad_configuration() {
    at_each_time("bad configuration");
}

#[test]
fn an_expired_login() {
    at_each_time("expired login");
}

#[test]
fn a_login_that_is_gone() {
    at_each_time("login that is gone");
}

#[test]
fn a_deleted_branch() {
    at_each_time("deleted branch");
}

#[test]
fn a_login_that_leads_elsewhere() {
    at_each_time("org behind the login is another one");
}

fn check(bad: &Bad, when: When, code: &str) {
    let about = format!("{}, {when:?}", bad.name);
    let world = world(WAITS);
    let before = (deployments(&world, "dev1"), deployments(&world, "dev2"));
    let tip = world.git("rev-parse env/dev1");
    if when != When::Before {
        world.ends(COMMAND, 1);
    }
    if when == When::Deploying {
        let id = operation(&world)["id"].as_str().expect("an id").to_owned();
        world.ends(&format!("operation approve {id}"), 1);
        assert_eq!(operation(&world)["step"], "before", "{about}");
    }
    (bad.cause)(&world);
    let told = match when {
        When::Before => world.run(COMMAND),
        When::Waiting | When::Deploying => go_on(&world),
    };
    assert_eq!(told.code, 2, "{about}: {told}");
    // In words, with the code and what helps.
    let all = format!("{}{}", told.stdout, told.stderr);
    assert!(all.contains(bad.hint), "{about}: {told}");
    let known = match code {
        "config.invalid" | "org.unknown" if when == When::Before => {
            let ran = world.run(&format!("{COMMAND} --json"));
            let error: Value = serde_json::from_str(ran.stderr.lines().last().unwrap_or_default()).expect("JSON");
            error["error"]["code"].clone()
        }
        _ => operation(&world)["problem"]["code"].clone(),
    };
    assert_eq!(known, code, "{about}: {told}");
    // Nothing is lost, and nothing is anywhere where it must not be.
    assert_eq!(deployments(&world, "dev1"), before.0, "{about}");
    assert_eq!(deployments(&world, "dev2"), before.1, "{about}");
    (bad.cure)(&world);
    assert_eq!(world.git("rev-parse env/dev1"), tip, "{about}");
    let done = go_on(&world);
    assert_eq!(done.code, 0, "{about}: {done}");
    assert_eq!(deployments(&world, "dev1") - before.0, 1, "{about}");
    world.holds("dev1", &changed(&base(), both));
    world.holds("dev2", &base());
    assert_ne!(world.git("rev-parse env/dev1"), tip, "{about}");
    world.ok("audit verify");
}

#[test]
fn an_org_that_does_not_answer_is_asked_again() {
    let world = world("");
    let before = deployments(&world, "dev1");
    // It comes back while the command waits.
    world
        .simulator
        .fault(&json!({"kind": "unavailable", "org": "dev1", "times": 3}));
    let told = world.ok(COMMAND);
    assert!(
        told.stderr.contains("dev1: ") && told.stderr.contains("(org.no-api); it is tried again at"),
        "{told}"
    );
    world.holds("dev1", &changed(&base(), both));
    assert_eq!(deployments(&world, "dev1") - before, 1);
}

#[test]
fn a_deployment_that_loses_its_answer_is_found_again() {
    let world = world("");
    let before = deployments(&world, "dev1");
    for path in ["deployRequest", "/Soap/m/"] {
        world
            .simulator
            .fault(&json!({"kind": "lost_answer", "org": "dev1", "path": path, "times": 2}));
    }
    world.ok(COMMAND);
    world.holds("dev1", &changed(&base(), both));
    assert_eq!(deployments(&world, "dev1") - before, 1);
}

#[test]
fn an_org_that_was_refreshed_is_begun_with_anew() {
    let world = world("");
    world.ok(COMMAND);
    // Its login leads to the new org from now on.
    world.simulator.login_as(&world.env, "dev1", "dev2");
    class_in_production(&world, "Next");
    let refused = world.ends(COMMAND, 2);
    assert!(refused.stdout.contains("syncline snapshot dev1 --new-org"), "{refused}");
    world.holds("dev2", &base());
    world.ok("snapshot dev1 --new-org");
    let retried = operation(&world)["id"].as_str().expect("an id").to_owned();
    world.ok(&format!("operation retry {retried}"));
    let found = world.admin("dev2").files();
    assert!(found.contains_key("classes/Next.cls"), "{:?}", found.keys());
    world.holds("dev1", &changed(&base(), both));
}

/// A new class on production's branch and in its org.
fn class_in_production(world: &World, name: &str) {
    let mut files = Files::new();
    class(&mut files, name, &[]);
    world.admin("production").change(&files, &[]);
    world.run("drift production --now");
    world.ok("drift production --adopt --all");
}

#[test]
fn a_branch_that_is_rewritten_meanwhile_keeps_what_it_has() {
    let world = world(WAITS);
    world.ends(COMMAND, 1);
    // Somebody forces the target's branch to another history.
    world.git("switch --quiet --create other env/dev1~1");
    world.env.write("notes.md", "Mine.\n");
    world.git("add notes.md");
    world.git("commit --quiet --message theirs");
    world.git("switch --quiet main");
    world.git("branch --force env/dev1 other");
    // And the source's: what was asked for is what was there then.
    world.git("reset --quiet --hard HEAD~1");
    let done = go_on(&world);
    assert_eq!(done.code, 0, "{done}");
    assert!(
        done.stdout.contains("the branch `env/dev1` was rewritten meanwhile"),
        "{done}"
    );
    let files = world.git("ls-tree -r --name-only env/dev1");
    assert!(files.contains("notes.md"), "{files}");
    let labels = world.git("show env/dev1:force-app/main/default/labels/CustomLabels.labels-meta.xml");
    assert!(labels.contains("Fixed"), "{labels}");
    world.holds("dev1", &changed(&base(), both));
}

#[test]
fn two_people_bring_the_same_to_one_org() {
    let world = world("");
    let before = deployments(&world, "dev1");
    let mut people = Vec::new();
    for name in ["Ada", "Bea"] {
        let mut command = world.env.program(env!("CARGO_BIN_EXE_syncline"));
        command.args(COMMAND.split(' ')).env("GIT_COMMITTER_NAME", name);
        people.push(
            command
                .stdout(std::process::Stdio::piped())
                .stderr(std::process::Stdio::piped())
                .spawn()
                .expect("started"),
        );
    }
    for person in people {
        let ran = Ran::of(&person.wait_with_output().expect("an end"), &world.env);
        assert_eq!(ran.code, 0, "{ran}");
    }
    world.holds("dev1", &changed(&base(), both));
    assert_eq!(deployments(&world, "dev1") - before, 1);
    world.ok("audit verify");
}

#[test]
fn two_people_bring_different_things_to_one_org() {
    let world = world(WAITS);
    world.ends(&format!("{COMMAND} --component ApexClass:Tax"), 1);
    let first = operation(&world)["id"].as_str().expect("an id").to_owned();
    // The second one is told whom it waits for.
    let second = world.ends(COMMAND, 1);
    let end = &first[first.len() - 8..];
    let told = format!("the operation {end} of Test with the same org comes first, and is waiting for a person");
    assert!(second.stdout.contains(&told), "{second}");
    world.ends(&format!("operation approve {first}"), 1);
    world.ok(&format!("operation answer {first}"));
    let done = go_on(&world);
    assert_eq!(done.code, 0, "{done}");
    world.holds("dev1", &changed(&base(), both));
    world.ok("audit verify");
}

/// Set in the process that has a small disk of its own.
const SMALL_DISK: &str = "SYNCLINE_TEST_SMALL_DISK";

/// The test once more in a process that may mount a small file system which nobody else sees; no rights are needed for it where
/// the system has user namespaces.
#[test]
fn a_full_disk_loses_nothing() {
    if std::env::var_os(SMALL_DISK).is_some() {
        return on_a_small_disk();
    }
    let probe = "mount -t tmpfs -o size=1m tmpfs /mnt";
    let ways: [&[&str]; 2] = [&["--map-root-user", "--mount"], &["--mount"]];
    let way = ways.into_iter().find(|way| {
        let mut command = std::process::Command::new("unshare");
        let done = command.args(*way).args(["sh", "-c", probe]).output();
        done.is_ok_and(|done| done.status.success())
    });
    let Some(way) = way else {
        assert!(
            std::env::var_os("CI").is_none(),
            "no small file system can be mounted here, so nothing was tested"
        );
        eprintln!("NOT TESTED: no small file system can be mounted here");
        return;
    };
    let mut command = std::process::Command::new("unshare");
    let this = std::env::current_exe().expect("this program");
    command
        .args(way)
        .arg(this)
        .args(["--exact", "a_full_disk_loses_nothing", "--nocapture"]);
    let done = command.env(SMALL_DISK, "1").status().expect("started");
    assert!(done.success());
}

/// Leaves so many bytes of the disk free.
fn fill(world: &World, free: u64) {
    let path = world.env.work().join("filler");
    let mut file = std::fs::File::create(path).expect("created");
    let block = [0_u8; 4096];
    let mut written = 0;
    while std::io::Write::write_all(&mut file, &block).is_ok() {
        written += 4096;
    }
    file.set_len(written - written.min(free)).expect("cut");
}

fn make_room(world: &World) {
    std::fs::remove_file(world.env.work().join("filler")).expect("removed");
}

fn on_a_small_disk() {
    let env = TestEnv::new();
    let mut mount = std::process::Command::new("mount");
    mount.args(["-t", "tmpfs", "-o", "size=48m", "tmpfs"]).arg(env.work());
    assert!(mount.status().expect("started").success());
    let world = world_in(env.with_repository(), WAITS);
    world.env.write(".gitignore", "/filler\n");
    world.git("add .gitignore");
    world.git("commit --quiet --message ignore");
    let before = deployments(&world, "dev1");
    // Before anything was written.
    fill(&world, 0);
    let told = world.ends(COMMAND, 2);
    assert!(told.stderr.contains("make room on the disk"), "{told}");
    make_room(&world);
    world.ends(COMMAND, 1);
    // While it waits.
    let id = operation(&world)["id"].as_str().expect("an id").to_owned();
    fill(&world, 0);
    let told = world.ends(&format!("operation approve {id}"), 2);
    assert!(told.stderr.contains("make room on the disk"), "{told}");
    make_room(&world);
    let done = go_on(&world);
    assert_eq!(done.code, 0, "{done}");
    world.holds("dev1", &changed(&base(), both));
    assert_eq!(deployments(&world, "dev1") - before, 1);
    // In its middle: with little room it comes so far as it comes.
    for free in [64, 128] {
        class_in_production(&world, &format!("Next{free}"));
        fill(&world, free * 1024);
        let told = world.run(COMMAND);
        // Where it got along with so little, it asks its question.
        let full = told.code == 2 && told.stderr.contains("make room on the disk");
        assert!(full || told.code == 1, "{told}");
        make_room(&world);
        // What was not saved goes on when the lease of the command that ended has run out.
        let done = go_on(&world);
        assert_eq!(done.code, 0, "{done}");
        assert!(
            world
                .admin("dev1")
                .files()
                .contains_key(&format!("classes/Next{free}.cls"))
        );
        world.ok("audit verify");
        world.git("fsck --strict");
    }
}
