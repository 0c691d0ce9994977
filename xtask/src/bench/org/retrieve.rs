//! A retrieve by package.xml into a project in source format; curl gets the same zip and leaves it as it came.

use super::{API, LARGE, Setup, curl, json, make, rows, shown, write};
use crate::bench::Bench;
use crate::bench::measure::{Contender, Usage, in_turns};
use crate::bench::report::Row;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use xtask::generate::NAMESPACE;

/// Types that are retrieved. Children of objects come with their objects.
const TYPES: [&str; 4] = ["CustomObject", "PermissionSet", "RemoteSiteSetting", "ApexClass"];
pub(super) const PROJECT: &str =
    "{\"packageDirectories\": [{\"path\": \"force-app\", \"default\": true}], \"sourceApiVersion\": \"67.0\"}\n";

/// Runs the benchmark.
pub(super) fn run(bench: &mut Bench, setup: &Setup) -> Vec<Row> {
    let title = format!("retrieve of {} components", setup.sizes.retrieved);
    measure(bench, setup, &title).unwrap_or_else(|why| vec![Row::failed(&title, why)])
}

fn measure(bench: &mut Bench, setup: &Setup, title: &str) -> Result<Vec<Row>, String> {
    let types = manifest(setup)?;
    let files = files(&types);
    let folder = setup.folder.join("retrieve");
    make(&folder)?;
    let manifest = folder.join("package.xml");
    let inner = package(&types);
    write(
        &manifest,
        &format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Package xmlns=\"{NAMESPACE}\">{inner}</Package>\n"),
    )?;
    let (ours, theirs, plain) = (folder.join("ours"), folder.join("theirs"), folder.join("plain"));
    let scratch = &setup.folder;
    let contenders: Vec<Contender<'_, Usage>> = vec![
        Box::new(|| {
            let ours = project(&ours)?;
            let arguments = [
                "org",
                "retrieve",
                LARGE,
                "--json",
                "-o",
                ".",
                "--manifest",
                &shown(&manifest),
            ];
            let (usage, output) = setup.syncline(bench, &ours).args(arguments).used(scratch)?;
            let written = json(&output)?["written"].as_u64();
            enough("syncline org retrieve", written.unwrap_or(0), files)?;
            Ok(usage)
        }),
        Box::new(|| {
            let theirs = project(&theirs)?;
            let arguments = [
                "project",
                "retrieve",
                "start",
                "--json",
                "--wait",
                "60",
                "--target-org",
                LARGE,
            ];
            let run = setup
                .sf(&theirs)
                .args(arguments)
                .args(["--manifest", &shown(&manifest)]);
            let (usage, output) = run.used(scratch)?;
            let written = json(&output)?["result"]["files"].as_array().map_or(0, Vec::len);
            enough("sf project retrieve start", written as u64, files)?;
            Ok(usage)
        }),
        Box::new(|| plainly(setup, &plain, &inner)),
    ];
    let measured = in_turns(bench.rounds(5), contenders);
    let sent = std::fs::metadata(plain.join("zip.xml")).map_or(0, |file| file.len());
    bench.notes.push(format!(
        "{title}: of an org with {}; {files} files in Metadata API format, {} of XML with the zip. syncline and sf turn them into \
         source format, curl keeps the answer as it is.",
        setup.sizes.components,
        crate::bench::measure::megabytes(sent)
    ));
    Ok(rows(title, "sf project retrieve start", measured))
}

/// An empty project, a new one each time: where many files were deleted just before, some file systems are slow to make new ones.
fn project(folder: &Path) -> Result<PathBuf, String> {
    let number = std::fs::read_dir(folder).map_or(0, Iterator::count);
    let folder = folder.join(number.to_string());
    make(&folder.join("force-app"))?;
    write(&folder.join("sfdx-project.json"), PROJECT)?;
    Ok(folder)
}

/// In source format there are more files, since objects fall apart.
fn enough(who: &str, written: u64, files: usize) -> Result<(), String> {
    if written >= files as u64 {
        return Ok(());
    }
    Err(format!("{who} brought {written} files, there are at least {files}"))
}

/// The retrieve by two requests of curl, the second of which gets the zip.
fn plainly(setup: &Setup, folder: &Path, package: &str) -> Result<Usage, String> {
    make(folder)?;
    let org = setup.large()?;
    let ask = |operation: &str, inner: &str, answer: &Path| {
        let body = folder.join("body.xml");
        let text = format!(
            "<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns=\"{NAMESPACE}\"><e:Header><SessionHeader>\
             <sessionId>{}</sessionId></SessionHeader></e:Header><e:Body><{operation}>{inner}</{operation}></e:Body></e:Envelope>",
            org.token
        );
        write(&body, &text)?;
        let url = format!("{}/services/Soap/m/{API}", org.url);
        let data = format!("@{}", shown(&body));
        let headers = ["--header", "Content-Type: text/xml", "--header", "SOAPAction: \"\""];
        let run = curl(org, folder)
            .args(headers)
            .args(["--data-binary", &data, "--output", &shown(answer), &url]);
        run.used(&setup.folder).map(|(usage, _)| usage)
    };
    let started = folder.join("started.xml");
    let request = format!(
        "<retrieveRequest><singlePackage>true</singlePackage><unpackaged>{package}</unpackaged></retrieveRequest>"
    );
    let first = ask("retrieve", &request, &started)?;
    let text = std::fs::read_to_string(&started).map_err(|error| error.to_string())?;
    let id = between(&text, "<id>", "</id>")
        .ok_or("retrieve() gave no id")?
        .to_owned();
    let status = format!("<asyncProcessId>{id}</asyncProcessId><includeZip>true</includeZip>");
    let zip = folder.join("zip.xml");
    let second = ask("checkRetrieveStatus", &status, &zip)?;
    let text = std::fs::read_to_string(&zip).map_err(|error| error.to_string())?;
    if between(&text, "<status>", "</status>") != Some("Succeeded") || !text.contains("<zipFile>") {
        return Err("checkRetrieveStatus() gave no zip".to_owned());
    }
    Ok(first.then(second))
}

fn between<'t>(text: &'t str, start: &str, end: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(start)?;
    rest.split_once(end).map(|(inner, _)| inner)
}

/// Components of an org, by type.
pub(super) fn components(setup: &Setup) -> Result<BTreeMap<String, Vec<String>>, String> {
    let told = setup.large()?.control("components")?;
    let mut types: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for component in told["components"].as_array().into_iter().flatten() {
        if let (Some(kind), Some(name)) = (component["type"].as_str(), component["name"].as_str()) {
            types.entry(kind.to_owned()).or_default().push(name.to_owned());
        }
    }
    Ok(types)
}

/// Members that make as many components as are wanted, children counted: all but classes, then classes.
fn manifest(setup: &Setup) -> Result<BTreeMap<&'static str, Vec<String>>, String> {
    let mut all = components(setup)?;
    let mut left = setup.sizes.retrieved;
    let mut types = BTreeMap::new();
    let fields = all.remove("CustomField").unwrap_or_default();
    for name in TYPES {
        let mut members = all.remove(name).unwrap_or_default();
        if name == "CustomObject" {
            members.retain(|object| object.ends_with("__c"));
            let own = |field: &&String| field.split_once('.').is_some_and(|(object, _)| object.ends_with("__c"));
            left = left.saturating_sub(fields.iter().filter(own).count());
        }
        members.truncate(left);
        left -= members.len();
        types.insert(name, members);
    }
    match left {
        0 => Ok(types),
        missing => Err(format!("the org has {missing} components too few")),
    }
}

/// Files that the members make in Metadata API format.
fn files(types: &BTreeMap<&'static str, Vec<String>>) -> usize {
    let files = |(name, members): (&&str, &Vec<String>)| members.len() * if *name == "ApexClass" { 2 } else { 1 };
    types.iter().map(files).sum()
}

fn package(types: &BTreeMap<&'static str, Vec<String>>) -> String {
    let mut text = String::new();
    for (name, members) in types {
        text.push_str("<types>");
        for member in members {
            text.push_str(&format!("<members>{member}</members>"));
        }
        text.push_str(&format!("<name>{name}</name></types>"));
    }
    text + &format!("<version>{API}</version>")
}
