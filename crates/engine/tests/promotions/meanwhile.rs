//! What somebody changes in the target while an operation waits is never lost.

use syncline_domain::operation::State;
use syncline_engine::operation::promote::Direction;
use xtask::generate::Random;

use crate::bench::Bench;
use crate::files::{Files, changed, class, labels, org, permission_set, profile};

/// The change that comes down.
fn ours(files: &mut Files) {
    class(files, "A", "Integer ours;");
    permission_set(files, &[("A", true), ("B", true), ("C", true)]);
    labels(files, &[("Bye", "Bye"), ("Greeting", "Hi")]);
    profile(files, &[("A", true), ("B", false)]);
}

/// What somebody does meanwhile, and whether the package touches it. None conflicts with ours.
type Edit = (fn(&mut Files), bool);

const EDITS: &[Edit] = &[
    (|files| class(files, "B", "Integer theirs;"), false),
    (|files| class(files, "Other", ""), false),
    (|files| permission_set(files, &[("A", false), ("B", true)]), true),
    (|files| labels(files, &[("Bye", "Ciao"), ("Greeting", "Hello")]), false),
    (|files| profile(files, &[("A", false), ("B", true)]), false),
];

fn both(edit: &Edit) -> Files {
    // The result of both in the files that both change.
    changed(&org(), |files| {
        ours(files);
        let only = changed(&org(), edit.0);
        for (path, text) in only {
            if org().get(&path) != Some(&text) && changed(&org(), ours).get(&path) == org().get(&path) {
                files.insert(path, text);
            }
        }
        match EDITS.iter().position(|known| std::ptr::fn_addr_eq(known.0, edit.0)) {
            Some(2) => permission_set(files, &[("A", false), ("B", true), ("C", true)]),
            Some(3) => labels(files, &[("Bye", "Ciao"), ("Greeting", "Hi")]),
            Some(4) => profile(files, &[("A", false), ("B", false)]),
            _ => {}
        }
    })
}

const APPROVALS: &str =
    "[gates]\napprovals = { admin = 1 }\n[[steps]]\nid = \"call\"\nwhen = \"pre\"\nmanual = \"Call the team\"\n";

#[tokio::test(flavor = "multi_thread")]
async fn edits_during_waits_stay() {
    let seeds = std::env::var("SYNCLINE_SEEDS").map_or(3, |text| text.parse().expect("a number"));
    for seed in 0..seeds {
        let mut random = Random::new(seed);
        let bench = Bench::start(APPROVALS).await;
        bench.on("main", &changed(&org(), ours));
        let id = bench.begin("production", "uat", Direction::Down).await.id;
        let asked = bench.until(&id, State::NeedsPerson).await;
        assert_eq!(
            asked.step.as_deref(),
            Some("gates"),
            "seed {seed}: {}",
            bench.conflicts()
        );
        let edit = &EDITS[(seed as usize + random.below(EDITS.len())) % EDITS.len()];
        let during_approval = random.chance(50);
        if during_approval {
            bench.others_change("uat", &org(), &changed(&org(), edit.0)).await;
        }
        bench.approve(&id, "bea").await;
        let asked = bench.until(&id, State::NeedsPerson).await;
        assert_eq!(asked.step.as_deref(), Some("before"), "seed {seed}");
        if !during_approval {
            bench.others_change("uat", &org(), &changed(&org(), edit.0)).await;
        }
        let actor = syncline_domain::policy::Actor::owner("bea");
        syncline_engine::operation::answer(&bench.runtime, &id, &actor, "", "", None)
            .await
            .expect("confirmed");
        bench.work().await;
        let operation = bench.operation(&id).await;
        let kept = bench.kept(&id).await;
        if edit.1 {
            // The package is another one now: the approval of the old one does not count.
            assert_eq!(
                (operation.state, operation.step.as_deref()),
                (State::NeedsPerson, Some("gates")),
                "seed {seed}: {operation:?}"
            );
            assert_eq!(kept.changed_meanwhile, 1, "seed {seed}");
            assert_eq!(bench.deployments("uat"), 2, "seed {seed}: nothing of ours yet");
            bench.approve(&id, "bea").await;
            bench.until(&id, State::Succeeded).await;
        } else {
            assert_eq!(operation.state, State::Succeeded, "seed {seed}: {operation:?}");
        }
        assert_eq!(bench.differs("uat", &both(edit)).await, "", "seed {seed}");
    }
}
