//! Known gaps between the laws and the program, asserted to be there: one that is closed must go from here,
//! and its exemption from the law.

use syncline_metadata::component::ComponentId;
use syncline_metadata::diff::diff;
use syncline_metadata::merge::{MergeError, Sides, merge, pick};
use syncline_metadata::path::ElementPath;

use super::{PATH, meaning, text};

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

/// Positions count in the new list for a change and in the old one for a removal: here both are `[#2]`.
#[test]
fn a_position_names_two_items() {
    let item =
        |name: &str, rest: &str| format!("<quickActionParameters><name>{name}</name>{rest}</quickActionParameters>");
    let [a, b, c, d] = ["A", "B", "C", "D"].map(|n| item(n, ""));
    let labelled = item("C", "<label>new</label>");
    assert!(!picks_all(
        "QuickAction",
        &format!("{a}{b}{c}{d}{a}"),
        &format!("{a}{labelled}{d}{a}")
    ));
}

/// Both deleted the first entry, and theirs put the formula behind its criteria: theirs is taken, although
/// both mean the same.
#[test]
fn a_formula_that_moved_fails_the_self_check() {
    let formula = "<booleanFilter>1</booleanFilter>";
    let criteria = "<criteriaItems><field>A</field></criteriaItems>";
    let first = format!("<ruleEntry>{formula}{criteria}</ruleEntry>");
    let last = format!("<ruleEntry>{criteria}{formula}</ruleEntry>");
    fails_its_check(&format!("<ruleEntry><team>T</team></ruleEntry>{first}"), &first, &last);
}

/// Ours fills an empty entry, theirs adds another one behind it: the merge pairs the entries otherwise
/// than the self-check.
#[test]
fn an_empty_entry_fails_the_self_check() {
    let empty = "<ruleEntry></ruleEntry>";
    let labelled = "<ruleEntry><label>new</label></ruleEntry>";
    let blank = "<ruleEntry><label>\n</label></ruleEntry>";
    fails_its_check(empty, labelled, &format!("{blank}{empty}"));
}

fn fails_its_check(base: &str, ours: &str, theirs: &str) {
    let [base, ours, theirs] = [base, ours, theirs].map(|entries| {
        file(
            "AssignmentRules",
            &format!("<assignmentRule>{entries}</assignmentRule>"),
        )
    });
    let sides = Sides {
        base: Some(&base),
        ours: Some(&ours),
        theirs: Some(&theirs),
    };
    let merged = merge(&ComponentId::new("AssignmentRules", "Sample"), PATH, sides);
    assert!(
        matches!(merged, Err(MergeError::SelfCheck { .. })),
        "{:?}",
        merged.map(|m| m.bytes().map(text))
    );
}

/// Theirs is in another namespace, which the merge does not see and the self-check does.
#[test]
fn another_namespace_fails_the_self_check() {
    let with = |values: &str| file("Package", &format!("<types>{values}<name>ApexClass</name></types>"));
    let (base, ours) = (
        with("<members>A</members>"),
        with("<members>A</members><members>B</members>"),
    );
    let theirs = text(with("<members>A</members><members>C</members>")).replace("sforce", "example");
    let sides = Sides {
        base: Some(&base),
        ours: Some(&ours),
        theirs: Some(theirs.as_bytes()),
    };
    let merged = merge(&ComponentId::new("Package", "Sample"), PATH, sides);
    assert!(matches!(merged, Err(MergeError::SelfCheck { .. })), "{merged:?}");
}

/// An unknown type whose elements of different names changed places: no change to the merge, one to the self-check.
#[test]
fn another_order_of_an_unknown_type_fails_the_self_check() {
    let with = |a: &str, b: &str| file("NoSuchType", &format!("{a}{b}"));
    let (a, b) = ("<alpha>1</alpha>", "<beta>1</beta>");
    let (base, ours, theirs) = (with(a, b), with(a, "<beta>2</beta>"), with(b, a));
    let sides = Sides {
        base: Some(&base),
        ours: Some(&ours),
        theirs: Some(&theirs),
    };
    let merged = merge(&ComponentId::new("NoSuchType", "Sample"), PATH, sides);
    assert!(matches!(merged, Err(MergeError::SelfCheck { .. })), "{merged:?}");
}

/// One side repeats an item of an ordered list, the other gives the item another key: clean one way round only.
#[test]
fn a_repeated_key_is_clean_one_way_round() {
    let rules = |names: &[&str]| {
        let one = |n: &&str| {
            format!(
                "<duplicateRuleMatchRules><matchRuleSObjectType>{n}</matchRuleSObjectType><matchingRule>M</matchingRule></duplicateRuleMatchRules>"
            )
        };
        file("DuplicateRule", &names.iter().map(one).collect::<String>())
    };
    let (base, ours, theirs) = (
        rules(&["A", "B", "C"]),
        rules(&["A", "X", "C"]),
        rules(&["A", "B", "B", "C"]),
    );
    let clean = |ours: &[u8], theirs: &[u8]| {
        let sides = Sides {
            base: Some(&base),
            ours: Some(ours),
            theirs: Some(theirs),
        };
        merge(&ComponentId::new("DuplicateRule", "Sample"), PATH, sides)
            .expect("readable")
            .is_clean()
    };
    assert_ne!(clean(&ours, &theirs), clean(&theirs, &ours));
}
