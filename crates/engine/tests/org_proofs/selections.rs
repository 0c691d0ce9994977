//! A selection with what it pulls in can be deployed into an org that has nothing of it, and with nothing less.

use std::collections::{BTreeMap, BTreeSet};

use syncline_metadata::component::{ComponentId, children_of};
use syncline_metadata::references::{
    Context, KnownNames, PulledIn, Reference, ReferenceIndex, Relations, references_in,
};
use syncline_salesforce::Connection;
use xtask::generate::{Content, Format, Random, Repository, SMALLEST, repository};

use crate::support::{complaints, connect, id_of, more, part, run, trial, world};

/// Pulled-in components without which the org takes the rest: type, and why that is right.
const NOT_MISSED: &[(&str, &str)] = &[];

#[tokio::test(flavor = "multi_thread")]
async fn a_selection_is_deployed_with_what_it_pulls_in_and_not_without() {
    let (selections, samples) = (more("PROOF_SELECTIONS", 200), more("PROOF_SAMPLES", 60));
    let repository = repository(more("PROOF_SIZE", SMALLEST), 11);
    let needs = Needs::of(&repository);
    let world = world(1).await;
    let connection = connect(&world).await;
    let mut random = Random::new(2026);
    let (mut pulled_in, mut drops, mut sampled) = (0, 0, 0);
    let mut used = BTreeSet::new();
    let mut wrong: Vec<String> = Vec::new();
    for number in 0..selections {
        let picked = {
            let count = random.between(1, 4);
            random.sample(needs.all.len(), count)
        };
        let selection: Vec<ComponentId> = picked.into_iter().map(|at| needs.all[at].clone()).collect();
        let pulled = needs.closure(&selection);
        pulled_in += pulled.len();
        let named: Vec<String> = selection.iter().map(ToString::to_string).collect();
        let named = format!("selection {number} ({})", named.join(", "));
        let mut all: BTreeSet<ComponentId> = selection.iter().cloned().collect();
        all.extend(pulled.iter().map(|one| one.component.clone()));
        if let Some(problem) = refused(&connection, &part(&repository, &all)).await {
            wrong.push(format!("{named} with {} pulled in is refused: {problem}", pulled.len()));
            continue;
        }
        // Few pulled in, so that each of them can be dropped alone.
        if sampled >= samples || pulled.is_empty() || pulled.len() > 12 {
            continue;
        }
        sampled += 1;
        for PulledIn { component, because } in &pulled {
            let mut fewer = all.clone();
            fewer.remove(component);
            drops += 1;
            if refused(&connection, &part(&repository, &fewer)).await.is_none() {
                let known = NOT_MISSED.iter().position(|(kind, _)| *kind == &*component.type_name);
                used.extend(known);
                if known.is_none() {
                    let (user, via) = &because[0];
                    wrong.push(format!(
                        "{named} without {component}, which {user} needs ({via}), is taken"
                    ));
                }
            }
        }
    }
    let told = format!("{selections} selections, {pulled_in} pulled in; {sampled} sampled, {drops} drops");
    println!("{told}");
    assert!(wrong.is_empty(), "{told}; {} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(
        sampled, samples,
        "{told}: too few selections pull in 1 to 12 components"
    );
    assert_eq!(used.len(), NOT_MISSED.len(), "{told}: reasons that nothing needs");
}

/// Why a check-only deployment of these components is refused.
async fn refused(connection: &Connection, repository: &Repository) -> Option<String> {
    let result = run(connection, trial(repository)).await;
    (!result.success).then(|| complaints(&result))
}

/// What each component of a repository needs.
struct Needs {
    all: Vec<ComponentId>,
    names: BTreeSet<ComponentId>,
    index: ReferenceIndex,
}

impl Needs {
    fn of(repository: &Repository) -> Self {
        let names: BTreeSet<ComponentId> = repository.files.iter().map(id_of).collect();
        let mut relations = Relations::default();
        // Labels, alerts and the like come with the file they stand in.
        let mut inside: BTreeMap<ComponentId, ComponentId> = BTreeMap::new();
        for file in &repository.files {
            if let Content::Xml(root) = &file.content {
                let (id, text) = (id_of(file), root.document());
                relations.add(&id, &text);
                let children = children_of(&id, &text).expect("read");
                inside.extend(children.into_iter().map(|(child, _)| (child, id.clone())));
            }
        }
        let known = KnownNames::build(names.iter().chain(inside.keys()));
        let context = Context {
            schema: Some(&relations),
            known: Some(&known),
        };
        let mut found: BTreeMap<ComponentId, Vec<Reference>> = BTreeMap::new();
        for file in &repository.files {
            let (id, path) = (id_of(file), file.place.path(Format::Source));
            let Ok(text) = String::from_utf8(file.content.bytes()) else {
                continue;
            };
            let mut needs = references_in(&id, &path, &text, &context).expect("read");
            for one in &mut needs {
                if let Some(owner) = inside.get(&one.to) {
                    one.to = owner.clone();
                }
            }
            needs.retain(|one| one.to != id);
            found.entry(id).or_default().extend(needs);
        }
        Self {
            all: names.iter().cloned().collect(),
            names,
            index: ReferenceIndex::build(found),
        }
    }

    fn closure(&self, selection: &[ComponentId]) -> Vec<PulledIn> {
        self.index.closure(selection, &|id| self.names.contains(id), &|_| false)
    }
}
