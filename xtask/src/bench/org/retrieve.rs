//! A retrieve by package.xml into a project in source format; curl gets the same zips and leaves them as they come.

use super::{API, LARGE, Setup, WITHIN, compare, json, make, rows, shown, write};
use crate::bench::Bench;
use crate::bench::measure::{Contender, Run, Usage, in_turns, megabytes};
use crate::bench::report::{Row, Target};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use xtask::generate::NAMESPACE;

/// Members by type.
type Types = BTreeMap<&'static str, Vec<String>>;

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
    let (ours, flat, theirs, plain) = (
        folder.join("ours"),
        folder.join("flat"),
        folder.join("theirs"),
        folder.join("plain"),
    );
    let scratch = &setup.folder;
    let manifest = shown(&manifest);
    let retrieve = |folder: &Path| {
        let arguments = ["org", "retrieve", LARGE, "--json", "-o", ".", "--manifest", &manifest];
        let (usage, output) = setup.syncline(bench, folder).args(arguments).used(scratch)?;
        let written = json(&output)?["written"].as_u64();
        enough("syncline org retrieve", written.unwrap_or(0), files)?;
        Ok(usage)
    };
    // How many retrieves syncline makes of it, told by the org.
    let before = calls(setup)?.len();
    retrieve(&project(&ours)?)?;
    let mine = calls(setup)?.split_off(before);
    let parts = parts(&types, mine.len() / 2);
    let before = calls(setup)?.len();
    plainly(setup, &plain, &parts)?;
    let plain_calls = calls(setup)?.split_off(before);
    let contenders: Vec<Contender<'_, Usage>> = vec![
        Box::new(|| retrieve(&project(&ours)?)),
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
            let run = setup.sf(&theirs).args(arguments).args(["--manifest", &manifest]);
            let (usage, output) = run.used(scratch)?;
            let written = json(&output)?["result"]["files"].as_array().map_or(0, Vec::len);
            enough("sf project retrieve start", written as u64, files)?;
            Ok(usage)
        }),
        Box::new(|| plainly(setup, &plain, &parts)),
        Box::new(|| retrieve(&fresh(&flat)?)),
        Box::new(|| copied(&ours, &folder.join("copies"), scratch)),
    ];
    let mut measured = in_turns(bench.rounds(5), contenders);
    let copied = measured.pop().unwrap_or_else(|| Err("no runs".to_owned()));
    let flat = measured.pop().unwrap_or_else(|| Err("no runs".to_owned()));
    let sent = |calls: &[u64]| format!("{} requests with {}", calls.len(), megabytes(calls.iter().sum()));
    let answers = (0..parts.len()).map(|number| plain.join(format!("check-{number}.out")));
    let got = answers
        .map(|path| std::fs::metadata(path).map_or(0, |file| file.len()))
        .sum();
    bench.notes.push(format!(
        "{title}: of an org with {}; {files} files in Metadata API format. The Metadata API saw {} of syncline, {} of curl, which \
         gets {} of answers. curl sends its requests at once on connections in parallel, does not wait between them since the \
         simulator has done the work by then, and keeps the answers as they come, one file each. syncline and sf unpack them, turn \
         them into source format and write one file for each part; `cp -r` of these files alone takes {}.",
        setup.sizes.components,
        sent(&mine),
        sent(&plain_calls),
        megabytes(got),
        super::spread(&copied, |usage| usage.wall).map_or_else(|why| why, |spread| spread.shown()),
    ));
    let flat = compare(
        &format!("{title}, in Metadata API format"),
        Target::Within(WITHIN),
        "curl",
        (&flat, &measured[2]),
        |usage| usage.wall,
    );
    let mut rows = rows(title, "sf project retrieve start", measured);
    rows.push(flat);
    Ok(rows)
}

/// Bytes of the requests to the Metadata API that the org answered, in their order.
fn calls(setup: &Setup) -> Result<Vec<u64>, String> {
    let told = setup.large()?.control(&format!("log?org={LARGE}"))?;
    let requests = told["requests"].as_array().into_iter().flatten();
    let soap = requests.filter(|request| request["path"].as_str().is_some_and(|path| path.contains("/Soap/m/")));
    Ok(soap.filter_map(|request| request["body"].as_u64()).collect())
}

/// Copies what the first retrieve wrote.
fn copied(from: &Path, to: &Path, scratch: &Path) -> Result<Usage, String> {
    make(to)?;
    let number = std::fs::read_dir(to).map_or(0, Iterator::count);
    let run = Run::new("cp", scratch).args(["-r", &shown(&from.join("0")), &shown(&to.join(number.to_string()))]);
    run.used(scratch).map(|(usage, _)| usage)
}

/// Folders of a folder are numbered.
fn fresh(folder: &Path) -> Result<PathBuf, String> {
    let number = std::fs::read_dir(folder).map_or(0, Iterator::count);
    let folder = folder.join(number.to_string());
    make(&folder)?;
    Ok(folder)
}

/// An empty project, a new one each time: where many files were deleted just before, some file systems are slow to make new ones.
fn project(folder: &Path) -> Result<PathBuf, String> {
    let folder = fresh(folder)?;
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

/// The members of each retrieve: permission sets in all, as they tell about what comes with them, the others shared out.
fn parts(types: &Types, count: usize) -> Vec<Types> {
    let mut parts = vec![Types::new(); count.max(1)];
    let weight = |name: &str| if name == "ApexClass" { 2 } else { 1 };
    let others = || types.iter().filter(|(name, _)| **name != "PermissionSet");
    let whole: usize = others().map(|(name, members)| weight(name) * members.len()).sum();
    let mut done = 0;
    for (name, members) in others() {
        for member in members {
            let at = (done * parts.len() / whole.max(1)).min(parts.len() - 1);
            parts[at].entry(name).or_default().push(member.clone());
            done += weight(name);
        }
    }
    for part in &mut parts {
        part.extend(
            types
                .iter()
                .filter(|(name, _)| **name == "PermissionSet")
                .map(|(name, members)| (*name, members.clone())),
        );
    }
    parts
}

/// The retrieves by curl: all are started at once, then all zips are got at once.
fn plainly(setup: &Setup, folder: &Path, parts: &[Types]) -> Result<Usage, String> {
    make(folder)?;
    let started = parts.iter().map(|types| {
        let package = package(types);
        ("retrieve", format!("<retrieveRequest><singlePackage>true</singlePackage><unpackaged>{package}</unpackaged></retrieveRequest>"))
    });
    let (first, answers) = soap(setup, folder, "start", started.collect())?;
    let mut checks = Vec::new();
    for answer in &answers {
        let id = between(answer, "<id>", "</id>").ok_or("retrieve() gave no id")?;
        checks.push((
            "checkRetrieveStatus",
            format!("<asyncProcessId>{id}</asyncProcessId><includeZip>true</includeZip>"),
        ));
    }
    let (second, answers) = soap(setup, folder, "check", checks)?;
    let has_zip =
        |text: &String| between(text, "<status>", "</status>") == Some("Succeeded") && text.contains("<zipFile>");
    if !answers.iter().all(has_zip) {
        return Err("checkRetrieveStatus() gave no zip".to_owned());
    }
    Ok(first.then(second))
}

/// Calls of the Metadata API by one curl, in parallel.
fn soap(setup: &Setup, folder: &Path, name: &str, calls: Vec<(&str, String)>) -> Result<(Usage, Vec<String>), String> {
    let org = setup.large()?;
    let mut run = Run::new("curl", folder).args(["--parallel"]);
    let file = |number: usize, kind: &str| folder.join(format!("{name}-{number}.{kind}"));
    for (number, (operation, inner)) in calls.iter().enumerate() {
        let text = format!(
            "<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns=\"{NAMESPACE}\"><e:Header><SessionHeader>\
             <sessionId>{}</sessionId></SessionHeader></e:Header><e:Body><{operation}>{inner}</{operation}></e:Body></e:Envelope>",
            org.token
        );
        write(&file(number, "xml"), &text)?;
        if number > 0 {
            run = run.args(["--next"]);
        }
        run = run
            .args(["--silent", "--show-error", "--fail", "--no-progress-meter"])
            .args(["--header", "Content-Type: text/xml", "--header", "SOAPAction: \"\""])
            .args(["--data-binary".to_owned(), format!("@{}", shown(&file(number, "xml")))])
            .args(["--output".to_owned(), shown(&file(number, "out"))])
            .args([format!("{}/services/Soap/m/{API}", org.url)]);
    }
    let (usage, _) = run.used(&setup.folder)?;
    let read = |number| std::fs::read_to_string(file(number, "out")).map_err(|error| error.to_string());
    let answers = (0..calls.len()).map(read).collect::<Result<_, _>>()?;
    Ok((usage, answers))
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
fn manifest(setup: &Setup) -> Result<Types, String> {
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
fn files(types: &Types) -> usize {
    let files = |(name, members): (&&str, &Vec<String>)| members.len() * if *name == "ApexClass" { 2 } else { 1 };
    types.iter().map(files).sum()
}

fn package(types: &Types) -> String {
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
