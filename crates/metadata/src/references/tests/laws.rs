//! Hostile files, and laws that hold for any text.

use proptest::prelude::*;

use super::*;

#[test]
fn hostile_files() {
    let refused = |xml: &str| {
        references(&ComponentId::new("Profile", "P"), "p/P.profile", xml)
            .unwrap_err()
            .to_string()
    };
    let text = refused("<Profile>\n<a>\n</Profile>");
    assert!(text.starts_with("p/P.profile line 3: not well-formed XML"), "{text}");
    for root in ["Profile", "Unknown"] {
        let deep = format!("<{root}>{}{}</{root}>", "<a>".repeat(5_000), "</a>".repeat(5_000));
        let text = refused(&deep);
        assert!(text.contains("nested deeper than 200"), "{text}");
    }
    assert!(refused("").contains("not well-formed"));
    let bomb = "<!DOCTYPE a [<!ENTITY b 'bb'>]><Profile>&b;</Profile>";
    assert!(refused(bomb).contains("not well-formed"));
    check(
        "Layout:no dash",
        "<layoutSections><layoutColumns><layoutItems><field>A__c</field></layoutItems></layoutColumns></layoutSections>",
        "",
    );
    check("CustomField:nodot", "<formula>A__c</formula>", "");
}

const FILES: [(&str, &str); 12] = [
    ("Profile", "P.profile"),
    ("Flow", "F.flow-meta.xml"),
    ("ValidationRule", "R.xml"),
    ("Report", "R.report"),
    ("ApexClass", "A.cls"),
    ("ApexTrigger", "A.trigger"),
    ("ApexPage", "A.page"),
    ("AuraDefinitionBundle", "a.cmp"),
    ("AuraDefinitionBundle", "a.js"),
    ("LightningComponentBundle", "a.js"),
    ("LightningComponentBundle", "a.html"),
    ("EmailTemplate", "a.email"),
];

/// Text made of the pieces that the readers look for, and of anything.
fn code() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "\\PC{0,4}",
        prop::sample::select(vec![
            "[",
            "]",
            "(",
            ")",
            "{!",
            "}",
            "'",
            "\"",
            "\\",
            "/*",
            "*/",
            "//",
            "\n",
            "SELECT ",
            " FROM ",
            "FIND ",
            " RETURNING ",
            "A__c",
            ".",
            "$Label.",
            "x__r.",
            "<c:",
            "<c-",
            "<!--",
            "-->",
            "=",
            "new ",
            "trigger T on ",
            "@salesforce/schema/",
            "from ",
            "`",
            "$",
            ":",
            "c:",
            "__s",
            "é",
            "class ",
            "<",
            ">",
            "%",
        ])
        .prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn never_panics(text in code(), name in "\\PC{0,8}", which in 0..FILES.len()) {
        let (type_name, path) = FILES[which];
        let component = ComponentId::new(type_name, name);
        let known = KnownNames::build([&component, &ComponentId::new("CustomField", "A__c.A__c")]);
        let context = Context { schema: Some(&SCHEMA), known: Some(&known) };
        if let Ok(found) = references_in(&component, path, &text, &context) {
            for one in found {
                prop_assert!(text.get(one.range).is_some());
            }
        }
        code_names(&text);
    }

    #[test]
    fn never_panics_in_elements(text in code(), element in 0..6usize, which in 0..6usize) {
        let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace(|c: char| c.is_control(), " ");
        let element = ["formula", "field", "url", "errorConditionFormula", "elementReference", "calculatedFormula"][element];
        let root = ["CustomField", "WebLink", "ValidationRule", "Flow", "Report", "QuickAction"][which];
        let xml = format!("<{root}><aggregates><{element}>{escaped}</{element}></aggregates><{element}>{escaped}</{element}></{root}>");
        let component = ComponentId::new(root, "Boat__c.X");
        let context = Context { schema: Some(&SCHEMA), known: None };
        if let Ok(found) = references_in(&component, "x-meta.xml", &xml, &context) {
            for one in found {
                prop_assert!(xml.get(one.range).is_some());
            }
        }
    }
}
