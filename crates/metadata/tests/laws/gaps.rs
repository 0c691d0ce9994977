//! Known gaps between the laws and the program, asserted to be there: one that is closed must go from here,
//! and its exemption from the law.

use syncline_metadata::component::ComponentId;
use syncline_metadata::diff::diff;
use syncline_metadata::merge::{MergeError, Sides, merge, pick};
use syncline_metadata::path::ElementPath;

use super::{PATH, meaning};

fn file(ty: &str, body: &str) -> Vec<u8> {
    format!("<{ty} xmlns=\"http://soap.sforce.com/2006/04/metadata\">{body}</{ty}>").into_bytes()
}

/// Whether picking every change that the comparison names gives theirs.
fn picks_all(ty: &str, base: &str, theirs: &str) -> bool {
    let component = ComponentId::new(ty, "Sample");
    let (base, theirs) = (file(ty, base), file(ty, theirs));
    let changes = diff(&component, PATH, Some(&base), Some(&theirs)).expect("readable");
    let paths: Vec<ElementPath> = changes.into_iter().map(|c| c.path).collect();
    let picked = pick(&component, PATH, Some(&base), Some(&theirs), &paths).expect("readable");
    meaning(&picked.expect("there")) == meaning(&theirs)
}

#[test]
fn a_formula_cannot_be_picked() {
    let filter = "<filters><field>A</field><operation>equals</operation><value>1</value></filters>";
    let with = |formula: &str| format!("<booleanFilter>{formula}</booleanFilter>{filter}{filter}");
    assert!(!picks_all("ListView", &with("1 AND 2"), &with("1 OR 2")));
}

#[test]
fn an_order_cannot_be_picked() {
    let columns = |names: [&str; 3]| names.map(|n| format!("<columns>{n}</columns>")).concat();
    assert!(!picks_all(
        "ListView",
        &columns(["A", "B", "C"]),
        &columns(["C", "A", "B"])
    ));
}

/// Stray text from both sides at one place becomes one text, which the self-check does not know.
#[test]
fn stray_text_of_both_sides_fails_the_self_check() {
    let with = |text: &str| file("Profile", &format!("{text}<custom>true</custom>"));
    let (base, ours, theirs) = (with(""), with("one"), with("two"));
    let sides = Sides {
        base: Some(&base),
        ours: Some(&ours),
        theirs: Some(&theirs),
    };
    let merged = merge(&ComponentId::new("Profile", "Sample"), PATH, sides);
    assert!(matches!(merged, Err(MergeError::SelfCheck { .. })), "{merged:?}");
}

/// A formula that only stands at another place counts as a change of its criteria.
#[test]
fn a_formula_that_moved_conflicts() {
    let filter =
        |value: &str| format!("<filters><field>A</field><operation>equals</operation><value>{value}</value></filters>");
    let formula = "<booleanFilter>1 AND 2</booleanFilter>";
    let base = file("ListView", &format!("{formula}{}{}", filter("1"), filter("2")));
    let ours = file("ListView", &format!("{}{}{formula}", filter("1"), filter("2")));
    let theirs = file("ListView", &format!("{formula}{}{}", filter("1"), filter("3")));
    assert_eq!(meaning(&base), meaning(&ours));
    let sides = Sides {
        base: Some(&base),
        ours: Some(&ours),
        theirs: Some(&theirs),
    };
    let merged = merge(&ComponentId::new("ListView", "Sample"), PATH, sides).expect("readable");
    assert!(!merged.is_clean());
}
