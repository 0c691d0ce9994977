//! Parts of a change: commits, components, elements, and what they need.

use syncline_engine::back_promote::{Base, Outcome, Report, Request, Selection, back_promote};

use crate::sandbox::{NOW, ROOT, Sandbox, field, owner, profile, profile_path, request, told};

/// `main` adds a field with a layout that shows it, another field, and changes the profile and the class.
fn changed() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.on("main", |s| {
        s.write(
            &format!("{ROOT}/objects/Case__c/Case__c.object-meta.xml"),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<CustomObject xmlns=\"http://soap.sforce.com/2006/04/metadata\">\n    \
             <label>Case</label>\n</CustomObject>\n",
        );
        for name in ["Size__c", "Other__c"] {
            let (path, text) = field("Case__c", name, "    <type>Text</type>\n");
            s.write(&path, &text);
        }
        s.write(
            &format!("{ROOT}/layouts/Case__c-Main.layout-meta.xml"),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Layout xmlns=\"http://soap.sforce.com/2006/04/metadata\">\n    \
             <layoutSections>\n        <layoutColumns>\n            <layoutItems>\n                <behavior>Edit</behavior>\n                \
             <field>Size__c</field>\n            </layoutItems>\n        </layoutColumns>\n    </layoutSections>\n</Layout>\n",
        );
        s.write(&profile_path("Admin"), &profile(&[("A", "false"), ("B", "true"), ("C", "false")]));
    });
    sandbox
}

fn promote(sandbox: &Sandbox, components: &[&str], elements: &[&str]) -> Report {
    let selection = Selection {
        components: components.iter().map(|text| text.parse().unwrap()).collect(),
        elements: elements.iter().map(|text| text.parse().unwrap()).collect(),
    };
    sandbox.promote_only("main", &["uat"], selection)
}

fn files(report: &Report) -> Vec<String> {
    match &report.targets[0].outcome {
        Outcome::Done { files, .. } => files
            .iter()
            .map(|file| file.path.rsplit('/').next().unwrap().to_owned())
            .collect(),
        other => panic!("{other:?}"),
    }
}

fn needed(report: &Report) -> Vec<String> {
    match &report.targets[0].outcome {
        Outcome::Done { pulled_in, .. } => pulled_in
            .iter()
            .map(|needed| format!("{} ← {}", needed.component, needed.because[0].component))
            .collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_component_comes_with_what_it_needs() {
    let sandbox = changed();
    let before = sandbox.rev("uat");
    let report = promote(&sandbox, &["Layout:Case__c-Main"], &[]);
    assert_eq!(told(&report), "uat done");
    assert_eq!(
        files(&report),
        [
            "Case__c-Main.layout-meta.xml",
            "Case__c.object-meta.xml",
            "Size__c.field-meta.xml"
        ]
    );
    let needed = needed(&report);
    assert!(
        needed.contains(&"CustomField:Case__c.Size__c ← Layout:Case__c-Main".to_owned()),
        "{needed:?}"
    );
    assert_eq!(needed.len(), 2, "{needed:?}");
    // One parent: not all of the source has come.
    assert_eq!(sandbox.git(&["log", "-1", "--format=%P", "uat"]).trim(), before);
    let message = sandbox.git(&["log", "-1", "--format=%B", "uat"]);
    assert!(message.contains("Syncline-Selection: Layout:Case__c-Main"), "{message}");
    assert!(
        message.contains("Syncline-Pulled-In: CustomField:Case__c.Size__c"),
        "{message}"
    );
    assert_eq!(sandbox.git(&["for-each-ref", "refs/syncline"]), "");
    // Again: nothing is left of the selection; the whole brings the rest.
    assert_eq!(told(&promote(&sandbox, &["Layout:*"], &[])), "uat nothing");
    assert_eq!(told(&sandbox.promote("main", &["uat"])), "uat done");
    assert_eq!(sandbox.rev("uat^{tree}"), sandbox.rev("main^{tree}"));
}

#[test]
fn what_is_there_is_not_pulled_in() {
    let sandbox = changed();
    let (path, text) = field("Case__c", "Size__c", "    <type>Text</type>\n");
    let object = format!("{ROOT}/objects/Case__c/Case__c.object-meta.xml");
    let object_text = sandbox.read("main", &object).unwrap();
    sandbox.on("uat", |s| {
        s.write(&path, &text);
        s.write(&object, &object_text);
    });
    let report = promote(&sandbox, &["Layout:*"], &[]);
    assert_eq!(files(&report), ["Case__c-Main.layout-meta.xml"]);
    assert_eq!(needed(&report), [""; 0]);
}

#[test]
fn an_object_selects_its_fields() {
    let sandbox = changed();
    let report = promote(&sandbox, &["CustomObject:Case__c"], &[]);
    assert_eq!(
        files(&report),
        [
            "Case__c.object-meta.xml",
            "Other__c.field-meta.xml",
            "Size__c.field-meta.xml"
        ]
    );
}

#[test]
fn needed_but_deleted_in_the_target() {
    let sandbox = changed();
    sandbox.promote("main", &["uat", "dev"]);
    let size = format!("{ROOT}/objects/Case__c/fields/Size__c.field-meta.xml");
    let layout = format!("{ROOT}/layouts/Case__c-Main.layout-meta.xml");
    let text = sandbox.read("main", &layout).unwrap();
    sandbox.on("main", |s| s.write(&layout, &text.replace("Size__c", "Other__c")));
    sandbox.promote("main", &["uat"]);
    sandbox.on("main", |s| s.write(&layout, &text));
    sandbox.on("uat", |s| drop(s.git(&["rm", "--quiet", &size])));
    let report = promote(&sandbox, &["Layout:*"], &[]);
    assert_eq!(told(&report), "uat conflicts 1");
    let Outcome::Conflicts { conflicts, .. } = &report.targets[0].outcome else {
        panic!()
    };
    assert_eq!(conflicts[0].path.to_string(), "CustomField:Case__c.Size__c");
    assert!(conflicts[0].note.as_deref().unwrap().contains("needs it"));
}

#[test]
fn one_element() {
    let sandbox = changed();
    let element = "Profile:Admin/fieldPermissions[field=Account.A__c]";
    let report = promote(&sandbox, &[], &[element]);
    assert_eq!(files(&report), ["Admin.profile-meta.xml"]);
    let expect = profile(&[("A", "false"), ("B", "true"), ("C", "true")]);
    assert_eq!(sandbox.read("uat", &profile_path("Admin")), Some(expect));
    let message = sandbox.git(&["log", "-1", "--format=%B", "uat"]);
    assert!(message.contains(&format!("Syncline-Selection: {element}")), "{message}");
}

#[test]
fn a_child_inside_its_parents_file() {
    let labels = format!("{ROOT}/labels/CustomLabels.labels-meta.xml");
    let text = |names: &[&str]| {
        let items: String = names
            .iter()
            .map(|name| {
                format!(
                    "    <labels>\n        <fullName>{name}</fullName>\n        <value>{name}</value>\n    </labels>\n"
                )
            })
            .collect();
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<CustomLabels xmlns=\"http://soap.sforce.com/2006/04/metadata\">\n{items}</CustomLabels>\n"
        )
    };
    let sandbox = Sandbox::new();
    sandbox.on("main", |s| s.write(&labels, &text(&["One"])));
    sandbox.promote("main", &["uat"]);
    sandbox.on("main", |s| {
        s.write(&labels, &text(&["One", "Three", "Two"]));
        s.write(
            &format!("{ROOT}/classes/Greet.cls"),
            "public class Greet {\n    String two = Label.Two;\n}\n",
        );
        s.write(
            &format!("{ROOT}/classes/Greet.cls-meta.xml"),
            &crate::sandbox::class_meta("60.0"),
        );
    });
    let report = promote(&sandbox, &["ApexClass:Greet"], &[]);
    assert_eq!(needed(&report), ["CustomLabel:Two ← ApexClass:Greet"]);
    assert_eq!(sandbox.read("uat", &labels), Some(text(&["One", "Two"])));
    let report = promote(&sandbox, &["CustomLabel:Three"], &[]);
    assert_eq!(told(&report), "uat done");
    assert_eq!(sandbox.read("uat", &labels), Some(text(&["One", "Three", "Two"])));
    sandbox.on("main", |s| s.write(&labels, "<CustomLabels>\n<labels>\n"));
    let told = told(&promote(&sandbox, &["CustomLabel:Four"], &[]));
    assert!(
        told.contains("CustomLabels.labels-meta.xml cannot be listed line "),
        "{told}"
    );
}

#[test]
fn commits() {
    let sandbox = Sandbox::new();
    let add = |name: &'static str| move |s: &Sandbox| s.write(&profile_path(name), &profile(&[]));
    for name in ["P1", "P2", "P3"] {
        sandbox.on("main", add(name));
    }
    let ask = Request {
        commits: Some("main~2..main~1".to_owned()),
        ..request("main", &["uat"])
    };
    let report = back_promote(&sandbox.open(), &ask, &owner(), NOW).unwrap();
    assert_eq!(files(&report), ["P2.profile-meta.xml"]);
    let base = sandbox.rev("main~2");
    assert_eq!(
        report.targets[0].base,
        Some(Base::Range {
            commit: base.parse().unwrap()
        })
    );
    let message = sandbox.git(&["log", "-1", "--format=%B", "uat"]);
    let range = format!("Syncline-Commits: {base}..{}", sandbox.rev("main~1"));
    assert!(message.contains(&range), "{message}");
    assert_eq!(told(&sandbox.promote("main", &["uat"])), "uat done");
    assert_eq!(sandbox.rev("uat^{tree}"), sandbox.rev("main^{tree}"));
}

#[test]
fn a_dry_run_writes_nothing() {
    let sandbox = changed();
    sandbox.on("dev", |s| {
        s.write(&profile_path("Admin"), &profile(&[("B", "true"), ("C", "true")]));
    });
    let before = sandbox.git(&["for-each-ref"]);
    let objects = || sandbox.git(&["count-objects", "-v"]);
    let counted = objects();
    let selections = [
        Selection::default(),
        Selection {
            components: vec!["Profile:*".parse().unwrap(), "Layout:*".parse().unwrap()],
            elements: Vec::new(),
        },
    ];
    for selection in selections {
        let ask = Request {
            dry_run: true,
            selection,
            ..request("main", &["uat", "dev"])
        };
        let report = back_promote(&sandbox.open(), &ask, &owner(), NOW).unwrap();
        assert_eq!(told(&report), "uat done; dev conflicts 1");
        assert_eq!(sandbox.git(&["for-each-ref"]), before);
        assert_eq!(objects(), counted);
    }
}
