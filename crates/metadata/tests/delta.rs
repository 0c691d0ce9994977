//! Compares delta packages with the answers of sfdx-git-delta (`e2e/delta/oracle.mjs`) for small repositories.

use std::collections::{BTreeMap, BTreeSet};

use syncline_metadata::component::{ComponentId, Project, Role, children_of};
use syncline_metadata::package::{Change, DeltaPackage};

const SCENARIOS: &str = include_str!("../../../e2e/delta/scenarios.txt");
const ANSWERS: &str = include_str!("../../../e2e/delta/answers.tsv");
const DEVIATIONS: &str = include_str!("../../../e2e/delta/deviations.tsv");

type Files<'a> = BTreeMap<&'a str, String>;

/// `(name, before, after)`.
fn scenarios() -> Vec<(&'static str, Files<'static>, Files<'static>)> {
    let mut found: Vec<(&str, Files<'_>, Files<'_>)> = Vec::new();
    let mut target: Option<(&str, &str)> = None;
    for line in SCENARIOS.lines() {
        if let Some(name) = line.strip_prefix("== ") {
            found.push((name, Files::new(), Files::new()));
            target = None;
        } else if let Some(header) = line.strip_prefix("-- ") {
            target = header.split_once(' ');
        }
        let (Some((state, path)), Some((_, before, after))) = (target, found.last_mut()) else {
            continue;
        };
        for files in [
            (state != "after").then_some(before),
            (state != "before").then_some(after),
        ]
        .into_iter()
        .flatten()
        {
            let text = files.entry(path).or_default();
            if !line.starts_with("-- ") {
                text.push_str(line);
                text.push('\n');
            }
        }
    }
    found
}

/// Each component with its content, children inside a file by themselves.
fn components(project: &Project, files: &Files<'_>) -> BTreeMap<ComponentId, Vec<String>> {
    let mut found: BTreeMap<ComponentId, Vec<String>> = BTreeMap::new();
    for (path, text) in files {
        let located = project.locate(path);
        let Some(file) = located.component() else { continue };
        let children = match file.role {
            Role::Whole => children_of(&file.id, text).expect(path),
            _ => Vec::new(),
        };
        let mut rest = String::new();
        let mut at = 0;
        for (id, range) in children {
            rest.push_str(text[at..range.start].trim());
            at = range.end;
            found.entry(id).or_default().push(text[range].to_owned());
        }
        rest.push_str(text[at..].trim());
        found.entry(file.id.clone()).or_default().push(rest);
    }
    found
}

fn changes(project: &Project, before: &Files<'_>, after: &Files<'_>) -> Vec<(ComponentId, Change)> {
    let (before, after) = (components(project, before), components(project, after));
    let ids: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    ids.into_iter()
        .filter_map(|id| {
            let change = match (before.get(id), after.get(id)) {
                (None, _) => Change::Added,
                (_, None) => Change::Deleted,
                (old, new) if old != new => Change::Changed,
                _ => return None,
            };
            Some((id.clone(), change))
        })
        .collect()
}

#[test]
fn agrees_with_sfdx_git_delta() {
    let project = Project::parse("", r#"{"packageDirectories":[{"path":"force-app"}]}"#, None).expect("valid");
    let mut expect: BTreeSet<String> = ANSWERS
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(str::to_owned)
        .collect();
    let all = expect.len();
    let mut found = BTreeSet::new();
    for (name, before, after) in scenarios() {
        let delta = DeltaPackage::new(project.registry(), changes(&project, &before, &after), "65.0", |_| {
            false
        });
        for (sign, manifest) in [("+", &delta.package), ("-", &delta.destructive_post)] {
            // Names as the file writes them.
            let printed = manifest.to_string();
            for block in printed.split("<types>").skip(1) {
                let type_name = block
                    .split("<name>")
                    .nth(1)
                    .and_then(|rest| rest.split('<').next())
                    .expect("name");
                for member in block.split("<members>").skip(1) {
                    let member = member.split('<').next().expect("text");
                    found.insert(format!("{name}\t{sign}\t{type_name}:{member}"));
                }
            }
        }
    }
    // `scenario sign member who`: only we, or only they, name the member.
    let mut unexplained = Vec::new();
    let mut reasons: BTreeSet<(String, &str)> = DEVIATIONS
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let fields: Vec<_> = line.split('\t').collect();
            (fields[..3].join("\t"), fields[3])
        })
        .collect();
    let shared = found.intersection(&expect).count();
    for line in found.difference(&expect) {
        if !reasons.remove(&(line.clone(), "ours")) {
            unexplained.push(format!("{line}\tours"));
        }
    }
    expect.retain(|line| !found.contains(line));
    for line in &expect {
        if !reasons.remove(&(line.clone(), "theirs")) {
            unexplained.push(format!("{line}\ttheirs"));
        }
    }
    assert!(unexplained.is_empty(), "not explained:\n{}", unexplained.join("\n"));
    assert!(reasons.is_empty(), "no deviations any more: {reasons:?}");
    println!("{shared} of {all} members equal in {} scenarios", scenarios().len());
}
