//! Files of small orgs, below the folder of a package directory.

use std::collections::BTreeMap;

/// Files below the package directory's `main/default`.
pub type Files = BTreeMap<String, String>;

pub fn xml(root: &str, inner: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{root} xmlns=\"http://soap.sforce.com/2006/04/metadata\">\n{inner}</{root}>\n"
    )
}

pub fn class(files: &mut Files, name: &str, body: &str) {
    files.insert(
        format!("classes/{name}.cls"),
        format!("public class {name} {{\n    {body}\n}}\n"),
    );
    files.insert(
        format!("classes/{name}.cls-meta.xml"),
        xml(
            "ApexClass",
            "    <apiVersion>66.0</apiVersion>\n    <status>Active</status>\n",
        ),
    );
}

pub fn field(files: &mut Files, name: &str, rest: &str) {
    files.insert(
        format!("objects/Invoice__c/fields/{name}.field-meta.xml"),
        xml(
            "CustomField",
            &format!("    <fullName>{name}</fullName>\n    <label>{name}</label>\n{rest}"),
        ),
    );
}

pub const TEXT: &str = "    <length>80</length>\n    <type>Text</type>\n";

pub fn picklist(files: &mut Files, values: &[&str]) {
    let values: String = values
        .iter()
        .map(|value| {
            format!(
                "            <value>\n                <fullName>{value}</fullName>\n                <default>false</default>\n                \
                 <label>{value}</label>\n            </value>\n"
            )
        })
        .collect();
    let rest = format!(
        "    <type>Picklist</type>\n    <valueSet>\n        <valueSetDefinition>\n            <sorted>false</sorted>\n{values}        \
         </valueSetDefinition>\n    </valueSet>\n"
    );
    field(files, "Status__c", &rest);
}

pub fn labels(files: &mut Files, labels: &[(&str, &str)]) {
    let all: String = labels
        .iter()
        .map(|(name, value)| {
            format!(
                "    <labels>\n        <fullName>{name}</fullName>\n        <language>en_US</language>\n        <protected>true</protected>\n        \
                 <shortDescription>{name}</shortDescription>\n        <value>{value}</value>\n    </labels>\n"
            )
        })
        .collect();
    files.insert(
        "labels/CustomLabels.labels-meta.xml".to_owned(),
        xml("CustomLabels", &all),
    );
}

pub fn access(classes: &[(&str, bool)]) -> String {
    classes
        .iter()
        .map(|(name, enabled)| {
            format!(
                "    <classAccesses>\n        <apexClass>{name}</apexClass>\n        <enabled>{enabled}</enabled>\n    </classAccesses>\n"
            )
        })
        .collect()
}

pub fn profile(files: &mut Files, classes: &[(&str, bool)]) {
    let text = access(classes) + "    <custom>true</custom>\n    <userLicense>Salesforce</userLicense>\n";
    files.insert("profiles/Clerk.profile-meta.xml".to_owned(), xml("Profile", &text));
}

pub fn permission_set(files: &mut Files, classes: &[(&str, bool)]) {
    let text =
        access(classes) + "    <hasActivationRequired>false</hasActivationRequired>\n    <label>Billing</label>\n";
    let path = "permissionsets/Billing.permissionset-meta.xml";
    files.insert(path.to_owned(), xml("PermissionSet", &text));
}

pub fn flow(files: &mut Files, name: &str, status: &str, description: &str) {
    let text = format!(
        "    <apiVersion>66.0</apiVersion>\n    <description>{description}</description>\n    <label>{name}</label>\n    \
         <processType>AutoLaunchedFlow</processType>\n    <start>\n        <locationX>0</locationX>\n        <locationY>0</locationY>\n    </start>\n    \
         <status>{status}</status>\n"
    );
    files.insert(format!("flows/{name}.flow-meta.xml"), xml("Flow", &text));
}

/// The org that most tests begin with.
pub fn org() -> Files {
    let mut files = Files::new();
    let object = "    <deploymentStatus>Deployed</deploymentStatus>\n    <label>Invoice</label>\n    <nameField>\n        <label>Invoice Name</label>\n        \
                  <type>Text</type>\n    </nameField>\n    <pluralLabel>Invoices</pluralLabel>\n    <sharingModel>ReadWrite</sharingModel>\n";
    files.insert(
        "objects/Invoice__c/Invoice__c.object-meta.xml".to_owned(),
        xml("CustomObject", object),
    );
    field(&mut files, "Note__c", TEXT);
    picklist(&mut files, &["Open", "Paid"]);
    for name in ["A", "B", "C"] {
        class(&mut files, name, "");
    }
    labels(&mut files, &[("Bye", "Bye"), ("Greeting", "Hello")]);
    profile(&mut files, &[("A", true), ("B", true)]);
    permission_set(&mut files, &[("A", true), ("B", true)]);
    flow(&mut files, "Dunning", "Active", "first");
    files
}

/// A copy with a change.
pub fn changed(files: &Files, change: impl FnOnce(&mut Files)) -> Files {
    let mut files = files.clone();
    change(&mut files);
    files
}

pub fn remove(files: &mut Files, part: &str) {
    let before = files.len();
    files.retain(|path, _| !path.contains(part));
    assert!(files.len() < before, "nothing is named like {part}");
}
