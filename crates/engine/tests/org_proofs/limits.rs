//! What is too large for one request comes and goes in several, whole.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use syncline_engine::org::retrieve::{Fetched, Inventory, MOST, Scope, fetch, inventory, plan};
use syncline_salesforce::bulk::{Ingest, Operation};
use syncline_salesforce::metadata::polling;
use syncline_simulator::generate::Generate;
use syncline_simulator::world::World;
use tokio::io::{AsyncRead, ReadBuf};

use crate::support::{ORG, connect, differences, stored, world_with};

/// A world whose sandbox has so many components, and gives so many entries in a retrieve.
async fn filled(components: usize, entries: usize) -> Arc<World> {
    world_with(3, |config| {
        config.limits.zip_entries = entries;
        config.generate = vec![Generate {
            org: ORG.to_owned(),
            components,
            records: 0,
        }];
    })
    .await
}

/// Everything, planned as for any org: the inventory, what came back, and the number of retrieves that were planned and run.
async fn everything(world: &Arc<World>) -> (Inventory, Fetched, usize, usize) {
    let connection = connect(world).await;
    let inventory = inventory(&connection, &Scope::default()).await.expect("listed");
    let planned = plan(&inventory, None, MOST);
    let mut run = 0;
    let fetched = fetch(&connection, &inventory, &planned, &mut |_, total| run = total)
        .await
        .expect("retrieved");
    (inventory, fetched, planned.chunks.len(), run)
}

/// The components that were listed and those that were retrieved are the same.
fn whole(inventory: &Inventory, fetched: &Fetched) {
    let listed: BTreeSet<(&String, &String)> = inventory.components.keys().map(|(kind, name)| (kind, name)).collect();
    let manifest = fetched.manifest.iter();
    let got: BTreeSet<(&String, &String)> = manifest
        .flat_map(|(kind, names)| names.iter().map(move |name| (kind, name)))
        .collect();
    assert_eq!(listed, got);
    assert_eq!(fetched.messages, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_org_that_gives_less_than_planned_is_retrieved_whole() {
    let (_, free, planned, run) = everything(&filled(300, 10_000).await).await;
    assert_eq!((planned, run), (1, 1));
    let (listed, united, planned, run) = everything(&filled(300, 60).await).await;
    assert!(planned == 1 && run > 4, "{run} retrieves");
    whole(&listed, &united);
    let found = differences(&free.files, &united.files);
    assert!(found.is_empty(), "{} differences:\n{}", found.len(), found.join("\n"));
}

#[ignore = "takes minutes in a debug build; the retrieves of a smaller org are tried always"]
#[tokio::test(flavor = "multi_thread")]
async fn more_entries_than_a_retrieve_takes_come_in_several() {
    let (listed, fetched, planned, run) = everything(&filled(9_000, 10_000).await).await;
    assert!(planned > 1 && run == planned, "{planned} retrieves planned, {run} run");
    assert!(fetched.files.len() > MOST, "{} files", fetched.files.len());
    whole(&listed, &fetched);
    let classes = fetched.files.keys().filter(|path| path.ends_with(".cls")).count();
    let known = listed.components.keys().filter(|(kind, _)| kind == "ApexClass").count();
    assert_eq!(classes, known);
}

/// CSV that is made as it is read.
struct Made {
    rows: u64,
    row: u64,
    left: Vec<u8>,
}

impl Made {
    fn of(rows: u64) -> Self {
        let left = b"Name,Description\n".to_vec();
        Self { rows, row: 0, left }
    }
}

impl AsyncRead for Made {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        if self.left.is_empty() && self.row < self.rows {
            self.row += 1;
            self.left = format!("Gull {},\"{}, and\n\"\"more\"\"\"\n", self.row, "x".repeat(960)).into_bytes();
        }
        let most = to.remaining().min(self.left.len());
        to.put_slice(&self.left.drain(..most).collect::<Vec<u8>>());
        Poll::Ready(Ok(()))
    }
}

/// The platform's 150 MB and our 100 MB for an upload, a thousand times smaller.
#[tokio::test(flavor = "multi_thread")]
async fn a_large_file_is_written_by_uploads_that_the_org_takes() {
    let world = world_with(4, |config| config.limits.bulk_upload_bytes = 150_000).await;
    let connection = connect(&world).await;
    let mut ingest = Ingest::new(Operation::Insert, "Account");
    ingest.part_limit = 100_000;
    let rows = 400;
    let report = connection
        .ingest(&ingest, Made::of(rows), &polling())
        .await
        .expect("taken");
    assert_eq!((report.processed(), report.failed()), (rows, 0));
    let uploads: Vec<usize> = world
        .log
        .entries()
        .iter()
        .filter(|entry| entry.path.ends_with("/batches"))
        .map(|entry| entry.body)
        .collect();
    assert_eq!(uploads.len(), report.jobs.len());
    assert!(
        uploads.len() == 4 && uploads.iter().all(|bytes| *bytes <= 100_000),
        "{uploads:?}"
    );
    assert_eq!(
        stored(
            &world,
            "Account",
            "\"Name\" LIKE 'Gull %' AND length(\"Description\") > 960"
        ),
        400
    );

    // An org that takes less says so, and the open job is ended.
    ingest.part_limit = 200_000;
    let refused = connection.ingest(&ingest, Made::of(rows), &polling()).await;
    let report = refused.expect("told");
    let stopped = report.stopped.expect("why");
    assert_eq!(
        (report.jobs.len(), report.aborted.len(), stopped.code()),
        (0, 1, "salesforce_error")
    );
    assert!(
        stopped.hints().iter().any(|hint| hint.contains("smaller parts")),
        "{stopped} {:?}",
        stopped.hints()
    );
}
