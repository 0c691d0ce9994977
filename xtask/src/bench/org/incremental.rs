//! A snapshot since the last one: what changed, and what has no date that can be trusted.

use super::retrieve::{PROJECT, components};
use super::{LARGE, Setup, json, make, write};
use crate::bench::Bench;
use crate::bench::measure::{Run, Spread};
use crate::bench::report::{Row, Target};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

const CHANGED: usize = 3;

/// Runs the benchmark.
pub(super) fn run(bench: &mut Bench, setup: &Setup) -> Vec<Row> {
    let title = format!("snapshot since the last one, {CHANGED} classes changed");
    measure(bench, setup, &title).unwrap_or_else(|why| vec![Row::failed(&title, why)])
}

fn measure(bench: &mut Bench, setup: &Setup, title: &str) -> Result<Vec<Row>, String> {
    let folder = setup.folder.join("snapshot");
    make(&folder)?;
    write(&folder.join("sfdx-project.json"), PROJECT)?;
    for arguments in [
        &["init", "--quiet"][..],
        &["config", "user.name", "Bench"],
        &["config", "user.email", "bench@example.com"],
        &["add", "--all"],
        &["commit", "--quiet", "--message", "project"],
    ] {
        Run::new("git", &folder).args(arguments.iter().copied()).go()?;
    }
    let types = components(setup)?;
    let (whole, first) = snapshot(bench, setup, &folder, &[])?;
    // Nothing changed: what comes all the same has no date that can be trusted.
    let (_, still) = snapshot(bench, setup, &folder, &["--since", "last"])?;
    deploy(bench, setup, &types)?;
    let (part, since) = snapshot(bench, setup, &folder, &["--since", "last"])?;
    let number = |value: &Value, name: &str| value[name].as_u64().unwrap_or(0);
    let (all, always, taken) = (
        number(&first, "retrieved"),
        number(&still, "retrieved"),
        number(&since, "retrieved"),
    );
    let dated = dated(&types);
    let right = taken == always + CHANGED as u64
        && number(&since, "unchanged") + CHANGED as u64 == number(&still, "unchanged")
        && all - always >= dated
        && since["changed"] == true
        && still["changed"] == false;
    let expected = always + CHANGED as u64;
    let one = |time: Duration| Spread::of(vec![time]).ok_or_else(|| "no runs".to_owned());
    bench.notes.push(format!(
        "{title}: of {all} components {always} come each time, because they have no date that can be trusted or tell only about what \
         comes with them (profiles, permission sets)."
    ));
    Ok(vec![
        Row::limit(
            &format!("{title}, components retrieved"),
            format!("{taken} of {all}"),
            "–".to_owned(),
            format!("{CHANGED} + {always} that come each time = {expected}"),
            right,
        ),
        Row::compare(title, Target::None, "syncline, all components", &one(part), &one(whole)),
    ])
}

/// Takes a snapshot; gives the time and what the command told.
fn snapshot(bench: &Bench, setup: &Setup, folder: &Path, more: &[&str]) -> Result<(Duration, Value), String> {
    let run = setup
        .syncline(bench, folder)
        .args(["org", "retrieve", LARGE, "--snapshot", "--json"]);
    // 1: the org could not give something.
    let (time, output) = run.args(more.iter().copied()).accept([0, 1]).timed()?;
    Ok((time, json(&output)?))
}

/// Components whose dates can be trusted for certain.
fn dated(types: &BTreeMap<String, Vec<String>>) -> u64 {
    let count = |name: &str| types.get(name).map_or(0, Vec::len) as u64;
    count("ApexClass") + count("RemoteSiteSetting")
}

/// Deploys other bodies for a few classes.
fn deploy(bench: &Bench, setup: &Setup, types: &BTreeMap<String, Vec<String>>) -> Result<(), String> {
    let folder = setup.folder.join("changed");
    make(&folder.join("classes"))?;
    let classes = types.get("ApexClass").ok_or("the org has no classes")?;
    for name in classes.iter().take(CHANGED) {
        let body = folder.join(format!("classes/{name}.cls"));
        let meta = folder.join(format!("classes/{name}.cls-meta.xml"));
        write(&body, &format!("public class {name} {{\n}}\n"))?;
        let inner = "    <apiVersion>66.0</apiVersion>\n    <status>Active</status>\n";
        write(
            &meta,
            &format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ApexClass xmlns=\"{}\">\n{inner}</ApexClass>\n",
                xtask::generate::NAMESPACE
            ),
        )?;
    }
    let arguments = ["org", "deploy", LARGE, ".", "--tests", "NoTestRun"];
    setup.syncline(bench, &folder).args(arguments).go()
}
