//! A retrieve in parts brings what one as a whole brings.

use std::collections::BTreeSet;

use syncline_engine::org::retrieve::{MOST, Plan, Scope, fetch, inventory, plan};
use xtask::generate::{Format, SMALLEST, repository};

use crate::support::{complaints, connect, deployment, differences, more, run, world};

const CHUNKS: usize = 5;

#[tokio::test(flavor = "multi_thread")]
async fn five_retrieves_united_are_one() {
    let world = world(1).await;
    let connection = connect(&world).await;
    let repository = repository(more("PROOF_SIZE", SMALLEST), 7);
    let result = run(&connection, deployment(&repository, Format::Source)).await;
    assert!(result.success, "{}", complaints(&result));
    let inventory = inventory(&connection, &Scope::default()).await.expect("listed");
    let whole = plan(&inventory, None, MOST);
    assert_eq!(whole.chunks.len(), 1);
    let parted: Plan = (1..MOST)
        .map(|most| plan(&inventory, None, most))
        .find(|plan| plan.chunks.len() == CHUNKS)
        .expect("a limit with five retrieves");
    let profiles: BTreeSet<&String> = whole.chunks[0]["Profile"].iter().collect();
    assert!(
        parted
            .chunks
            .iter()
            .all(|chunk| chunk["Profile"].iter().collect::<BTreeSet<_>>() == profiles)
    );

    let whole = fetch(&connection, &inventory, &whole, &mut |_, _| {})
        .await
        .expect("retrieved");
    let united = fetch(&connection, &inventory, &parted, &mut |_, _| {})
        .await
        .expect("retrieved");
    let found = differences(&whole.files, &united.files);
    assert!(found.is_empty(), "{} differences:\n{}", found.len(), found.join("\n"));
    assert_eq!(whole.manifest, united.manifest);
    // It would prove nothing if the parts did not tell less than the whole.
    let mut alone = Plan::default();
    alone.chunks.push(parted.chunks[0].clone());
    let alone = fetch(&connection, &inventory, &alone, &mut |_, _| {})
        .await
        .expect("retrieved");
    let shared: Vec<&String> = whole.files.keys().filter(|path| is_access(path)).collect();
    assert!(shared.len() > 2, "{shared:?}");
    let less = shared
        .iter()
        .filter(|path| alone.files[**path].len() < whole.files[**path].len())
        .count();
    assert!(less > 0, "one retrieve alone tells all of {shared:?}");
}

fn is_access(path: &str) -> bool {
    path.starts_with("profiles/") || path.starts_with("permissionsets/")
}
