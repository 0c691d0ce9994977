//! Generated repositories: the same for the same seed, well-formed, with references closed and histories as ordered.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use xtask::generate::{
    Content, Element, File, Format, History, HistoryOptions, NAMESPACE, Repository, render, repository, write,
};

fn rendered(repository: &Repository, format: Format) -> BTreeMap<String, Vec<u8>> {
    let render_one = |indices: Vec<usize>| {
        render(
            &indices
                .iter()
                .map(|index| &repository.files[*index])
                .collect::<Vec<&File>>(),
        )
    };
    repository
        .outputs(format)
        .into_iter()
        .map(|(path, indices)| (path, render_one(indices)))
        .collect()
}

/// Texts of all elements of that name anywhere below a root of that type.
fn texts(repository: &Repository, root: &str, element: &str) -> BTreeSet<String> {
    fn walk(node: &Element, name: &str, found: &mut BTreeSet<String>) {
        for child in node.children() {
            match &child.body {
                xtask::generate::Body::Text(text) if child.name == name => drop(found.insert(text.clone())),
                _ => walk(child, name, found),
            }
        }
    }
    let mut found = BTreeSet::new();
    for file in &repository.files {
        if let Content::Xml(xml) = &file.content
            && xml.name == root
        {
            walk(xml, element, &mut found);
        }
    }
    found
}

fn names(repository: &Repository, kind: &str) -> BTreeSet<String> {
    repository
        .names()
        .get(kind)
        .into_iter()
        .flatten()
        .map(|name| (*name).to_owned())
        .collect()
}

#[test]
fn one_seed_gives_one_repository_of_the_size_asked_for() {
    let (first, second) = (repository(1500, 3), repository(1500, 3));
    assert_eq!(rendered(&first, Format::Source), rendered(&second, Format::Source));
    assert_ne!(
        rendered(&first, Format::Source),
        rendered(&repository(1500, 4), Format::Source)
    );
    assert_eq!(first.components(), 1500);
}

#[test]
fn every_metadata_file_is_well_formed_in_both_formats() {
    let generated = repository(800, 11);
    for format in [Format::Source, Format::Mdapi] {
        for (path, bytes) in rendered(&generated, format) {
            if bytes.starts_with(b"<?xml") {
                let text = String::from_utf8(bytes).expect("UTF-8");
                let document = roxmltree::Document::parse(&text).unwrap_or_else(|error| panic!("{path}: {error}"));
                assert_eq!(
                    document.root_element().tag_name().namespace(),
                    Some(NAMESPACE),
                    "{path}"
                );
            }
        }
    }
}

#[test]
fn metadata_format_holds_children_in_the_object() {
    let generated = repository(800, 11);
    let source = rendered(&generated, Format::Source);
    let fields = source.keys().filter(|path| path.contains("/Account/fields/")).count();
    let mdapi = rendered(&generated, Format::Mdapi);
    let account = String::from_utf8(mdapi["src/objects/Account.object"].clone()).expect("UTF-8");
    assert!(fields > 0);
    assert_eq!(account.matches("    <fields>\n").count(), fields);
    assert!(!mdapi.keys().any(|path| path.contains("profile-meta.xml")));
}

#[test]
fn references_are_closed() {
    let generated = repository(2500, 5);
    let (objects, fields, classes) = (
        names(&generated, "CustomObject"),
        names(&generated, "CustomField"),
        names(&generated, "ApexClass"),
    );
    let custom = |found: BTreeSet<String>| {
        found
            .into_iter()
            .filter(|name| name.ends_with("__c"))
            .collect::<Vec<_>>()
    };
    for root in ["Profile", "PermissionSet"] {
        for name in custom(texts(&generated, root, "field")) {
            assert!(fields.contains(&name), "{root} names the field {name}");
        }
        for (element, known) in [
            ("object", &objects),
            ("apexClass", &classes),
            ("recordType", &names(&generated, "RecordType")),
            ("flow", &names(&generated, "Flow")),
            ("apexPage", &names(&generated, "ApexPage")),
            ("application", &names(&generated, "CustomApplication")),
        ] {
            for name in texts(&generated, root, element) {
                assert!(known.contains(&name), "{root} names the {element} {name}");
            }
        }
    }
    for (root, element, known) in [
        ("CustomField", "referenceTo", objects.clone()),
        ("CustomField", "valueSetName", names(&generated, "GlobalValueSet")),
        ("Flow", "flowName", names(&generated, "Flow")),
        ("Flow", "actionName", classes.clone()),
        ("Profile", "layout", names(&generated, "Layout")),
        ("Dashboard", "report", names(&generated, "Report")),
        ("Workflow", "template", names(&generated, "EmailTemplate")),
        ("Queue", "role", names(&generated, "Role")),
        ("Role", "parentRole", names(&generated, "Role")),
        (
            "ApprovalProcess",
            "name",
            names(&generated, "Queue")
                .into_iter()
                .chain(["Team_Lead", "Department"].map(str::to_owned))
                .collect(),
        ),
        ("SharingRules", "group", names(&generated, "Group")),
        (
            "PermissionSetGroup",
            "permissionSets",
            names(&generated, "PermissionSet"),
        ),
    ] {
        for name in texts(&generated, root, element) {
            assert!(known.contains(&name), "{root} names the {element} {name}");
        }
    }
    for file in &generated.files {
        let Content::Xml(root) = &file.content else { continue };
        let single = Repository {
            files: vec![file.clone()],
        };
        if root.name == "Flow" {
            let elements = texts(&single, "Flow", "name");
            assert!(
                texts(&single, "Flow", "targetReference").is_subset(&elements),
                "{}",
                file.component.1
            );
        }
        if root.name == "Layout" {
            let (object, _) = file.component.1.split_once('-').expect("a layout names its object");
            for field in custom(texts(&single, "Layout", "field")) {
                assert!(
                    fields.contains(&format!("{object}.{field}")),
                    "{} shows {field}",
                    file.component.1
                );
            }
        }
    }
}

#[test]
fn the_widest_profile_of_a_large_org_has_ten_thousand_entries() {
    let generated = repository(15_500, 1);
    let admin = generated
        .files
        .iter()
        .find(|file| &*file.component.1 == "Admin")
        .expect("a profile");
    let Content::Xml(root) = &admin.content else {
        panic!("a profile is XML")
    };
    assert!(root.children().len() >= 10_000, "{} entries", root.children().len());
    let bytes = admin.content.bytes().len();
    assert!(bytes >= 2_500_000, "{bytes} bytes");
}

fn git(folder: &Path, arguments: &[&str]) -> Vec<String> {
    let output = Command::new("git")
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("git runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(str::to_owned)
        .collect()
}

#[test]
fn a_history_has_the_branches_overlaps_and_conflicts_ordered() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = HistoryOptions {
        hotfix: 60,
        branches: 2,
        own: 20,
        overlap: 10,
        conflicts: 3,
        bare: false,
    };
    let generated = repository(900, 2);
    let history = History::write(&generated, 2, Format::Source, &options, folder.path()).expect("a history");
    assert_eq!(git(folder.path(), &["status", "--porcelain"]), Vec::<String>::new());
    assert_eq!(
        git(folder.path(), &["ls-tree", "-r", "--name-only", "main"]).len(),
        history.files
    );
    for branch in &history.branches {
        let differing = git(
            folder.path(),
            &[
                "-c",
                "core.quotePath=false",
                "diff",
                "--no-renames",
                "--name-only",
                "main",
                &branch.name,
            ],
        );
        assert_eq!(
            differing.into_iter().collect::<BTreeSet<_>>(),
            branch.changed,
            "{}",
            branch.name
        );
    }
    let production = &history.branches[0].changed;
    for branch in &history.branches[1..] {
        assert_eq!(branch.conflicting.len(), 3, "{}", branch.name);
        assert_eq!(branch.changed.intersection(production).count(), 13, "{}", branch.name);
    }
    let again = tempfile::tempdir().expect("a folder");
    History::write(&generated, 2, Format::Source, &options, again.path()).expect("a history");
    assert_eq!(
        git(folder.path(), &["rev-parse", "production", "uat"]),
        git(again.path(), &["rev-parse", "production", "uat"])
    );
}

#[test]
fn a_folder_with_files_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("mine.txt"), "mine").expect("written");
    let refused = write(&repository(400, 1), Format::Source, folder.path()).expect_err("not empty");
    assert!(
        refused
            .to_string()
            .ends_with("is not empty; name a folder that is empty or not there yet")
    );
}
