//! The worker process: runs operations whose steps write lines to a file outside of the database, each once. It stops when its
//! standard input ends, and prints what it did.

use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use syncline_domain::operation::{Outcome, Problem};
use syncline_engine::operation::{Kind, Runtime, StepContext, StepDef, StepError, StepFuture};
use syncline_engine::org::login::Orgs;
use syncline_engine::org::vault::Vault;
use syncline_engine::worker::{self, Options, Stop, Until};
use syncline_salesforce::{Clock, Http};
use syncline_store::Store;

/// How long an operation belongs to a worker without a heartbeat.
pub const LEASE: Duration = Duration::from_millis(600);

pub const KIND: Kind = Kind {
    name: "effects",
    title: "writes lines",
    steps: &[
        step("first"),
        step("second"),
        step("third"),
        StepDef {
            name: "last",
            title: "has no effect",
            may_stop: true,
            run: last,
        },
    ],
};

const fn step(name: &'static str) -> StepDef {
    StepDef {
        name,
        title: "writes a line",
        may_stop: true,
        run: effect,
    }
}

#[derive(Debug, Default, Serialize, Deserialize, PartialEq, Eq)]
#[serde(default)]
pub struct Data {
    /// What was going to be written, in order: the intents.
    pub lines: Vec<String>,
    /// The wait between the steps is over.
    pub waited: bool,
}

#[derive(Deserialize)]
struct Params {
    file: String,
}

fn effect(context: &mut StepContext) -> StepFuture<'_> {
    Box::pin(async move {
        let name = context.operation.step.clone().unwrap_or_else(|| "first".to_owned());
        let params: Params = context.params()?;
        let mut data: Data = context.data()?;
        let line = format!("{} {name}", context.operation.id);
        pause().await;
        if !data.lines.contains(&line) {
            data.lines.push(line.clone());
            context.set_data(&data)?;
            context.audit("write", "opened", serde_json::json!({"line": line}));
            context.save().await?;
        }
        pause().await;
        if !written(&params.file, &line)? {
            // Whoever looks later has to see what is written now: nobody may look before the lease ends.
            if context.lease.remaining() < LEASE / 3 {
                let problem = Problem::new("test.lease", "the lease is too short for the effect");
                return Err(StepError::new(problem));
            }
            append(&params.file, &line)?;
        }
        pause().await;
        context.audit("write", "succeeded", serde_json::json!({"line": line}));
        if name == "second" && !data.waited {
            data.waited = true;
            context.set_data(&data)?;
            return Ok(Outcome::Wait {
                until: Some(context.now() + 20),
                signal: None,
                why: "between the effects".to_owned(),
            });
        }
        Ok(Outcome::Done)
    })
}

fn last(context: &mut StepContext) -> StepFuture<'_> {
    Box::pin(async move {
        let data: Data = context.data()?;
        context.say(format!("{} lines", data.lines.len()));
        Ok(Outcome::Done)
    })
}

/// Room for a signal to hit.
async fn pause() {
    tokio::time::sleep(Duration::from_millis(4)).await;
}

fn written(file: &str, line: &str) -> std::io::Result<bool> {
    match std::fs::read_to_string(file) {
        Ok(text) => Ok(text.lines().any(|one| one == line)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn append(file: &str, line: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).open(file)?;
    file.write_all(format!("{line}\n").as_bytes())
}

/// What both the test and its workers work with.
pub async fn runtime(url: &str, folder: &Path) -> Runtime {
    Runtime {
        store: Store::open(url).await.expect("the database opens"),
        repository: folder.to_owned(),
        orgs: Orgs {
            vault: Vault::open(folder.join("logins"), None),
            http: Http::new().expect("a client"),
            home: None,
            clock: Clock::system(),
        },
        clock: Clock::system(),
        commands: syncline_engine::command::Allowed::default(),
        limits: syncline_engine::deployment::Limits::default(),
        kinds: &[&KIND],
    }
}

pub fn main(arguments: &[String]) -> ExitCode {
    let [url, folder] = arguments else {
        return ExitCode::from(2);
    };
    work(LEASE, runtime(url, folder.as_ref()))
}

/// Works until the standard input ends, and prints what was done.
pub fn work(lease: Duration, runtime: impl Future<Output = Runtime>) -> ExitCode {
    let threads = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("threads");
    let stop = Stop::new();
    let at_end = stop.clone();
    std::thread::spawn(move || {
        drop(std::io::stdin().read_to_end(&mut Vec::new()));
        at_end.request();
    });
    let report = threads.block_on(async {
        let runtime = Arc::new(runtime.await);
        let options = Options {
            name: format!("worker {}", std::process::id()),
            slots: 3,
            lease,
            poll: Duration::from_millis(10),
            only: Vec::new(),
            until: Until::Stopped,
        };
        worker::run(&runtime, &options, &stop).await
    });
    match report {
        Ok(report) => {
            println!("{}", serde_json::json!(report));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}: {error:?}");
            ExitCode::FAILURE
        }
    }
}
