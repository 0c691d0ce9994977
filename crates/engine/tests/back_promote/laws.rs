//! Over generated repositories: every change of the source arrives or is an open conflict, every change of the target stays.
//! Judged by `metadata::check`, which knows nothing of the merge.

use std::collections::BTreeSet;
use std::path::Path;

use proptest::prelude::*;
use syncline_engine::back_promote::{Outcome, back_promote};
use syncline_engine::conflicts::{Item, Resolve, Which, resolve, show};
use syncline_engine::resolution::Choice;
use syncline_git::{Repository, TreePath};
use syncline_metadata::check::{check, check_text};
use syncline_metadata::conflict::{Conflict, Reason};
use syncline_metadata::path::ElementPath;
use xtask::generate::{Format, History, HistoryOptions, repository};

use crate::sandbox::{NOW, owner, request, told};

struct States<'r> {
    repository: &'r Repository,
    base: syncline_git::Oid,
    ours: syncline_git::Oid,
    theirs: syncline_git::Oid,
    result: syncline_git::Oid,
}

impl States<'_> {
    fn texts(&self, path: &str) -> [Option<Vec<u8>>; 4] {
        [self.base, self.ours, self.theirs, self.result].map(|commit| {
            let tree = self.repository.commit_tree(commit).unwrap();
            let entry = self.repository.entry_at(tree, &TreePath::from(path)).unwrap();
            entry.map(|entry| self.repository.read_blob(entry.oid).unwrap())
        })
    }

    /// Judges one path; returns whether both sides had changed it.
    fn judge(&self, path: &str, items: &[Item]) -> bool {
        let [base, ours, theirs, result] = self.texts(path);
        let open: Vec<&Item> = items.iter().filter(|item| item.file == path).collect();
        match (&base, &ours, &theirs, &result) {
            (base, ours, theirs, result) if base == ours => assert_eq!(result, theirs, "{path}"),
            (base, ours, theirs, result) if base == theirs => assert_eq!(result, ours, "{path}"),
            (base, Some(ours), Some(theirs), Some(result)) => {
                let component = open
                    .first()
                    .map_or_else(|| "File:x".parse().unwrap(), |item| item.path.component.clone());
                let texts = [base.as_deref().unwrap_or_default(), ours, theirs, result].map(std::str::from_utf8);
                let [Ok(base_text), Ok(ours), Ok(theirs), Ok(result)] = texts else {
                    assert!(!open.is_empty(), "{path}");
                    return true;
                };
                let judged = if syncline_metadata::xml::is_metadata(ours.as_bytes()) {
                    let paths: Vec<ElementPath> = open.iter().map(|item| item.path.clone()).collect();
                    let base = base.as_ref().map(|_| base_text);
                    check(&component, base, Some(ours), Some(theirs), result, &paths)
                } else {
                    let text = |side: &Option<syncline_engine::wire::Text>| side.as_ref().map(|text| text.0.clone());
                    let conflicts: Vec<Conflict> = open
                        .iter()
                        .map(|item| Conflict {
                            path: item.path.clone(),
                            reason: Reason::Lines,
                            base: text(&item.base),
                            ours: text(&item.ours),
                            theirs: text(&item.theirs),
                        })
                        .collect();
                    check_text(&component, base_text, ours, theirs, result, &conflicts)
                };
                if let Err(violation) = judged {
                    panic!("{path}: {violation}");
                }
                return true;
            }
            _ => assert!(!open.is_empty() || ours == theirs, "{path} is deleted on one side only"),
        }
        false
    }
}

fn run(seed: u64, components: usize, format: Format, choice: Choice) -> (usize, usize) {
    let folder = tempfile::tempdir().unwrap();
    let options = HistoryOptions {
        hotfix: 30,
        branches: 2,
        own: 20,
        overlap: 10,
        conflicts: 3,
        bare: true,
    };
    let history = History::write(&repository(components, seed), seed, format, &options, folder.path()).unwrap();
    configure(folder.path());
    let repository = Repository::open(folder.path()).unwrap();
    let rev = |name: &str| repository.resolve(name).unwrap().oid;
    let (base, theirs) = (rev("main"), rev("production"));
    let (source, targets) = history.branches.split_first().unwrap();
    let (mut merged, mut conflicts) = (0, 0);
    for target in targets {
        let ours = rev(&target.name);
        let report = back_promote(&repository, &request("production", &[&target.name]), &owner(), NOW).unwrap();
        let items = match &report.targets[0].outcome {
            Outcome::Done { replayed, .. } => {
                assert!(replayed.is_empty() || !target.conflicting.is_empty());
                Vec::new()
            }
            Outcome::Conflicts { id, .. } => {
                let items = show(&repository, id).unwrap().conflicts;
                let ask = Resolve {
                    id: id.clone(),
                    which: Which::All,
                    choice,
                    value: None,
                };
                let resolved = resolve(&repository, &ask, &owner(), NOW).unwrap();
                assert!(matches!(resolved.result.unwrap().outcome, Outcome::Done { .. }));
                items
            }
            _ => panic!("{}", told(&report)),
        };
        conflicts += items.len();
        let states = States {
            repository: &repository,
            base,
            ours,
            theirs,
            result: rev(&target.name),
        };
        let changed: BTreeSet<&String> = source.changed.union(&target.changed).collect();
        merged += changed.iter().filter(|path| states.judge(path, &items)).count();
        // Nothing else was touched.
        let tree = |commit| Some(repository.commit_tree(commit).unwrap());
        for change in repository.diff_trees(tree(ours), tree(states.result)).unwrap() {
            assert!(source.changed.contains(&change.path.to_string()), "{}", change.path);
        }
        // And again there is nothing to do.
        let again = back_promote(&repository, &request("production", &[&target.name]), &owner(), NOW).unwrap();
        assert!(
            matches!(again.targets[0].outcome, Outcome::NothingToDo),
            "{}",
            told(&again)
        );
    }
    (merged, conflicts)
}

fn configure(folder: &Path) {
    for (key, value) in [("user.name", "Ada"), ("user.email", "ada@example.com")] {
        let mut git = std::process::Command::new("git");
        assert!(
            git.args(["config", key, value])
                .current_dir(folder)
                .status()
                .unwrap()
                .success()
        );
    }
}

#[test]
fn conflicts_are_among_what_is_judged() {
    let (merged, conflicts) = run(11, 400, Format::Source, Choice::Theirs);
    assert!(merged >= 10 && conflicts >= 4, "{merged} {conflicts}");
}

/// Histories that are tried; a long run asks for more.
fn histories() -> u32 {
    std::env::var("PROOF_HISTORIES").map_or(8, |text| text.parse().expect("a number"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: histories(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost(seed in 0u64..10_000, source in any::<bool>(), theirs in any::<bool>()) {
        let format = if source { Format::Source } else { Format::Mdapi };
        let choice = if theirs { Choice::Theirs } else { Choice::Ours };
        let (merged, _) = run(seed, 250, format, choice);
        prop_assert!(merged > 0);
    }
}
