//! Compares `locate` with the answers of the Salesforce library (`e2e/identity/oracle.mjs`) for all types.

use std::collections::{BTreeMap, BTreeSet};

use syncline_metadata::component::{Located, Project};

const ANSWERS: &str = include_str!("../../../e2e/identity/answers.tsv");
const DEVIATIONS: &str = include_str!("../../../e2e/identity/deviations.tsv");

fn lines(text: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split('\t').collect())
}

fn project(presets: &str) -> Project {
    let options = match presets {
        "-" => String::new(),
        name => format!("\"{name}\""),
    };
    let text = format!(
        r#"{{"packageDirectories":[{{"path":"force-app"}},{{"path":"src"}}],"sourceBehaviorOptions":[{options}]}}"#
    );
    Project::parse("", &text, None).expect("valid project")
}

fn answer(located: &Located) -> String {
    match located {
        Located::Component(file) => file.id.to_string(),
        _ => "-".to_owned(),
    }
}

#[test]
fn agrees_with_the_library() {
    let deviations: BTreeMap<(&str, &str), &str> = lines(DEVIATIONS)
        .map(|fields| ((fields[0], fields[1]), fields[2]))
        .collect();
    let mut projects = BTreeMap::new();
    let mut used = BTreeSet::new();
    let mut types = BTreeSet::new();
    let (mut asked, mut equal) = (0, 0);
    let mut wrong = Vec::new();
    for fields in lines(ANSWERS) {
        let [presets, path, expect] = fields[..] else {
            panic!("three fields: {fields:?}")
        };
        let project = projects.entry(presets).or_insert_with(|| project(presets));
        let found = answer(&project.locate(path));
        asked += 1;
        types.extend(found.split_once(':').map(|(name, _)| name.to_owned()));
        // A refusal of the library and "no component" are the same to us.
        if found == expect.replace('!', "-") {
            equal += 1;
        } else if deviations.get(&(presets, path)) == Some(&found.as_str()) {
            used.insert((presets, path));
        } else {
            wrong.push(format!("{presets}\t{path}\t{found}\t(library: {expect})"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {asked} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert_eq!(used.len(), deviations.len(), "deviations that are none any more");
    assert_eq!(equal + used.len(), asked);
    println!(
        "{equal} of {asked} answers equal, {} deviations, {} types",
        used.len(),
        types.len()
    );
    let all: Vec<_> = projects["-"]
        .registry()
        .types()
        .iter()
        .filter(|kind| kind.alias_for.is_none())
        .collect();
    let missing: Vec<_> = all
        .iter()
        .filter(|kind| !types.contains(kind.name))
        .map(|kind| kind.name)
        .collect();
    assert!(missing.is_empty(), "types without a path: {missing:?}");
}
