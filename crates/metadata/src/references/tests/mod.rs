//! What each type names, as a table: type, full name, file, expected references.

use super::*;

mod code;
mod elements;
mod laws;

/// The references as `Type:Name` lines, `?` behind candidates and `~` behind optional ones.
fn told(found: &[Reference]) -> Vec<String> {
    let mut told: Vec<String> = found
        .iter()
        .map(|one| {
            let mark = match one.kind {
                ReferenceKind::Required => "",
                ReferenceKind::Candidate => "?",
                ReferenceKind::Optional => "~",
            };
            format!("{}{mark}", one.to)
        })
        .collect();
    told.sort();
    told.dedup();
    told
}

fn check_in(component: &str, path: &str, text: &str, context: &Context<'_>, expect: &str) {
    let component: ComponentId = component.parse().unwrap();
    let found = references_in(&component, path, text, context).unwrap();
    let mut expect: Vec<&str> = expect.split_whitespace().collect();
    expect.sort_unstable();
    assert_eq!(told(&found), expect, "{component}");
    for one in &found {
        assert!(text.get(one.range.clone()).is_some(), "{one:?}");
    }
}

fn check(component: &str, inner: &str, expect: &str) {
    let root = component.split(':').next().unwrap();
    let xml =
        format!("<?xml version=\"1.0\"?>\n<{root} xmlns=\"http://soap.sforce.com/2006/04/metadata\">{inner}</{root}>");
    check_in(component, "f-meta.xml", &xml, &Context::default(), expect);
}

struct Map(&'static [(&'static str, &'static str, &'static str)]);

impl Schema for Map {
    fn lookup_target(&self, object: &str, relationship: &str) -> Option<String> {
        self.0
            .iter()
            .find(|(o, r, _)| *o == object && *r == relationship)
            .map(|(_, _, target)| (*target).to_owned())
    }

    fn child_object(&self, object: &str, relationship: &str) -> Option<String> {
        self.lookup_target(object, relationship)
    }
}

const SCHEMA: Map = Map(&[
    ("Trip__c", "Boat__r", "Boat__c"),
    ("Boat__c", "Harbour__r", "Harbour__c"),
    ("Boat__c", "Trips__r", "Trip__c"),
]);
