//! Whose approval counts, asked through an operation that waits for them.

use syncline_domain::operation::State;
use syncline_domain::policy::{Actor, ActorKind, Role};
use syncline_engine::back_promote::Selection;
use syncline_engine::operation::promote::{Direction, Wanted, promote};
use syncline_engine::operation::{Decision, OperationError, approve};

use crate::bench::Bench;
use crate::files::{changed, class, org};

async fn says(bench: &Bench, id: &str, actor: &Actor, granted: bool) -> Result<(), OperationError> {
    let decision = Decision {
        granted,
        reason: Some("looked at it".to_owned()),
        subject: None,
    };
    approve(&bench.runtime, id, actor, &decision).await
}

fn person(name: &str, roles: &[Role]) -> Actor {
    Actor::person(name, roles.iter().copied())
}

#[tokio::test(flavor = "multi_thread")]
async fn so_many_persons_of_each_role() {
    let bench = Bench::start("[gates]\napprovals = { release-manager = 1, admin = 1 }\n").await;
    bench.on("env/uat", &changed(&org(), |files| class(files, "A", "Integer work;")));
    let id = bench.begin("uat", "production", Direction::Up).await.id;
    bench.until(&id, State::NeedsPerson).await;
    let bea = person("bea", &[Role::Admin, Role::ReleaseManager]);
    for _ in 0..2 {
        says(&bench, &id, &bea, true).await.expect("taken");
        let asked = bench.until(&id, State::NeedsPerson).await;
        assert_eq!(
            asked.step.as_deref(),
            Some("gates"),
            "a person counts once, for one role"
        );
    }
    // Whoever began it, and whatever is no person, is not heard.
    let robot = Actor {
        kind: ActorKind::Service,
        ..person("robot", &[Role::Admin])
    };
    for nobody in [
        person("ada", &[Role::Admin, Role::ReleaseManager]),
        robot,
        person("vic", &[Role::Viewer]),
    ] {
        let refused = says(&bench, &id, &nobody, true).await;
        assert!(
            matches!(refused, Err(OperationError::Refused(_))),
            "{nobody:?}: {refused:?}"
        );
    }
    // A developer may say something to it, and counts for no role that is asked for.
    says(&bench, &id, &person("dan", &[Role::Developer]), true)
        .await
        .expect("taken");
    bench.until(&id, State::NeedsPerson).await;
    says(&bench, &id, &person("cy", &[Role::ReleaseManager]), true)
        .await
        .expect("taken");
    bench.until(&id, State::Succeeded).await;
    // A no ends it, whoever else has said yes.
    bench.on("env/uat", &changed(&org(), |files| class(files, "A", "Integer more;")));
    let id = bench.begin("uat", "production", Direction::Up).await.id;
    bench.until(&id, State::NeedsPerson).await;
    says(&bench, &id, &bea, true).await.expect("taken");
    says(&bench, &id, &person("cy", &[Role::ReleaseManager]), false)
        .await
        .expect("taken");
    bench.until(&id, State::Failed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exception_needs_somebody_who_may_agree_to_it() {
    let bench = Bench::start("").await;
    bench.on("env/dev1", &changed(&org(), |files| class(files, "A", "Integer work;")));
    let wanted = Wanted {
        from: "dev1".to_owned(),
        to: "production".to_owned(),
        selection: Selection::default(),
        direction: Direction::Up,
        bypass: Some("outage".to_owned()),
    };
    let ada = person("ada", &[Role::ReleaseManager]);
    let id = promote(&bench.runtime, &bench.open(), &wanted, &ada)
        .await
        .expect("begun")
        .id;
    bench.until(&id, State::NeedsPerson).await;
    // In production only an admin or a security officer agrees to leave the path.
    for role in [Role::Developer, Role::ReleaseManager] {
        says(&bench, &id, &person("bea", &[role]), true).await.expect("taken");
        bench.until(&id, State::NeedsPerson).await;
    }
    says(&bench, &id, &person("sam", &[Role::SecurityOfficer]), true)
        .await
        .expect("taken");
    bench.until(&id, State::Succeeded).await;
}
