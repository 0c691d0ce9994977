//! Who may do what, asked through the use cases: another role than the table says is refused, or one that it says is not.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

use std::error::Error;
use std::process::Command;
use std::sync::Arc;

use serde_json::json;
use syncline_domain::operation::{Outcome, QuestionKind};
use syncline_engine::back_promote::{Selection, back_promote};
use syncline_engine::command::Allowed;
use syncline_engine::drift::{Adopt, adopt};
use syncline_engine::operation::promote::{Direction, Revert, Wanted, promote, revert, rollback};
use syncline_engine::operation::{self, Decision, KINDS, Question, Runtime};
use syncline_engine::org::login::Orgs;
use syncline_engine::org::vault::Vault;
use syncline_engine::permission::Refusal;
use syncline_engine::policy::{Actor, ActorKind, Grant, Role};
use syncline_engine::server_key::{KeyPlace, rotate};
use syncline_engine::snapshot::{Request as Snapshots, snapshots};
use syncline_engine::work::{Capture, Start, Submit, capture, start, submit};
use syncline_engine::{admin, baseline};
use syncline_git::{CommitTime, Repository};
use syncline_salesforce::{Clock, Http};
use syncline_store::{NewOperation, Operation, StepEnd, Store};
use tempfile::TempDir;

const NOW: CommitTime = CommitTime {
    seconds: 1_767_225_600,
    offset_minutes: 0,
};

/// No environment has an org: whoever is allowed fails at that, and nobody is asked for one.
const CONFIG: &str = r#"
[environments.production]
branch = "main"
kind = "production"
[environments.uat]
branch = "env/uat"
kind = "uat"
promotes-to = "production"
[environments.dev1]
branch = "env/dev1"
kind = "developer"
promotes-to = "uat"
owner = "team-a"
"#;

struct Rig {
    runtime: Arc<Runtime>,
    folder: TempDir,
}

impl Rig {
    async fn make() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let repository = folder.path().join("repository");
        std::fs::create_dir(&repository).expect("a folder");
        let git = |args: &[&str]| {
            let done = Command::new("git").args(args).current_dir(&repository).status();
            assert!(done.expect("git").success(), "{args:?}");
        };
        git(&["init", "--quiet", "--initial-branch=main", "."]);
        git(&["config", "user.name", "Ada"]);
        git(&["config", "user.email", "ada@example.com"]);
        std::fs::write(repository.join("syncline.toml"), CONFIG).expect("written");
        git(&["add", "--all"]);
        git(&["commit", "--quiet", "--message", "Start"]);
        git(&["branch", "env/uat"]);
        git(&["branch", "env/dev1"]);
        let url = format!("sqlite:{}", folder.path().join("store.db").display());
        let runtime = Runtime {
            store: Store::open(&url).await.expect("a store"),
            repository,
            orgs: Orgs {
                vault: Vault::open(folder.path().join("home"), None),
                http: Http::new().expect("a client"),
                home: None,
                clock: Clock::system(),
            },
            clock: Clock::system(),
            commands: Allowed::default(),
            limits: syncline_engine::deployment::Limits::default(),
            kinds: KINDS,
        };
        Self {
            runtime: Arc::new(runtime),
            folder,
        }
    }

    fn repository(&self) -> Repository {
        Repository::open(&self.runtime.repository).expect("a repository")
    }

    /// An operation that asks for approvals, begun by somebody.
    async fn waiting(&self, environment: &str, by: &str, kind: QuestionKind) -> Operation {
        let store = &self.runtime.store;
        let new = NewOperation {
            kind: "promote".to_owned(),
            environment: Some(environment.to_owned()),
            exclusive_key: None,
            params: json!({}),
            actor: by.to_owned(),
        };
        let id = store.create(&new, 1).await.expect("begun").id;
        let claimed = store
            .claim("w", &["promote"], std::slice::from_ref(&id), 2, 1_000)
            .await;
        let (claim, _) = claimed.expect("claimed").expect("one");
        let run = store.begin_step(&claim, "gates", 2).await.expect("a step");
        let question = Question {
            name: "gates".to_owned(),
            subject: "digest".to_owned(),
            text: "May it?".to_owned(),
            kind,
            details: json!(null),
        };
        let end = StepEnd {
            run,
            outcome: Outcome::NeedsPerson { question },
            next: None,
            may_stop: true,
            seed: 1,
            left: Default::default(),
        };
        store.end_step(&claim, &end, 3).await.expect("ended")
    }
}

/// Whether an error is a refusal of the policy, itself or further down.
fn is_refused<T, E: Error + 'static>(result: Result<T, E>) -> bool {
    let Err(error) = result else { return false };
    let mut next: Option<&(dyn Error + 'static)> = Some(&error);
    while let Some(error) = next {
        if error.is::<Refusal>() {
            return true;
        }
        next = error.source();
    }
    // An error that stands for its cause hides it: its text is the refusal's.
    error.to_string().contains("; for `") || error.to_string().contains(" is a program; only persons approve")
}

/// Roles by letter: viewer, developer, developer of the own environment, release manager, admin, security officer, program.
const ROLES: [(char, Role, bool); 7] = [
    ('v', Role::Viewer, false),
    ('d', Role::Developer, false),
    ('o', Role::Developer, true),
    ('r', Role::ReleaseManager, false),
    ('a', Role::Admin, false),
    ('s', Role::SecurityOfficer, false),
    ('c', Role::Ci, false),
];

/// Use case, environment, and who may.
const TABLE: &[(&str, &str, &str)] = &[
    ("promote", "production", "rac"),
    ("promote", "uat", "dorac"),
    ("bypass", "production", "ra"),
    ("back-promote", "uat", "rac"),
    ("back-promote", "dev1", "orac"),
    ("back-promote", "production", ""),
    ("back-promote to a branch", "uat", "rac"),
    ("back-promote to a branch", "dev1", "orac"),
    ("rollback", "production", "ra"),
    ("rollback", "dev1", "ora"),
    ("revert", "production", "ra"),
    ("revert", "dev1", "ora"),
    ("adopt", "production", "ra"),
    ("adopt", "uat", "dora"),
    ("adopt", "dev1", "ora"),
    ("baseline", "uat", "ra"),
    ("baseline", "dev1", "ora"),
    ("snapshot", "production", "dorac"),
    ("work start", "dev1", "ora"),
    ("work start", "uat", "ra"),
    ("work capture", "dev1", "ora"),
    ("work submit", "dev1", "ora"),
    ("approve", "production", "doras"),
    ("approve", "uat", "doras"),
    ("answer", "production", "ra"),
    ("answer", "uat", "dora"),
    ("attach", "production", "ra"),
    ("cancel", "production", "ra"),
    ("cancel", "dev1", "dora"),
    ("retry", "production", "ra"),
    ("cancel", "gone", "ra"),
    ("backup", "", "a"),
    ("restore", "", "a"),
    ("rotate", "", "as"),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_use_case_asks() {
    let rig = Rig::make().await;
    let item = Start {
        title: "Fees".to_owned(),
        environment: Some("dev1".to_owned()),
        id: Some("F-1".to_owned()),
    };
    start(&rig.repository(), &item, &Actor::owner("ada"), NOW).expect("a work item");
    for (case, environment, may) in TABLE {
        for (letter, role, own) in ROLES {
            let mut actor = Actor::person(format!("kim-{letter}"), [role]);
            if own {
                actor.teams.insert("team-a".to_owned());
            }
            if role == Role::Ci {
                actor.kind = ActorKind::Service;
            }
            let refused = attempt(&rig, case, environment, &actor).await;
            assert_eq!(
                !refused,
                may.contains(letter),
                "{case} in `{environment}` by {role}, own: {own}"
            );
        }
        let nobody = Actor {
            grants: vec![Grant {
                role: Role::Admin,
                environment: Some("elsewhere".to_owned()),
            }],
            ..Actor::person("nobody", [])
        };
        assert!(attempt(&rig, case, environment, &nobody).await, "{case} by nobody");
    }
}

/// Runs a use case; whether it is refused by the policy.
async fn attempt(rig: &Rig, case: &str, environment: &str, actor: &Actor) -> bool {
    let (runtime, repository) = (&*rig.runtime, rig.repository());
    let name = || environment.to_owned();
    let wanted = |from: &str, direction, bypass: Option<&str>| Wanted {
        from: from.to_owned(),
        to: name(),
        selection: Selection::default(),
        direction,
        bypass: bypass.map(str::to_owned),
    };
    let choice = || QuestionKind::Choice {
        options: vec!["yes".to_owned()],
    };
    match case {
        "promote" => {
            let from = if environment == "uat" { "dev1" } else { "uat" };
            is_refused(promote(runtime, &repository, &wanted(from, Direction::Up, None), actor).await)
        }
        "bypass" => {
            let bypass = wanted("dev1", Direction::Up, Some("outage"));
            is_refused(promote(runtime, &repository, &bypass, actor).await)
        }
        "back-promote" => {
            let down = wanted("production", Direction::Down, None);
            is_refused(promote(runtime, &repository, &down, actor).await)
        }
        "back-promote to a branch" => {
            let request = syncline_engine::back_promote::Request {
                from: "production".to_owned(),
                onto: vec![name()],
                commits: None,
                selection: Selection::default(),
                dry_run: true,
            };
            is_refused(back_promote(&repository, &request, actor, NOW))
        }
        "rollback" => {
            let done = rig.waiting(environment, "ada", choice()).await;
            is_refused(rollback(runtime, &repository, &done.id, actor).await)
        }
        "revert" => {
            let request = Revert {
                environment: name(),
                all: true,
                ..Revert::default()
            };
            is_refused(revert(runtime, &repository, &request, actor).await)
        }
        "adopt" => {
            let request = Adopt {
                environment: name(),
                all: true,
                ..Adopt::default()
            };
            is_refused(adopt(&repository, &request, actor, NOW))
        }
        "baseline" => {
            let request = baseline::Request {
                environment: name(),
                dry_run: true,
                ..Default::default()
            };
            is_refused(baseline::baseline(&repository, &request, actor, NOW))
        }
        "snapshot" => {
            let request = Snapshots {
                environments: vec![name()],
                ..Snapshots::default()
            };
            // Each environment has its own result; nobody has an org here.
            std::thread::scope(|scope| {
                let taking = scope.spawn(|| {
                    let repository = rig.repository();
                    is_refused(snapshots(
                        &repository,
                        &runtime.orgs,
                        &request,
                        actor,
                        NOW,
                        &|_, _, _| {},
                    ))
                });
                taking.join().expect("tried")
            })
        }
        "work start" => {
            let request = Start {
                title: "Fees".to_owned(),
                environment: Some(name()),
                id: Some("F-1".to_owned()),
            };
            is_refused(start(&repository, &request, actor, NOW))
        }
        "work capture" => {
            let request = Capture {
                item: Some("F-1".to_owned()),
                ..Capture::default()
            };
            is_refused(capture(&repository, &runtime.orgs, &request, actor, NOW))
        }
        "work submit" => {
            let request = Submit {
                item: Some("F-1".to_owned()),
            };
            is_refused(submit(&repository, &request, actor))
        }
        "approve" => {
            let asked = rig.waiting(environment, "ada", QuestionKind::Gates).await;
            let decision = Decision {
                granted: true,
                reason: None,
                subject: None,
            };
            is_refused(operation::approve(runtime, &asked.id, actor, &decision).await)
        }
        "answer" => {
            let asked = rig.waiting(environment, "ada", choice()).await;
            is_refused(operation::answer(runtime, &asked.id, actor, "yes", "", None).await)
        }
        "attach" => {
            let asked = rig.waiting(environment, "ada", QuestionKind::Gates).await;
            is_refused(operation::attach(runtime, &asked.id, actor, "ticket", json!("T-1")).await)
        }
        "cancel" => {
            let asked = rig.waiting(environment, "ada", choice()).await;
            is_refused(operation::cancel(runtime, &asked.id, actor, "no more").await)
        }
        "retry" => {
            let asked = rig.waiting(environment, "ada", choice()).await;
            is_refused(operation::retry(runtime, &asked.id, actor).await)
        }
        "backup" => is_refused(admin::backup(&runtime.store, actor, &mut Vec::new(), "backup".as_ref()).await),
        "restore" => is_refused(admin::restore(&runtime.store, actor, &mut &b""[..], "backup".as_ref()).await),
        "rotate" => {
            let place = KeyPlace::File(rig.folder.path().join("server.key"));
            is_refused(rotate(&runtime.store, &place, None, actor, 1).await)
        }
        other => panic!("{other}"),
    }
}

/// The requester of a change of production does not approve it, wherever the question is asked.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_approves_an_own_change_of_production() {
    let rig = Rig::make().await;
    let yes = |granted| Decision {
        granted,
        reason: None,
        subject: None,
    };
    let ada = Actor::person("ada", [Role::Admin, Role::ReleaseManager]);
    let bea = Actor::person("bea", [Role::Admin]);
    let own = rig.waiting("production", "ada", QuestionKind::Gates).await.id;
    let said = operation::approve(&rig.runtime, &own, &ada, &yes(true)).await;
    assert!(
        said.expect_err("her own")
            .to_string()
            .contains("somebody else has to approve it")
    );
    operation::approve(&rig.runtime, &own, &ada, &yes(false))
        .await
        .expect("she may give it up");
    let other = rig.waiting("production", "ada", QuestionKind::Gates).await.id;
    operation::approve(&rig.runtime, &other, &bea, &yes(true))
        .await
        .expect("another one");
    let below = rig.waiting("uat", "ada", QuestionKind::Gates).await.id;
    operation::approve(&rig.runtime, &below, &ada, &yes(true))
        .await
        .expect("no production");
    // What was kept is the role of then, so that the gate can count by it.
    let kept = rig.runtime.store.approvals(&other, "digest").await.expect("kept");
    assert_eq!(kept[0].roles, ["admin"]);
}
