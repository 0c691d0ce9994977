//! What is sent, and how: quickly, in parts, with flows, without what belongs to the org, and with data kept.

use std::time::Duration;

use syncline_domain::operation::State;
use syncline_engine::deployment::Limits;
use syncline_engine::deployment::flows::flows;
use syncline_engine::operation::promote::Direction;
use syncline_engine::worker::Stop;
use syncline_simulator::clock::Pace;

use crate::bench::{Bench, Setting};
use crate::files::{Files, changed, class, flow, org, permission_set, profile, remove};

/// The org with a test.
fn tested() -> Files {
    changed(&org(), |files| {
        class(files, "ATest", "@isTest static void works() { System.assert(true); }");
    })
}

const QUICK: &str = "SELECT count(*) FROM _deploy WHERE quick_of IS NOT NULL";
const VALIDATIONS: &str = "SELECT count(*) FROM DeployRequest WHERE CheckOnly = 1";

#[tokio::test(flavor = "multi_thread")]
async fn a_validation_is_deployed_quickly_while_it_counts() {
    let bench = Bench::with(Setting {
        files: tested(),
        more: "[gates]\ntests = \"RunLocalTests\"\napprovals = { admin = 1 }\n".to_owned(),
        ..Setting::default()
    })
    .await;
    let ours = changed(&tested(), |files| {
        class(files, "A", "Integer ours;");
        permission_set(files, &[("A", true), ("B", true), ("C", true)]);
    });
    bench.on("main", &ours);
    let waits = async |name: &str| {
        let id = bench.begin("production", name, Direction::Down).await.id;
        bench.until(&id, State::NeedsPerson).await;
        id
    };
    // Nothing happens meanwhile.
    let id = waits("qa").await;
    bench.approve(&id, "bea").await;
    bench.until(&id, State::Succeeded).await;
    assert_eq!((bench.count("qa", QUICK), bench.deployments("qa")), (1, 2));
    // The package is another one: the validation of the old one is not deployed.
    let id = waits("dev1").await;
    assert_eq!(bench.count("dev1", VALIDATIONS), 1);
    let theirs = changed(&tested(), |files| permission_set(files, &[("A", false), ("B", true)]));
    bench.others_change("dev1", &tested(), &theirs).await;
    bench.approve(&id, "bea").await;
    bench.until(&id, State::NeedsPerson).await;
    assert_eq!((bench.count("dev1", QUICK), bench.count("dev1", VALIDATIONS)), (0, 2));
    bench.approve(&id, "bea").await;
    bench.until(&id, State::Succeeded).await;
    assert_eq!(bench.count("dev1", QUICK), 1, "the second one is");
    let both = changed(&ours, |files| {
        permission_set(files, &[("A", false), ("B", true), ("C", true)]);
    });
    assert_eq!(bench.differs("dev1", &both).await, "");
    // Something else was deployed since: Salesforce refuses the validation, and the whole package is sent.
    let id = waits("dev2").await;
    let theirs = changed(&tested(), |files| class(files, "B", "Integer theirs;"));
    bench.others_change("dev2", &tested(), &theirs).await;
    bench.approve(&id, "bea").await;
    bench.until(&id, State::Succeeded).await;
    assert_eq!((bench.count("dev2", QUICK), bench.deployments("dev2")), (0, 3));
    let both = changed(&ours, |files| class(files, "B", "Integer theirs;"));
    assert_eq!(bench.differs("dev2", &both).await, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_are_sent_once_in_their_order() {
    let bench = Bench::with(Setting {
        limits: Limits {
            entries: 12,
            ..Limits::default()
        },
        ..Setting::default()
    })
    .await;
    let ours = changed(&org(), |files| {
        for at in 0..12 {
            class(files, &format!("Link{at:02}"), &format!("Link{:02} next;", at + 1));
        }
        class(files, "Link12", "");
        profile(files, &[("A", true), ("B", true), ("Link00", true)]);
    });
    bench.on("main", &ours);
    let id = bench.begin("production", "qa", Direction::Down).await.id;
    let mut interrupted = 0;
    let mut there = bench.deployments("qa");
    // The worker is stopped at each part that it sends.
    while !bench.operation(&id).await.state.is_terminal() {
        let stop = Stop::new();
        let look = async {
            while bench.deployments("qa") == there {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            stop.request();
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = bench.work_until(&stop) => {}
            () = look => {}
        }
        interrupted += usize::from(bench.operation(&id).await.state == State::Waiting);
        there = bench.deployments("qa");
    }
    assert_eq!(bench.operation(&id).await.state, State::Succeeded);
    let kept = bench.kept(&id).await;
    assert!(interrupted >= 2, "{interrupted}");
    assert!(kept.deployed.len() >= 3, "{:?}", kept.deployed);
    assert_eq!(bench.deployments("qa"), 1 + kept.deployed.len(), "each part once");
    assert_eq!(
        bench.count("qa", "SELECT count(*) FROM DeployRequest WHERE Status <> 'Succeeded'"),
        0,
        "each had what it needs"
    );
    assert_eq!(bench.differs("qa", &ours).await, "");
    assert_eq!(kept.differences, []);
}

/// The versions of a flow: number, and whether it is the active one.
async fn versions(bench: &Bench) -> Vec<(u32, bool)> {
    let names = ["Dunning".to_owned()].into();
    let mut found = flows(&bench.connect("qa").await, &names).await.expect("asked");
    let versions = found.remove("Dunning").unwrap_or_default();
    versions
        .iter()
        .map(|version| (version.number, version.active))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn flows_are_activated_and_deleted_with_their_versions() {
    let bench = Bench::start("").await;
    let second = changed(&org(), |files| {
        flow(files, "Dunning", "Active", "second");
        flow(files, "Fresh", "Draft", "new");
    });
    bench.on("main", &second);
    let id = bench.begin("production", "qa", Direction::Down).await.id;
    bench.until(&id, State::Succeeded).await;
    assert_eq!(versions(&bench).await, [(1, false), (2, true)]);
    assert_eq!(bench.differs("qa", &second).await, "");
    // Off, and then gone.
    let off = changed(&second, |files| flow(files, "Dunning", "Draft", "third"));
    bench.on("main", &off);
    let id = bench.begin("production", "qa", Direction::Down).await.id;
    bench.until(&id, State::Succeeded).await;
    assert!(versions(&bench).await.iter().all(|(_, active)| !active));
    let gone = changed(&off, |files| remove(files, "flows/Dunning"));
    bench.on("main", &gone);
    let id = bench.begin("production", "qa", Direction::Down).await.id;
    bench.until(&id, State::Succeeded).await;
    assert_eq!(versions(&bench).await, []);
    assert_eq!(bench.differs("qa", &gone).await, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_of_components_that_only_the_org_has_stay() {
    let bench = Bench::start("").await;
    let own = changed(&org(), |files| {
        class(files, "Own", "");
        profile(files, &[("A", true), ("B", true), ("Own", true)]);
    });
    bench.others_change("qa", &org(), &own).await;
    bench.on(
        "main",
        &changed(&org(), |files| profile(files, &[("A", true), ("B", false)])),
    );
    let id = bench.begin("production", "qa", Direction::Down).await.id;
    bench.until(&id, State::Succeeded).await;
    let both = changed(&own, |files| {
        profile(files, &[("A", true), ("B", false), ("Own", true)]);
    });
    assert_eq!(bench.differs("qa", &both).await, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_data_of_a_field_is_kept_before_the_field_goes() {
    let bench = Bench::start("").await;
    let org_connection = bench.connect("qa").await;
    for at in 0..3 {
        let row = serde_json::json!({"Name": format!("I{at}"), "Note__c": format!("note {at}")});
        let row = row.as_object().expect("an object").clone();
        org_connection.create("Invoice__c", &row).await.expect("a row");
    }
    let without = changed(&org(), |files| remove(files, "fields/Note__c"));
    bench.on("main", &without);
    let id = bench.begin("production", "qa", Direction::Down).await.id;
    bench.until(&id, State::Succeeded).await;
    assert_eq!(bench.differs("qa", &without).await, "");
    let kept = bench.kept(&id).await;
    assert_eq!(kept.exported.len(), 1, "{:?}", kept.exported);
    let file = &kept.exported[0];
    assert_eq!(file.rows, 3);
    let text = std::fs::read_to_string(&file.file).expect("the file");
    assert!((0..3).all(|at| text.contains(&format!("note {at}"))), "{text}");
    assert!(
        kept.irreversible.iter().any(|one| one.component.contains("Note__c")),
        "{:?}",
        kept.irreversible
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn how_far_a_deployment_is_can_be_seen() {
    let bench = Bench::start("[gates]\nvalidate = false\n").await;
    // So slow that the org is asked in between.
    bench.world.clock.set_pace(Pace::Times(4.0));
    bench.on("main", &changed(&org(), |files| class(files, "A", "Integer fixed;")));
    let id = bench.begin("production", "qa", Direction::Down).await.id;
    let seen = async {
        loop {
            let operation = bench.operation(&id).await;
            if let (Some("deploy"), Some(progress)) = (operation.step.as_deref(), operation.progress) {
                return progress;
            }
            assert!(!operation.state.is_terminal(), "nothing was seen of the deployment");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let ((), progress) = tokio::join!(bench.work(), seen);
    assert_eq!(
        (&progress["total"], &progress["unit"]),
        (&1.into(), &"components".into()),
        "{progress}"
    );
    let ended = bench.operation(&id).await;
    assert_eq!((ended.state, ended.progress), (State::Succeeded, None));
}
