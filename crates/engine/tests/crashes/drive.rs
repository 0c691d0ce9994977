//! Starts workers, hits them, and checks what is left.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Child;
use std::time::Duration;

use serde_json::json;
use syncline_domain::audit::verify;
use syncline_domain::operation::State;
use syncline_engine::operation::{self, Runtime};
use syncline_store::{Filter, NewOperation};

use crate::postgres::new_postgres;
use crate::process::{end, freeze, kill, start};
use crate::worker::{Data, KIND, LEASE};
use xtask::generate::Random;

const OPERATIONS: usize = 12;
const WORKERS: usize = 3;
const HITS: usize = 5;

/// What hits did over some seeds: a test in which nothing was taken over shows nothing.
#[derive(Debug, Default)]
struct Hits {
    taken_over: i64,
    refused: u64,
}

pub fn check(postgres: bool, group: u64) {
    let seeds = crate::process::seeds();
    let threads = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("threads");
    let mut hits = Hits::default();
    for seed in (group * seeds)..((group + 1) * seeds) {
        let folder = tempfile::tempdir().expect("a folder");
        let url = match postgres {
            true => new_postgres(),
            false => Some(format!("sqlite:{}", folder.path().join("syncline.db").display())),
        };
        let Some(url) = url else { return };
        println!("seed {seed}");
        threads.block_on(one(seed, &url, folder.path(), &mut hits));
    }
    assert!(
        hits.taken_over > 0,
        "no operation was taken over in seeds of group {group}"
    );
    println!("{hits:?}");
}

async fn one(seed: u64, url: &str, folder: &Path, hits: &mut Hits) {
    let mut random = Random::new(seed);
    let runtime = crate::worker::runtime(url, folder).await;
    let file = folder.join("effects").display().to_string();
    for n in 0..OPERATIONS {
        let new = NewOperation {
            kind: KIND.name.to_owned(),
            environment: None,
            exclusive_key: (n % 2 == 0).then(|| format!("org {}", n % 3)),
            params: json!({"file": file}),
            actor: "ada".to_owned(),
        };
        operation::start(&runtime, &new).await.expect("begun");
    }
    let begin = || start("worker", &[url, &folder.display().to_string()]);
    let mut workers: Vec<Child> = (0..WORKERS).map(|_| begin()).collect();
    for _ in 0..HITS {
        tokio::time::sleep(Duration::from_millis(20 + random.below(150) as u64)).await;
        let worker = &mut workers[random.below(WORKERS)];
        if random.chance(50) {
            kill(worker);
            *worker = begin();
        } else {
            freeze(worker, LEASE + Duration::from_millis(random.below(400) as u64)).await;
        }
    }
    until_all_have_ended(&runtime, &mut workers, seed).await;
    for worker in workers {
        hits.refused += end(worker)["lost"].as_u64().unwrap_or(0);
    }
    judge(&runtime, seed, &file, hits).await;
}

async fn until_all_have_ended(runtime: &Runtime, workers: &mut [Child], seed: u64) {
    let open = Filter {
        open: true,
        ..Filter::default()
    };
    loop {
        let left = runtime.store.operations(&open).await.expect("read");
        if left.is_empty() {
            return;
        }
        for worker in workers.iter_mut() {
            let ended = worker.try_wait().expect("asked");
            assert_eq!(ended, None, "seed {seed}: a worker ended by itself");
        }
        let broken: Vec<_> = left.iter().filter(|one| one.state == State::Errored).collect();
        assert!(broken.is_empty(), "seed {seed}: {broken:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn judge(runtime: &Runtime, seed: u64, file: &str, hits: &mut Hits) {
    let operations = runtime.store.operations(&Filter::default()).await.expect("read");
    assert_eq!(operations.len(), OPERATIONS, "seed {seed}");
    let mut expected = BTreeMap::new();
    for one in &operations {
        assert_eq!(one.state, State::Succeeded, "seed {seed}: {one:?}");
        assert_eq!(one.message.as_deref(), Some("3 lines"), "seed {seed}: {one:?}");
        let lines: Vec<String> = ["first", "second", "third"]
            .map(|step| format!("{} {step}", one.id))
            .into();
        let data: Data = serde_json::from_value(one.data.clone()).expect("data");
        let waited = true;
        assert_eq!(
            data,
            Data {
                lines: lines.clone(),
                waited
            },
            "seed {seed}"
        );
        expected.extend(lines.into_iter().map(|line| (line, 1)));
        // A claim for the beginning, one after the wait; each further one took it over or picked it up again.
        hits.taken_over += (one.lease_epoch - 2).max(0);
        let subject = format!("operation:{}", one.id);
        let audit = runtime.store.recent_audit(Some(&subject), 1_000).await.expect("read");
        let ends = audit
            .iter()
            .filter(|entry| entry.draft.action == KIND.name && entry.draft.outcome == "succeeded");
        assert_eq!(ends.count(), 1, "seed {seed}: it ended once");
        let intents = audit
            .iter()
            .filter(|entry| entry.draft.action == "write" && entry.draft.outcome == "opened");
        assert_eq!(intents.count(), 3, "seed {seed}: each intent was saved once");
    }
    let mut effects = BTreeMap::new();
    for line in std::fs::read_to_string(file).expect("effects").lines() {
        *effects.entry(line.to_owned()).or_insert(0) += 1;
    }
    assert_eq!(effects, expected, "seed {seed}: effects and how often they happened");
    let entries = runtime.store.audit_entries(0, 1_000_000).await.expect("read");
    let report = verify(&entries, &[], |_, _, _| true);
    assert!(report.is_whole(), "seed {seed}: {report:?}");
}
