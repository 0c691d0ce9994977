//! The whole story with the real program: a hotfix made in production goes down to four sandboxes in which people work, then a work
//! item goes up to production and down again. At the end every org holds everything, element by element.

mod support;

use serde_json::{Value, json};
use support::outside::{Files, Outside};
use support::world::{BELOW, World, base, changed, class, invoice, labels, news, permission_set, profile};

/// The gates of the way to production.
const GATES: &str = "\n[[edges]]\nfrom = \"uat\"\nto = \"production\"\n[edges.gates]\napprovals = { admin = 1 }\n";

fn hotfix(files: &mut Files) {
    class(files, "Tax", &["Integer rate = 20;", "", "Integer digits = 2;"]);
    class(files, "Quick", &["Integer fixed;"]);
    invoice(files, &[("Fixed__c", 20), ("Note__c", 80), ("Text__c", 80)]);
    labels(files, &[("Bye", "Bye"), ("Fixed", "Fixed"), ("Greeting", "Welcome")]);
    profile(files, &[("Fee", true), ("Quick", true), ("Tax", true)]);
}

/// What somebody does in dev1 at that time: the greeting is a conflict with the hotfix.
fn work_in_dev1(files: &mut Files) {
    class(files, "Tax", &["Integer rate = 19;", "", "Integer digits = 3;"]);
    class(files, "Draft", &["Integer dev1;"]);
    labels(files, &[("Bye", "Ciao"), ("Greeting", "Hi")]);
    profile(files, &[("Draft", true), ("Fee", false), ("Tax", true)]);
}

/// What somebody does in dev2: the very same greeting.
fn work_in_dev2(files: &mut Files) {
    class(files, "Fee", &["Integer fee = 2;"]);
    invoice(files, &[("Note__c", 120), ("Text__c", 80)]);
    labels(files, &[("Bye", "Bye"), ("Greeting", "Hi"), ("Thanks", "Thanks")]);
    permission_set(files, &[("Fee", false), ("Tax", true)]);
}

/// dev1 with the hotfix: its own greeting stays.
fn dev1_with_hotfix(files: &mut Files) {
    work_in_dev1(files);
    class(files, "Tax", &["Integer rate = 20;", "", "Integer digits = 3;"]);
    class(files, "Quick", &["Integer fixed;"]);
    invoice(files, &[("Fixed__c", 20), ("Note__c", 80), ("Text__c", 80)]);
    labels(files, &[("Bye", "Ciao"), ("Fixed", "Fixed"), ("Greeting", "Hi")]);
    profile(
        files,
        &[("Draft", true), ("Fee", false), ("Quick", true), ("Tax", true)],
    );
}

/// dev2 with the hotfix: its own greeting stays.
fn dev2_with_hotfix(files: &mut Files) {
    work_in_dev2(files);
    class(files, "Tax", &["Integer rate = 20;", "", "Integer digits = 2;"]);
    class(files, "Quick", &["Integer fixed;"]);
    invoice(files, &[("Fixed__c", 20), ("Note__c", 120), ("Text__c", 80)]);
    let all = [
        ("Bye", "Bye"),
        ("Fixed", "Fixed"),
        ("Greeting", "Hi"),
        ("Thanks", "Thanks"),
    ];
    labels(files, &all);
    profile(files, &[("Fee", true), ("Quick", true), ("Tax", true)]);
}

/// The work item.
fn fees_in_euro(files: &mut Files) {
    class(files, "Euro", &["Integer euro;"]);
    permission_set(files, &[("Euro", true), ("Fee", true), ("Tax", true)]);
}

fn now(world: &World) -> i64 {
    world.simulator.control("production", "GET", "clock", &Value::Null)["now"]
        .as_i64()
        .expect("a time")
}

/// What `status` counts, one environment a line.
fn counts(world: &World) -> Vec<String> {
    let told = world.json("status");
    let number = |value: &Value| value.as_u64().unwrap_or(0);
    let one = |one: &Value| {
        format!(
            "{} up {} down {} in org {} pending {}",
            one["name"].as_str().expect("a name"),
            number(&one["above"]["ahead"]) + number(&one["above"]["both"]),
            number(&one["above"]["behind"]) + number(&one["above"]["both"]),
            number(&one["drift"]["in_org"]) + number(&one["drift"]["both"]),
            number(&one["drift"]["pending"]) + number(&one["drift"]["both"]),
        )
    };
    told["environments"]
        .as_array()
        .expect("a list")
        .iter()
        .map(one)
        .collect()
}

/// The class, component and author of each difference, and that each was made since.
fn differences(found: &Value, since: i64) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let one = |one: &Value| {
        assert!(one["author"]["at"].as_i64() >= Some(since), "{one}");
        format!(
            "{} {} by {}",
            text(&one["class"]),
            text(&one["path"]),
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
fn a_hotfix_comes_down_and_a_work_item_goes_up_and_down() {
    let world = World::start();
    // Set up as a user would.
    world
        .env
        .write("syncline.toml", world.env.read("syncline.toml") + GATES);
    world.git("commit --quiet --all --message gates");
    world.ok("env check");
    world.ok("snapshot");
    let holds = |org: &str, change: &dyn Fn(&mut Files)| world.holds(org, &changed(&base(), change));

    // People work in two sandboxes; no branch knows of it.
    world
        .admin("dev1")
        .change(&news(&base(), &changed(&base(), work_in_dev1)), &[]);
    world
        .admin("dev2")
        .change(&news(&base(), &changed(&base(), work_in_dev2)), &[]);

    // Somebody corrects production directly.
    let since = now(&world);
    let oncall = Outside::colleague(&world.simulator, "production", "Oncall");
    oncall.change(&news(&base(), &changed(&base(), hotfix)), &[]);
    let found = world.json("drift production --now");
    assert_eq!(
        differences(&found, since),
        [
            "unmanaged ApexClass:Quick by Oncall",
            "foreign ApexClass:Tax/lines[#2] by Oncall",
            "unmanaged CustomField:Invoice__c.Fixed__c by Oncall",
            "foreign CustomLabels:CustomLabels/labels[fullName=Fixed] by Oncall",
            "foreign CustomLabels:CustomLabels/labels[fullName=Greeting]/value by Oncall",
            "foreign Profile:Clerk/classAccesses[apexClass=Quick] by Oncall",
        ]
    );
    let shown = world.ends("drift production", 1);
    assert!(
        shown.stdout.contains("Hello → Welcome  [foreign, by Oncall just now]"),
        "{shown}"
    );
    let adopted = world.ok("drift production --adopt --all -m Hotfix");
    assert!(
        adopted
            .stdout
            .starts_with("6 differences of production adopted in 6 files"),
        "{adopted}"
    );
    world.ok("drift production");
    let message = world.git("log -1 --format=%B main");
    assert!(message.contains("Syncline-Changed-By: Oncall"), "{message}");
    assert_eq!(counts(&world)[1], "uat up 0 down 5 in org 0 pending 0");

    // Two targets have the same conflict with it: it is answered once, and the same command completes both.
    let line = format!("back-promote --from production --onto {}", BELOW.join(","));
    let begun = world.ends(&line, 1);
    let told: Vec<&str> = begun
        .stdout
        .lines()
        .map(|line| line.split(" (").next().unwrap_or(line))
        .collect();
    assert_eq!(
        told,
        [
            "uat: succeeded",
            "dev1: waiting for a person",
            "dev2: waiting for a person",
            "dev3: succeeded"
        ],
        "{begun}"
    );
    let listed = world.json("conflicts list");
    assert_eq!(listed.as_array().map(Vec::len), Some(2), "{listed:#}");
    let id = listed[0]["id"].as_str().expect("an id").to_owned();
    let shown = world.ok(&format!("conflicts show {id}"));
    assert!(
        shown.stdout.contains("<value>Hi</value>") && shown.stdout.contains("<value>Welcome</value>"),
        "{shown}"
    );
    let decided = world.ok(&format!("conflicts resolve {id} 1 --ours"));
    assert!(decided.stdout.contains("nothing is deployed yet"), "{decided}");
    assert!(
        decided.stderr.contains("2 operations go on when the command"),
        "{decided}"
    );
    let done = world.ok(&line);
    assert_eq!(
        done.stdout
            .matches("decided before (ours, by Test <test@example.com>)")
            .count(),
        2,
        "{done}"
    );
    world.ok("conflicts list");

    holds("production", &hotfix);
    holds("uat", &hotfix);
    holds("dev1", &dev1_with_hotfix);
    holds("dev2", &dev2_with_hotfix);
    holds("dev3", &hotfix);
    // What the simulator itself has in its books.
    for (org, own) in [
        ("uat", ""),
        ("dev1", "ApexClass:Draft"),
        ("dev2", "CustomLabel:Thanks"),
        ("dev3", ""),
    ] {
        let mut expected = world.components("production");
        expected.extend(Some(own.to_owned()).filter(|own| !own.is_empty()));
        expected.sort();
        let mut found = world.components(org);
        found.sort();
        assert_eq!(found, expected, "{org}");
    }
    assert_eq!(
        counts(&world),
        [
            "production up 0 down 0 in org 0 pending 0",
            "uat up 0 down 0 in org 0 pending 0",
            "dev1 up 0 down 0 in org 4 pending 0",
            "dev2 up 0 down 0 in org 4 pending 0",
            "dev3 up 0 down 0 in org 0 pending 0",
        ],
        "only the work in progress is left"
    );

    work_item(&world);
    let with_item = |change: &dyn Fn(&mut Files)| changed(&changed(&base(), change), fees_in_euro);
    for org in ["production", "uat"] {
        world.holds(org, &with_item(&hotfix));
    }
    world.holds("dev1", &with_item(&dev1_with_hotfix));
    // dev2 had changed the permission set itself.
    let mut dev2 = with_item(&dev2_with_hotfix);
    permission_set(&mut dev2, &[("Euro", true), ("Fee", false), ("Tax", true)]);
    world.holds("dev2", &dev2);
    world.holds("dev3", &changed(&with_item(&hotfix), later));
}

/// What a colleague does in the sandbox of the work item: it is left alone.
fn later(files: &mut Files) {
    class(files, "Later", &["Integer later;"]);
}

/// From a developer's sandbox to production, and down to the others.
fn work_item(world: &World) {
    let branch = "changes/1-fees-in-euro";
    let begun = world.env.run(&["work", "start", "Fees in euro", "--env", "dev3"]);
    assert!(begun.code == 0 && begun.stdout.contains(branch), "{begun}");
    let before = changed(&base(), hotfix);
    world
        .admin("dev3")
        .change(&news(&before, &changed(&before, fees_in_euro)), &[]);
    let colleague = Outside::colleague(&world.simulator, "dev3", "Colleague");
    colleague.change(&news(&before, &changed(&before, later)), &[]);
    // Source tracking shows a change some seconds after it.
    world
        .simulator
        .control("dev3", "POST", "clock", &json!({"step": 600_000}));
    let listed = world.ok("work capture");
    assert!(
        listed.stdout.contains("ApexClass:Euro added") && listed.stdout.contains("PermissionSet:Billing changed"),
        "{listed}"
    );
    assert!(
        listed.stdout.contains("1 component changed by others is not listed"),
        "{listed}"
    );
    world.ok("work capture --all");
    let submitted = world.ok("work submit");
    assert!(
        submitted
            .stdout
            .contains(&format!("next: `syncline promote --from {branch}`")),
        "{submitted}"
    );
    assert_eq!(counts(world)[4], "dev3 up 0 down 0 in org 3 pending 0");

    // Nothing is left out on the way up.
    for from in [branch, "dev3"] {
        let refused = world.ends(&format!("promote --from {from} --to production"), 2);
        assert!(
            refused
                .stderr
                .contains("the path from `dev3` to `production` leads over `uat`"),
            "{refused}"
        );
    }
    world.ok(&format!("promote --from {branch}"));
    assert_eq!(counts(world)[1], "uat up 2 down 0 in org 0 pending 0");
    let asked = world.ends("promote --from uat", 1);
    assert!(
        asked.stdout.contains("approvals") && asked.stdout.contains("next: syncline operation show"),
        "{asked}"
    );
    let listed = world.json("operation list");
    let id = listed["operations"][0]["id"].as_str().expect("an id").to_owned();
    let shown = world.ends(&format!("operation show {id}"), 1);
    assert!(
        shown
            .stdout
            .contains("deploys      ApexClass:Euro\n  deploys      PermissionSet:Billing"),
        "{shown}"
    );
    // Whoever asks for a change of a production does not approve it.
    let refused = world.ends(&format!("operation approve {id} --reason mine"), 2);
    assert!(refused.stderr.contains("somebody else has to approve it"), "{refused}");
    world.git("config --global user.name Bea");
    world.ok(&format!("operation approve {id} --reason fine"));
    world.git("config --global user.name Test");

    world.ok("back-promote --from production --onto all-below");
    let list = world.ok("work list");
    assert_eq!(list.stdout, "1  Fees in euro  [done, in dev3, 3 files]\n");
    assert_eq!(
        world.git(&format!("rev-list --count env/dev3..{branch}")),
        "0\n",
        "nothing of it is left"
    );
    assert_eq!(
        counts(world),
        [
            "production up 0 down 0 in org 0 pending 0",
            "uat up 0 down 0 in org 0 pending 0",
            "dev1 up 0 down 0 in org 4 pending 0",
            "dev2 up 0 down 0 in org 4 pending 0",
            "dev3 up 0 down 0 in org 1 pending 0",
        ]
    );
    assert_eq!(world.ok("operation list").stdout, "nothing runs and nothing waits\n");
    world.ok("audit verify");
}
