//! A database, a runtime and a clock that stands still until it is moved.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use serde_json::json;
use syncline_domain::policy::Actor;
use syncline_engine::operation::{self, Runtime};
use syncline_engine::org::login::Orgs;
use syncline_engine::org::vault::Vault;
use syncline_engine::worker::{self, Options, Report, Stop, Until};
use syncline_salesforce::{Clock, Http};
use syncline_store::{NewOperation, Operation, Store, StoreError};

pub const HOUR: i64 = 3_600_000;

pub struct Rig {
    pub runtime: Arc<Runtime>,
    pub folder: tempfile::TempDir,
    time: Arc<AtomicU64>,
}

pub fn actor() -> Actor {
    Actor::owner("ada")
}

impl Rig {
    pub fn run(check: impl AsyncFnOnce(&Rig)) {
        let threads = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("threads");
        threads.block_on(async {
            let rig = Self::make().await;
            check(&rig).await;
        });
    }

    async fn make() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let time = Arc::new(AtomicU64::new(1_767_225_600_000));
        let shown = Arc::clone(&time);
        let clock = Clock::new(
            move || UNIX_EPOCH + Duration::from_millis(shown.load(Ordering::SeqCst)),
            |_| Box::pin(tokio::time::sleep(Duration::from_millis(3))),
        );
        let url = format!("sqlite:{}", folder.path().join("syncline.db").display());
        let runtime = Runtime {
            store: Store::open(&url).await.expect("opened"),
            repository: folder.path().to_owned(),
            orgs: Orgs {
                vault: Vault::open(folder.path().join("logins"), None),
                http: Http::new().expect("a client"),
                home: None,
                clock: Clock::system(),
            },
            clock,
            commands: syncline_engine::command::Allowed::default(),
            limits: syncline_engine::deployment::Limits::default(),
            kinds: crate::steps::KINDS,
        };
        Self {
            runtime: Arc::new(runtime),
            folder,
            time,
        }
    }

    pub fn now(&self) -> i64 {
        self.runtime.now()
    }

    pub fn jump(&self, millis: i64) {
        self.time()(millis);
    }

    /// Moves the clock from another task.
    pub fn time(&self) -> impl Fn(i64) + Send + use<> {
        let time = Arc::clone(&self.time);
        move |millis| {
            let moved = time.load(Ordering::SeqCst).checked_add_signed(millis);
            time.store(moved.expect("a time"), Ordering::SeqCst);
        }
    }

    pub fn request(&self, kind: &str) -> NewOperation {
        NewOperation {
            kind: kind.to_owned(),
            environment: Some("uat".to_owned()),
            exclusive_key: None,
            params: json!({}),
            actor: "ada".to_owned(),
        }
    }

    pub async fn start(&self, kind: &str) -> String {
        operation::start(&self.runtime, &self.request(kind))
            .await
            .expect("begun")
            .id
    }

    pub async fn operation(&self, id: &str) -> Operation {
        self.runtime.store.operation(id).await.expect("there")
    }

    /// Works until nothing is due now.
    pub async fn work(&self) -> Report {
        let patience = Duration::ZERO;
        self.work_with(&Stop::new(), Until::Idle { patience })
            .await
            .expect("idle")
    }

    pub async fn work_with(&self, stop: &Stop, until: Until) -> Result<Report, StoreError> {
        let options = Options {
            name: "worker".to_owned(),
            slots: 4,
            lease: Duration::from_secs(60),
            poll: Duration::from_secs(1),
            only: Vec::new(),
            until,
        };
        worker::run(&self.runtime, &options, stop).await
    }
}
