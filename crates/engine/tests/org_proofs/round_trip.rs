//! What is deployed comes back with the same meaning.

use xtask::generate::{Format, SMALLEST, repository};

use crate::support::{complaints, connect, deployment, differences, more, rendered, run, world};
use syncline_engine::org::convert::Files;
use syncline_engine::org::retrieve::{MOST, Scope, fetch, inventory, plan};
use syncline_salesforce::Connection;

/// What an org gives back otherwise than it was deployed: a part of the difference's text, and why.
const SERVER_DEFAULTS: &[(&str, &str)] = &[];

/// What the repository's components are in the org.
async fn back(connection: &Connection, manifest: &[u8]) -> Files {
    let text = std::str::from_utf8(manifest).expect("UTF-8");
    let manifest = syncline_metadata::package::PackageManifest::parse(text).expect("a manifest");
    let scope = Scope::of_manifest(&manifest);
    let inventory = inventory(connection, &scope).await.expect("listed");
    assert!(inventory.refused.is_empty(), "{:?}", inventory.refused);
    let fetched = fetch(connection, &inventory, &plan(&inventory, None, MOST), &mut |_, _| {})
        .await
        .expect("retrieved");
    assert!(fetched.messages.is_empty(), "{:?}", fetched.messages);
    fetched.files
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_deployed_comes_back_with_the_same_meaning() {
    let (seeds, size) = (more("PROOF_ROUND_TRIPS", 3), more("PROOF_SIZE", SMALLEST));
    let mut used = std::collections::BTreeSet::new();
    for seed in 1..=seeds as u64 {
        let repository = repository(size, seed);
        let world = world(seed).await;
        let connection = connect(&world).await;
        let result = run(&connection, deployment(&repository, Format::Mdapi)).await;
        assert!(result.success, "seed {seed}: {}", complaints(&result));
        let manifest = &repository.project_files(Format::Mdapi)[0].1;
        let sent: Files = rendered(&repository, Format::Mdapi)
            .into_iter()
            .map(|(path, bytes)| (path.trim_start_matches("src/").to_owned(), bytes))
            .collect();
        let mut found = differences(&sent, &back(&connection, manifest).await);
        found.retain(|line| {
            let known = SERVER_DEFAULTS.iter().position(|(part, _)| line.contains(part));
            used.extend(known);
            known.is_none()
        });
        assert!(
            found.is_empty(),
            "seed {seed}, {} components in {} files, {} differences:\n{}",
            repository.components(),
            sent.len(),
            found.len(),
            found.join("\n")
        );
    }
    assert_eq!(
        used.len(),
        SERVER_DEFAULTS.len(),
        "defaults that no org fills in any more"
    );
}
