//! Both ways, on invented files.

use super::*;

fn project() -> Project {
    Project::parse("", r#"{"packageDirectories":[{"path":"app"}]}"#, None).expect("a project")
}

fn files(list: &[(&str, &str)]) -> Files {
    list.iter()
        .map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()))
        .collect()
}

fn text(files: &Files, path: &str) -> String {
    let known: Vec<&String> = files.keys().collect();
    let bytes = files
        .get(path)
        .unwrap_or_else(|| panic!("{path} is not among {known:?}"));
    String::from_utf8(bytes.clone()).expect("UTF-8")
}

const OBJECT: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<CustomObject xmlns="http://soap.sforce.com/2006/04/metadata">
    <deploymentStatus>Deployed</deploymentStatus>
    <fields>
        <fullName>Rate__c</fullName>
        <inlineHelpText>one
    two</inlineHelpText>
        <type>Text</type>
    </fields>
    <label>Fee</label>
    <listViews>
        <fullName>All</fullName>
        <filterScope>Everything</filterScope>
    </listViews>
</CustomObject>
"#;

#[test]
fn an_object_is_split_and_put_together() {
    let package = files(&[("objects/Fee__c.object", OBJECT), ("package.xml", "<Package/>")]);
    let source = to_source(&project(), &package).expect("converted").files;
    let root = "app/main/default/objects/Fee__c";
    assert_eq!(
        text(&source, &format!("{root}/fields/Rate__c.field-meta.xml")),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<CustomField xmlns=\"http://soap.sforce.com/2006/04/metadata\">\n    \
         <fullName>Rate__c</fullName>\n    <inlineHelpText>one\n    two</inlineHelpText>\n    <type>Text</type>\n</CustomField>\n"
    );
    assert_eq!(
        text(&source, &format!("{root}/Fee__c.object-meta.xml")),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<CustomObject xmlns=\"http://soap.sforce.com/2006/04/metadata\">\n    \
         <deploymentStatus>Deployed</deploymentStatus>\n    <label>Fee</label>\n</CustomObject>\n"
    );
    assert_eq!(source.len(), 3);
    let back = to_metadata_api(&project(), &source).expect("converted").files;
    let object = text(&back, "objects/Fee__c.object");
    // The order of different elements means nothing.
    assert_eq!(object.len(), OBJECT.len(), "{object}");
    let (_, parsed) = splice::parse("x", object.as_bytes()).expect("XML");
    let names: Vec<&str> = parsed
        .root_element()
        .children()
        .filter(roxmltree::Node::is_element)
        .map(|node| node.tag_name().name())
        .collect();
    assert_eq!(names, ["deploymentStatus", "label", "fields", "listViews"]);
    assert!(
        object.contains("        <inlineHelpText>one\n    two</inlineHelpText>\n"),
        "{object}"
    );
}

#[test]
fn a_standard_object_needs_no_file_of_its_own() {
    let field = "<CustomField xmlns=\"u\"><fullName>A__c</fullName></CustomField>";
    let source = files(&[("app/main/default/objects/Account/fields/A__c.field-meta.xml", field)]);
    let package = to_metadata_api(&project(), &source).expect("converted").files;
    assert!(text(&package, "objects/Account.object").contains("<fields><fullName>A__c</fullName></fields>"));
    let back = to_source(&project(), &package).expect("converted").files;
    assert_eq!(back.keys().collect::<Vec<_>>(), source.keys().collect::<Vec<_>>());
}

#[test]
fn files_go_where_the_format_has_them() {
    let pairs = [
        ("classes/deep/A.cls", "classes/A.cls"),
        ("classes/deep/A.cls-meta.xml", "classes/A.cls-meta.xml"),
        ("lwc/tile/tile.js", "lwc/tile/tile.js"),
        ("lwc/tile/tile.js-meta.xml", "lwc/tile/tile.js-meta.xml"),
        (
            "layouts/Fee__c-Fee %28x%29.layout-meta.xml",
            "layouts/Fee__c-Fee %28x%29.layout",
        ),
        ("profiles/Admin.profile-meta.xml", "profiles/Admin.profile"),
        ("reports/Sales.reportFolder-meta.xml", "reports/Sales-meta.xml"),
        ("reports/Sales/Won.report-meta.xml", "reports/Sales/Won.report"),
        ("labels/CustomLabels.labels-meta.xml", "labels/CustomLabels.labels"),
    ];
    let source: Files = pairs
        .iter()
        .map(|(path, _)| (format!("app/main/default/{path}"), b"<x/>".to_vec()))
        .collect();
    let package = to_metadata_api(&project(), &source).expect("converted").files;
    let mut expected: Vec<&str> = pairs.iter().map(|(_, path)| *path).collect();
    expected.sort_unstable();
    assert_eq!(package.keys().map(String::as_str).collect::<Vec<_>>(), expected);
}

#[test]
fn resources_are_packed_and_unpacked() {
    let descriptor =
        |kind: &str| format!("<StaticResource xmlns=\"u\"><contentType>{kind}</contentType></StaticResource>");
    let root = "app/main/default/staticresources";
    let source: Files = [
        (format!("{root}/lib.resource-meta.xml"), descriptor("application/zip")),
        (format!("{root}/lib/a/b.js"), "b()".to_owned()),
        (format!("{root}/lib/c.css"), "c".to_owned()),
        (format!("{root}/one.resource-meta.xml"), descriptor("application/json")),
        (format!("{root}/one.json"), "{}".to_owned()),
    ]
    .into_iter()
    .map(|(path, text)| (path, text.into_bytes()))
    .collect();
    let package = to_metadata_api(&project(), &source).expect("converted").files;
    let names: Vec<&str> = package.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "staticresources/lib.resource",
            "staticresources/lib.resource-meta.xml",
            "staticresources/one.resource",
            "staticresources/one.resource-meta.xml"
        ]
    );
    assert_eq!(to_source(&project(), &package).expect("converted").files, source);
}

#[test]
fn what_cannot_be_converted_is_told() {
    let broken = files(&[(
        "app/main/default/objects/A__c/fields/B__c.field-meta.xml",
        "<CustomField>",
    )]);
    assert!(matches!(
        to_metadata_api(&project(), &broken),
        Err(ConvertError::Xml { .. })
    ));
    let twice = files(&[
        ("app/main/default/classes/a/X.cls", "x"),
        ("app/main/default/classes/b/X.cls", "y"),
    ]);
    assert!(matches!(
        to_metadata_api(&project(), &twice),
        Err(ConvertError::Twice { .. })
    ));
}
