//! Defects that the laws found, and that are mended.

use syncline_metadata::component::ComponentId;
use syncline_metadata::diff::diff;
use syncline_metadata::merge::{Sides, merge, pick};
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
fn a_formula_is_picked() {
    let filter = "<filters><field>A</field><operation>equals</operation><value>1</value></filters>";
    let with = |formula: &str| format!("<booleanFilter>{formula}</booleanFilter>{filter}{filter}");
    assert!(picks_all("ListView", &with("1 AND 2"), &with("1 OR 2")));
}

#[test]
fn an_order_is_picked() {
    let columns = |names: [&str; 3]| names.map(|n| format!("<columns>{n}</columns>")).concat();
    assert!(picks_all(
        "ListView",
        &columns(["A", "B", "C"]),
        &columns(["C", "A", "B"])
    ));
}

/// Stray text of both sides at one place would become one text.
#[test]
fn stray_text_of_both_sides_conflicts() {
    let with = |text: &str| file("Profile", &format!("{text}<custom>true</custom>"));
    let (base, ours, theirs) = (with(""), with("one"), with("two"));
    let sides = Sides {
        base: Some(&base),
        ours: Some(&ours),
        theirs: Some(&theirs),
    };
    let merged = merge(&ComponentId::new("Profile", "Sample"), PATH, sides).expect("readable");
    assert!(!merged.is_clean());
}

/// A formula that only stands at another place is no change.
#[test]
fn a_formula_that_moved_is_no_change() {
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
    assert!(merged.is_clean());
}

/// Positions count in the new list for a change and in the old one for a removal: here both are `[#2]`.
#[test]
fn a_position_that_names_two_items_picks_both() {
    let item =
        |name: &str, rest: &str| format!("<quickActionParameters><name>{name}</name>{rest}</quickActionParameters>");
    let [a, b, c, d] = ["A", "B", "C", "D"].map(|n| item(n, ""));
    let labelled = item("C", "<label>new</label>");
    assert!(picks_all(
        "QuickAction",
        &format!("{a}{b}{c}{d}{a}"),
        &format!("{a}{labelled}{d}{a}")
    ));
}

/// Both deleted the first entry, and theirs put the formula behind its criteria.
#[test]
fn a_formula_that_moved_beside_a_deletion() {
    let formula = "<booleanFilter>1</booleanFilter>";
    let criteria = "<criteriaItems><field>A</field></criteriaItems>";
    let first = format!("<ruleEntry>{formula}{criteria}</ruleEntry>");
    let last = format!("<ruleEntry>{criteria}{formula}</ruleEntry>");
    merges(&format!("<ruleEntry><team>T</team></ruleEntry>{first}"), &first, &last);
}

fn merges(base: &str, ours: &str, theirs: &str) {
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
    assert!(merged.is_ok_and(|merged| merged.is_clean()));
}

/// An unknown type whose elements of different names changed places.
#[test]
fn another_order_of_an_unknown_type_is_no_change() {
    let with = |a: &str, b: &str| file("NoSuchType", &format!("{a}{b}"));
    let (a, b) = ("<alpha>1</alpha>", "<beta>1</beta>");
    let (base, ours, theirs) = (with(a, b), with(a, "<beta>2</beta>"), with(b, a));
    let sides = Sides {
        base: Some(&base),
        ours: Some(&ours),
        theirs: Some(&theirs),
    };
    let merged = merge(&ComponentId::new("NoSuchType", "Sample"), PATH, sides);
    assert!(merged.is_ok_and(|merged| merged.is_clean()));
}

/// Theirs is in another namespace, which what ours added would take on.
#[test]
fn another_namespace_conflicts() {
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
    assert!(merged.is_ok_and(|merged| !merged.is_clean()));
}

/// Theirs changes the first rule, ours puts one before it.
#[test]
fn a_rule_before_a_changed_one() {
    let [urgent, north, south, changed] = ["Urgent", "North", "South", "Northwest"]
        .map(|queue| format!("<ruleEntry><assignedTo>{queue}</assignedTo><formula>true</formula></ruleEntry>"));
    merges(
        &format!("{north}{south}"),
        &format!("{urgent}{north}{south}"),
        &format!("{changed}{south}"),
    );
}

/// Ours fills an empty entry, theirs adds another one behind it.
#[test]
fn an_empty_entry_is_filled() {
    let empty = "<ruleEntry></ruleEntry>";
    let labelled = "<ruleEntry><label>new</label></ruleEntry>";
    let blank = "<ruleEntry><label>\n</label></ruleEntry>";
    merges(empty, labelled, &format!("{blank}{empty}"));
}

/// The same elements in another namespace are other elements.
#[test]
fn another_namespace_is_a_change() {
    let a = file("Profile", "<custom>true</custom>");
    let b = text(&a).replace("/2006/", "/2002/").into_bytes();
    let changes = diff(&ComponentId::new("Profile", "Sample"), PATH, Some(&a), Some(&b)).expect("readable");
    assert!(!changes.is_empty());
    assert_ne!(meaning(&a), meaning(&b));
}

/// Both sides put a new item, and each its own part of it, where one stood that theirs deleted: there is one item less
/// than a sum of changes says.
#[test]
fn an_item_that_both_add_and_theirs_put_in_place_of_another() {
    let item =
        |name: &str, rest: &str| format!("<quickActionParameters>{rest}<name>{name}</name></quickActionParameters>");
    let [empty, a, twin] = ["", "A", "B"].map(|name| item(name, ""));
    let other = item("B", "<label>other</label>");
    let base = file("QuickAction", &format!("{empty}{a}{twin}{other}"));
    let added = item("C", "<label>new</label>");
    let ours = file("QuickAction", &format!("{empty}{added}{a}{twin}{other}"));
    let theirs = file("QuickAction", &format!("{}{a}{twin}{other}", item("C", "")));
    // Written in two ways, so that the self-check does not leave out what is the same text on all sides.
    for ours in [text(&ours), text(&ours).replace("><", ">\n<")] {
        let sides = Sides {
            base: Some(&base),
            ours: Some(ours.as_bytes()),
            theirs: Some(&theirs),
        };
        let merged = merge(&ComponentId::new("QuickAction", "Sample"), PATH, sides).expect("readable");
        let expect = file("QuickAction", &format!("{added}{a}{twin}{other}"));
        assert!(merged.is_clean(), "{:?}", merged.conflicts());
        assert_eq!(meaning(&merged.bytes().expect("there")), meaning(&expect));
    }
}

/// Both added an item of one key, and wrote the key in two ways: without the key it would be no item.
#[test]
fn a_key_written_in_two_ways() {
    let with = |labels: &str| {
        file(
            "CustomLabels",
            &format!("<labels><fullName>A</fullName></labels>{labels}"),
        )
    };
    let (base, ours) = (with(""), with("<labels><fullName>B</fullName></labels>"));
    let theirs = with("<labels><fullName lang=\"en\">B</fullName></labels>");
    let sides = Sides {
        base: Some(&base),
        ours: Some(&ours),
        theirs: Some(&theirs),
    };
    let merged = merge(&ComponentId::new("CustomLabels", "Sample"), PATH, sides).expect("readable");
    let paths: Vec<String> = merged.conflicts().iter().map(|c| c.path.to_string()).collect();
    assert_eq!(paths, ["CustomLabels:Sample/labels[fullName=B]"]);
}
