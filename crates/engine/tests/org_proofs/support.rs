//! Worlds of simulated orgs, connections to them, and generated repositories as deployments.

use std::collections::{BTreeMap, BTreeSet};

use syncline_engine::org::convert::Files;
use syncline_engine::org::deploy::{Asked, Deployment, Watch, deploy, pack, prepare, zip};
use syncline_metadata::component::{ComponentId, Project};
use syncline_metadata::diff::diff;
use syncline_salesforce::Connection;
use syncline_salesforce::metadata::{DeployIntent, DeployOptions, DeployResult};
use syncline_simulator::world::World;
use xtask::generate::{File, Format, Repository, render, write};

pub use crate::sandbox::{ORG, connect, world, world_with};

/// A number from the environment, so that a long run can ask for more.
pub fn more(name: &str, few: usize) -> usize {
    std::env::var(name).map_or(few, |text| text.parse().expect("a number"))
}

/// The number of rows of an object, of components, or of another table, as it is stored.
pub fn stored(world: &World, table: &str, condition: &str) -> usize {
    let org = world.org(ORG).expect("the sandbox");
    let state = org.lock();
    let count: i64 = state
        .db
        .query_row(
            &format!("SELECT count(*) FROM \"{table}\" WHERE {condition}"),
            [],
            |row| row.get(0),
        )
        .expect("counted");
    usize::try_from(count).expect("a count")
}

/// The files of some components of a repository.
pub fn part(repository: &Repository, wanted: &BTreeSet<ComponentId>) -> Repository {
    let files = repository.files.iter().filter(|file| wanted.contains(&id_of(file)));
    Repository {
        files: files.cloned().collect(),
    }
}

pub fn id_of(file: &File) -> ComponentId {
    ComponentId::new(file.component.0, &*file.component.1)
}

/// The files of a repository in a format, with what the format has around them.
pub fn rendered(repository: &Repository, format: Format) -> Files {
    let one = |(path, indices): (String, Vec<usize>)| {
        let files: Vec<&File> = indices.iter().map(|index| &repository.files[*index]).collect();
        (path, render(&files))
    };
    repository.outputs(format).into_iter().map(one).collect()
}

/// A deployment of a repository, made as the product makes it from a folder.
pub fn deployment(repository: &Repository, format: Format) -> Deployment {
    let folder = tempfile::tempdir().expect("a folder");
    write(repository, format, folder.path()).expect("written");
    let root = match format {
        Format::Mdapi => folder.path().join("src"),
        Format::Source => folder.path().to_owned(),
    };
    let asked = Asked {
        folder: root,
        ..Asked::default()
    };
    let made = prepare(&asked, "66.0".parse().expect("a version")).expect("prepared");
    assert!(made.left.is_empty(), "left out: {:?}", made.left);
    made
}

/// A trial of a part of a repository, made of its files in source format without a folder.
pub fn trial(repository: &Repository) -> Deployment {
    let json = &repository.project_files(Format::Source)[0].1;
    let json = std::str::from_utf8(json).expect("UTF-8");
    let project = Project::parse("", json, None).expect("a project");
    let version = "66.0".parse().expect("a version");
    let packed = pack(&project, &rendered(repository, Format::Source), None, version).expect("packed");
    assert!(packed.left.is_empty(), "left out: {:?}", packed.left);
    Deployment {
        zip: zip(&packed.files).expect("a zip"),
        options: DeployOptions {
            check_only: true,
            ..DeployOptions::default()
        },
        components: packed.components,
        ..Deployment::default()
    }
}

/// Deploys and waits for the end, good or bad.
pub async fn run(connection: &Connection, deployment: Deployment) -> DeployResult {
    let intent = |_: &DeployIntent| Ok(());
    let watch = Watch {
        intent: &intent,
        started: &mut |_| {},
        progress: &mut |_| {},
    };
    deploy(connection, deployment, watch).await.expect("an end")
}

/// What a deployment complains of, one a line.
pub fn complaints(result: &DeployResult) -> String {
    let mut lines: Vec<String> = Vec::new();
    lines.extend(result.error_message.clone());
    for one in &result.details.component_failures {
        lines.push(format!(
            "{}:{} {}",
            one.component_type.as_deref().unwrap_or_default(),
            one.full_name,
            one.problem.as_deref().unwrap_or_default()
        ));
    }
    lines.join("\n")
}

/// What differs between two sets of files in meaning, one a line: path, what, from, to.
pub fn differences(left: &Files, right: &Files) -> Vec<String> {
    let paths: BTreeMap<&String, ()> = left.keys().chain(right.keys()).map(|path| (path, ())).collect();
    let mut found = Vec::new();
    for path in paths.into_keys() {
        let component = ComponentId::new("File", path.as_str());
        let (from, to) = (left.get(path).map(Vec::as_slice), right.get(path).map(Vec::as_slice));
        for change in diff(&component, path, from, to).expect("compared") {
            let words = |text: Option<String>| text.map_or_else(|| "-".to_owned(), |text| text.replace('\n', " "));
            let at = change.path.to_string();
            let (kind, from, to) = (change.kind.name(), words(change.from), words(change.to));
            found.push(format!("{at} {kind}: {from} -> {to}"));
        }
    }
    found
}
