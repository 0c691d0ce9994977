//! Both formats as the Salesforce command line converts them (`e2e/convert`).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use syncline_engine::org::convert::{Files, to_source};
use syncline_engine::org::deploy::{Asked, prepare};
use syncline_metadata::component::Project;
use syncline_metadata::package::PackageManifest;
use syncline_metadata::xml::{self, Document};
use syncline_salesforce::metadata::ZipReader;
use xtask::generate::{Format, SMALLEST, repository, write};

use crate::support::differences;

const ANSWERS: &str = include_str!("../../../../e2e/convert/answers.tsv");
const DEVIATIONS: &str = include_str!("../../../../e2e/convert/deviations.tsv");
const SEED: u64 = 5;

/// Both directions: `mdapi` and `source`.
type Sides = BTreeMap<(String, String), String>;

#[test]
fn both_formats_are_as_the_command_line_makes_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../e2e/convert");
    write(&repository(SMALLEST, SEED), Format::Source, folder.path()).expect("written");
    for (path, bytes) in files_of(&home.join("extra")) {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, bytes).expect("written");
    }
    let asked = Asked {
        folder: folder.path().to_owned(),
        ..Asked::default()
    };
    let made = prepare(&asked, "62.0".parse().expect("a version")).expect("prepared");
    assert!(made.left.is_empty(), "{:?}", made.left);
    let mdapi = unzipped(&made.zip);
    let json = fs::read_to_string(folder.path().join("sfdx-project.json")).expect("read");
    let project = Project::parse("", &json, None).expect("a project");
    let source = to_source(&project, &mdapi).expect("converted");
    assert!(source.left.is_empty(), "{:?}", source.left);
    let mut ours = Sides::new();
    tell(&mut ours, "mdapi", &mdapi);
    tell(&mut ours, "source", &source.files);

    if let Ok(oracle) = std::env::var("SYNCLINE_CONVERT_ORACLE") {
        return regenerate(&PathBuf::from(oracle), &home, &mdapi, &source.files);
    }
    let theirs: Sides = rows(ANSWERS)
        .map(|row| ((row[0].to_owned(), row[1].to_owned()), row[2].to_owned()))
        .collect();
    let mut deviations: BTreeMap<(String, String), &str> = rows(DEVIATIONS)
        .map(|row| ((row[0].to_owned(), row[1].to_owned()), row[2]))
        .collect();
    let all: BTreeSet<&(String, String)> = ours.keys().chain(theirs.keys()).collect();
    let (mut equal, mut known, mut wrong) = (0, 0, Vec::new());
    for place in &all {
        if ours.get(*place) == theirs.get(*place) {
            equal += 1;
        } else if deviations.remove(*place).is_some() {
            known += 1;
        } else {
            let (ours, theirs) = (ours.get(*place), theirs.get(*place));
            wrong.push(format!("{}\t{}\tours {ours:?}, theirs {theirs:?}", place.0, place.1));
        }
    }
    println!("{equal} of {} files and lists equal, {known} deviations", all.len());
    assert!(
        wrong.is_empty(),
        "{} of {} differ; `e2e/convert/regenerate.sh` says in what:\n{}",
        wrong.len(),
        all.len(),
        wrong.join("\n")
    );
    assert!(
        deviations.is_empty(),
        "deviations that are none any more: {deviations:?}"
    );
}

/// Writes the answers anew, from what the command line made, and says what is different.
fn regenerate(oracle: &Path, home: &Path, mdapi: &Files, source: &Files) {
    let mut theirs = Sides::new();
    let mut text =
        String::from("# Format, file or list of package.xml, digest of its meaning; written by regenerate.sh\n");
    for (format, ours) in [("mdapi", mdapi), ("source", source)] {
        let files = files_of(&oracle.join(format));
        tell(&mut theirs, format, &files);
        for line in differences(&files, ours) {
            println!("{format}: {line}");
        }
    }
    for ((format, path), digest) in &theirs {
        writeln!(text, "{format}\t{path}\t{digest}").expect("written");
    }
    fs::write(home.join("answers.tsv"), text).expect("written");
}

/// Adds the digests of files. The members of package.xml are told by type.
fn tell(sides: &mut Sides, format: &str, files: &Files) {
    for (path, bytes) in files {
        let mut put = |path: String, digest: String| sides.insert((format.to_owned(), path), digest);
        if path == "package.xml" {
            let text = std::str::from_utf8(bytes).expect("UTF-8");
            for (kind, members) in PackageManifest::parse(text).expect("a manifest").types {
                let members: Vec<&str> = members.iter().map(AsRef::as_ref).collect();
                put(format!("package.xml {kind}"), sha(members.join("\n").as_bytes()));
            }
        } else if !path.ends_with("sfdx-project.json") {
            put(path.clone(), meaning(bytes));
        }
    }
}

/// A digest of what a file means.
fn meaning(bytes: &[u8]) -> String {
    if bytes.starts_with(b"PK\x03\x04") {
        let inside = unzipped(bytes);
        let told: Vec<String> = inside
            .iter()
            .map(|(path, bytes)| format!("{path} {}", sha(bytes)))
            .collect();
        return sha(told.join("\n").as_bytes());
    }
    match Document::parse(bytes) {
        Ok(document) if xml::is_metadata(bytes) => {
            format!("{:032x}", xml::digest(document.root(), document.root_type()))[..16].to_owned()
        }
        _ => sha(bytes),
    }
}

fn sha(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn unzipped(zip: &[u8]) -> Files {
    let mut files = Files::new();
    ZipReader::open("read a zip", zip.to_vec())
        .and_then(|mut zip| {
            zip.each(|path, bytes| {
                files.insert(path.to_owned(), bytes);
                Ok::<_, syncline_salesforce::Error>(())
            })
        })
        .expect("a zip");
    files
}

/// All files below a folder.
fn files_of(root: &Path) -> Files {
    let mut files = Files::new();
    let mut open = vec![root.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else {
                let inside = path.strip_prefix(root).expect("inside").to_str().expect("UTF-8");
                files.insert(inside.to_owned(), fs::read(&path).expect("read"));
            }
        }
    }
    files
}

fn rows(text: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split('\t').collect())
}
