//! A database for each test. PostgreSQL comes from `ci/postgres`; without it the tests fail, unless SYNCLINE_SKIP_POSTGRES is set
//! and CI is not.

use serde_json::json;
use syncline_store::{Claim, Interim, NewOperation, Operation, StepEnd, Store};

pub use crate::postgres::new_postgres;
pub use syncline_domain::operation::{Outcome, Problem, Question, QuestionKind, State};

/// A database, and the folder that it may lie in.
pub struct World {
    pub url: String,
    pub store: Store,
    pub folder: tempfile::TempDir,
}

impl World {
    async fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite:{}", folder.path().join("syncline.db").display());
        let store = Store::open(&url).await.expect("opened");
        Self { url, store, folder }
    }

    async fn postgres() -> Option<Self> {
        let url = new_postgres()?;
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&url).await.expect("opened");
        Some(Self { url, store, folder })
    }

    /// The database, opened once more.
    pub async fn again(&self) -> Store {
        Store::open(&self.url).await.expect("opened")
    }
}

/// Runs a check on both databases, as two tests.
macro_rules! on_both {
    ($($name:ident)*) => {$(
        mod $name {
            #[test]
            fn sqlite() {
                $crate::support::run(|world| Box::pin(super::$name(world)), false);
            }

            #[test]
            fn postgres() {
                $crate::support::run(|world| Box::pin(super::$name(world)), true);
            }
        }
    )*};
}
pub(crate) use on_both;

/// Runs a check.
pub fn run(check: impl FnOnce(World) -> std::pin::Pin<Box<dyn Future<Output = ()>>>, postgres: bool) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let world = match postgres {
            true => World::postgres().await,
            false => Some(World::sqlite().await),
        };
        if let Some(world) = world {
            check(world).await;
        }
    });
}

/// An operation of the kind `test`.
pub fn new(key: Option<&str>) -> NewOperation {
    NewOperation {
        kind: "test".to_owned(),
        environment: Some("uat".to_owned()),
        exclusive_key: key.map(str::to_owned),
        params: json!({"of": "a test"}),
        actor: "ada".to_owned(),
    }
}

/// Claims the next operation at a time, for 100 ms.
pub async fn claim(store: &Store, worker: &str, now: i64) -> Option<(Claim, Operation)> {
    let claimed = store.claim(worker, &["test"], &[], now, now + 100).await;
    claimed.expect("no error")
}

/// The end of a run.
pub fn end(run: i64, outcome: Outcome) -> StepEnd {
    StepEnd {
        run,
        outcome,
        next: None,
        may_stop: true,
        seed: 7,
        left: Interim {
            data: json!({}),
            ..Interim::default()
        },
    }
}

/// Waits for a signal.
pub fn wait(until: Option<i64>, signal: Option<&str>) -> Outcome {
    Outcome::Wait {
        until,
        signal: signal.map(str::to_owned),
        why: "the test waits".to_owned(),
    }
}
