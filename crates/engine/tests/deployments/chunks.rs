//! A package above the limits arrives in parts, each with what it needs before it.

use syncline_engine::deployment::{DeploymentError, Limits, Options, package};

use crate::support::{Bench, Files, changed, class, org, profile, told};

/// Twelve classes of which each needs the next, and the org of the other tests.
fn chain() -> Files {
    changed(&org(), |files| {
        for at in 0..12 {
            let next = at + 1;
            let body = match next {
                12 => String::new(),
                _ => format!("Link{next} next = new Link{next}();"),
            };
            class(files, &format!("Link{at}"), &body);
        }
        profile(files, &[("A", true), ("Link3", true)]);
    })
}

#[tokio::test]
async fn parts_arrive_in_order() {
    let bench = Bench::start().await;
    let (nothing, tree) = (bench.tree(&Files::new()), bench.tree(&chain()));
    let limits = Limits {
        entries: 14,
        ..Limits::default()
    };
    let parted = bench.package_within(nothing, tree, limits).await;
    assert!(parted.chunks.len() > 3, "{}", parted.chunks.len());
    for chunk in &parted.chunks {
        let folders: std::collections::BTreeSet<_> = chunk
            .files
            .keys()
            .filter_map(|path| path.split_once('/'))
            .map(|(folder, _)| folder)
            .collect();
        assert!(chunk.files.len() + folders.len() <= limits.entries);
    }
    bench.send(&parted).await;
    let whole = bench.package(nothing, tree).await;
    assert_eq!(whole.chunks.len(), 1);
    assert_ne!(whole.digest, parted.digest);
    assert_eq!(told(&bench.seen(&whole, tree).await), "");
}

#[tokio::test]
async fn a_component_that_is_too_large_is_named() {
    let bench = Bench::start().await;
    let (nothing, tree) = (bench.tree(&Files::new()), bench.tree(&org()));
    let options = Options {
        version: bench.connection.api_version(),
        limits: Limits {
            bytes: 400,
            ..Limits::default()
        },
        flows: Default::default(),
        sealer: None,
    };
    let error = package(&bench.repository, nothing, tree, &options).expect_err("too large");
    assert!(matches!(error, DeploymentError::TooLarge { .. }), "{error}");
}

#[tokio::test]
async fn equal_states_make_equal_digests() {
    let (one, tree) = Bench::with(&org()).await;
    let after = one.tree(&chain());
    let first = one.package(tree, after).await;
    assert_eq!(first.digest, one.package(tree, after).await.digest);
    assert!(one.package(tree, tree).await.is_empty());
}
