//! Laws that hold for every merge, comparison, conflict and package, tried on random documents of real types.
//!
//! `PROPTEST_CASES` sets the cases per law, `PROPTEST_RNG_SEED` makes a run repeatable; `make soak` raises both.

mod compare;
mod conflicts;
mod delta;
mod generator;
mod lines;
mod merging;
mod regressions;
mod symmetry;

use std::fmt;

use generator::{Choices, Model, Tokens};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use syncline_metadata::component::ComponentId;
use syncline_metadata::conflict::{Conflict, Reason};
use syncline_metadata::merge::{self, MergeError, Merged, Sides};
use syncline_metadata::xml::{Digest, Document, digest};

/// The name of every file.
const PATH: &str = "force-app/Sample-meta.xml";

/// A base and two versions of it, each with edits of its own.
struct Versions {
    base: Model,
    ours: Model,
    theirs: Model,
    /// Decides what else a law needs to choose.
    rest: Vec<u8>,
}

impl fmt::Debug for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, model) in [("base", &self.base), ("ours", &self.ours), ("theirs", &self.theirs)] {
            let text = model.print();
            write!(
                f,
                "\n--- {name}\n{}",
                String::from_utf8_lossy(&text).replace('\r', "\u{240d}")
            )?;
        }
        write!(f, "\n--- rest {:?}", self.rest)
    }
}

impl Versions {
    fn component(&self) -> ComponentId {
        ComponentId::new(self.base.type_name(), "Sample")
    }

    /// Merges three files. A failed self-check is the matter of a law of its own, not of every law.
    fn merge(&self, base: &[u8], ours: &[u8], theirs: &[u8]) -> Result<Merged, TestCaseError> {
        let merged = self.try_merge(base, ours, theirs).map_err(fail)?;
        match unproven(&merged) {
            Some(_) => Err(TestCaseError::reject("the self-check failed")),
            None => Ok(merged),
        }
    }

    fn try_merge(&self, base: &[u8], ours: &[u8], theirs: &[u8]) -> Result<Merged, MergeError> {
        let sides = Sides {
            base: Some(base),
            ours: Some(ours),
            theirs: Some(theirs),
        };
        merge::merge(&self.component(), PATH, sides)
    }
}

/// Random versions. Tame ones have no text beside elements, where formatting would count as content.
fn versions(tame: bool) -> impl Strategy<Value = Versions> {
    let bytes = |most| prop::collection::vec(any::<u8>(), 0..most);
    (bytes(160), bytes(60), bytes(60), bytes(40)).prop_map(move |(base, ours, theirs, rest)| {
        let base = Model::new(&mut Choices::new(&base), &mut Tokens::new('b'));
        let edit = |bytes: &[u8], tag| base.edited(&mut Choices::new(bytes), &mut Tokens::new(tag), !tame);
        Versions {
            ours: edit(&ours, 'o'),
            theirs: edit(&theirs, 't'),
            base,
            rest,
        }
    })
}

/// A conflict that is only there because the self-check did not accept a merge.
fn unproven(merged: &Merged) -> Option<&Conflict> {
    merged.conflicts().iter().find(|c| c.reason == Reason::Unproven)
}

fn fail(error: impl std::error::Error) -> TestCaseError {
    let cause = error.source().map(ToString::to_string).unwrap_or_default();
    TestCaseError::fail(format!("{error}: {cause}"))
}

/// Cases per law: enough for each run of the tests, the same in every run; more and others when the
/// environment says so.
fn config(usual: u32) -> ProptestConfig {
    let usual_seed = std::env::var_os("PROPTEST_RNG_SEED").is_none();
    let asked = ProptestConfig {
        max_global_rejects: 1 << 20,
        max_shrink_iters: 20_000,
        // The failing documents are printed; bytes that made them mean nothing to the next generator.
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let asked = match usual_seed {
        true => ProptestConfig {
            rng_seed: RngSeed::Fixed(1),
            ..asked
        },
        false => asked,
    };
    match std::env::var_os("PROPTEST_CASES") {
        Some(_) => asked,
        None => ProptestConfig { cases: usual, ..asked },
    }
}

/// What a file means.
fn meaning(bytes: &[u8]) -> Digest {
    let document = Document::parse(bytes).expect("well-formed");
    digest(document.root(), document.root_type())
}

fn text(bytes: impl AsRef<[u8]>) -> String {
    String::from_utf8(bytes.as_ref().to_vec()).expect("UTF-8")
}
