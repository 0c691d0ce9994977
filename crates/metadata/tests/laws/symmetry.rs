//! Defects that fuzzing found, and that are mended: merges that depended on which side is ours, lost
//! something, or did not pass their self-check.

use syncline_metadata::component::ComponentId;
use syncline_metadata::conflict::Reason;
use syncline_metadata::merge::{Merged, Sides, merge};

use super::{PATH, text, unproven};

fn file(ty: &str, body: &str) -> Vec<u8> {
    format!("<{ty} xmlns=\"http://soap.sforce.com/2006/04/metadata\">{body}</{ty}>").into_bytes()
}

/// Merges both ways round, and asserts that both are clean or none, and that the self-check accepts both.
fn both_ways(base: &[u8], ours: &[u8], theirs: &[u8]) -> [Merged; 2] {
    let merged = [(ours, theirs), (theirs, ours)].map(|(ours, theirs)| {
        let sides = Sides {
            base: Some(base),
            ours: Some(ours),
            theirs: Some(theirs),
        };
        merge(&ComponentId::new("Any", "Sample"), PATH, sides).expect("readable")
    });
    let said = [base, ours, theirs].map(text).join("\n");
    assert_eq!(unproven(&merged[0]), None, "{said}");
    assert_eq!(unproven(&merged[1]), None, "{said}");
    assert_eq!(merged[0].is_clean(), merged[1].is_clean(), "{said}");
    merged
}

fn items(name: &str, values: &[&str]) -> String {
    values.iter().map(|value| format!("<{name}>{value}</{name}>")).collect()
}

fn match_rules(names: &[&str]) -> Vec<u8> {
    let rule = |n: &&str| format!("<matchRuleSObjectType>{n}</matchRuleSObjectType><matchingRule>M</matchingRule>");
    let rules: Vec<String> = names.iter().map(rule).collect();
    let rules: Vec<&str> = rules.iter().map(String::as_str).collect();
    file("DuplicateRule", &items("duplicateRuleMatchRules", &rules))
}

/// A plain value of a keyed item that stands there twice.
#[test]
fn a_leaf_that_stands_twice() {
    let lists: Vec<Vec<&str>> = vec![
        vec![],
        vec!["true"],
        vec!["false"],
        vec!["true", "true"],
        vec!["true", "false"],
        vec!["false", "true"],
        vec!["false", "false"],
    ];
    let profile = |values: &[&str]| {
        let item = format!("{}<field>A.B</field>", items("editable", values));
        file("Profile", &items("fieldPermissions", &[&item]))
    };
    for base in &lists {
        for ours in &lists {
            for theirs in &lists {
                let merged = both_ways(&profile(base), &profile(ours), &profile(theirs));
                let changed_by_both = ours != base && theirs != base && ours != theirs;
                assert_eq!(merged[0].is_clean(), !changed_by_both, "{base:?} {ours:?} {theirs:?}");
            }
        }
    }
}

/// Theirs binds a prefix to another namespace than the base.
#[test]
fn a_prefix_with_another_meaning() {
    let with = |namespace: &str, label: &str, value: &str| {
        let text = text(file(
            "CustomMetadata",
            &format!("<label>{label}</label><values><field>F</field><value>{value}</value></values>"),
        ));
        text.replacen(" xmlns=", &format!(" {namespace} xmlns="), 1)
            .into_bytes()
    };
    let (base, ours) = (with("xmlns:p=\"urn:a\"", "old", "1"), with("", "old", "2"));
    both_ways(&base, &ours, &with("xmlns:p=\"urn:b\"", "new", "1"));
}

/// One side changed an item of a list that is worked through, the other put another one in its place.
#[test]
fn changed_and_replaced() {
    let entry = |name: &str, label: &str| format!("<name>{name}</name>{label}");
    let steps = |second: String| file("ApprovalProcess", &items("approvalStep", &[&entry("A", ""), &second]));
    let (base, replaced) = (steps(entry("B", "")), steps(entry("C", "")));
    let changed = steps(entry("B", "<label>new</label>"));
    for merged in both_ways(&base, &changed, &replaced) {
        let reasons: Vec<&Reason> = merged.conflicts().iter().map(|c| &c.reason).collect();
        assert!(
            matches!(reasons[..], [Reason::DeletedByUs | Reason::DeletedByThem]),
            "{reasons:?}"
        );
    }
}

/// One side repeats an item of an ordered list, the other gives the item another key.
#[test]
fn a_repeated_key() {
    let (base, ours) = (match_rules(&["A", "B", "C"]), match_rules(&["A", "X", "C"]));
    both_ways(&base, &ours, &match_rules(&["A", "B", "B", "C"]));
}

/// What was moved can be told in two ways, which do not come to the same.
#[test]
fn moves_told_in_two_ways() {
    let (base, ours) = (match_rules(&["A", "B", "C"]), match_rules(&["B", "A", "C"]));
    both_ways(&base, &ours, &match_rules(&["B", "C", "A"]));
}

/// Each side replaced other columns.
#[test]
fn columns_are_replaced_in_their_place() {
    let columns = |names: &[&str]| file("ListView", &items("columns", names));
    let base = columns(&["A", "B", "C"]);
    for merged in both_ways(&base, &columns(&["A", "O", "C"]), &columns(&["T", "B", "U"])) {
        assert_eq!(merged.bytes(), Some(columns(&["T", "O", "U"])));
    }
}

/// Items without a usable key, which fit each other in several ways: one was taken for two, and lost.
#[test]
fn twins_change_on_both_sides() {
    let binding = |name: &str, rest: &str| format!("{rest}<hierarchyApiName>{name}</hierarchyApiName>");
    let report = |first: &str, last: &str| {
        let (first, last) = (binding(first, ""), binding(last, "<label>new</label>"));
        file("Report", &items("hierarchyScopeBindings", &[&first, &last]))
    };
    both_ways(&report("A", "A"), &report("B", "A"), &report("A", "B"));
}

/// A list that theirs scattered over an element whose parts ours has in another order.
#[test]
fn a_scattered_list_keeps_its_order() {
    let report = |parts: &[&str]| file("Report", &parts.concat());
    let [first, second] = ["A", "B"].map(|n| items("groupingsAcross", &[&format!("<field>{n}</field>")]));
    let (name, format) = ("<name>N</name>", "<format>Matrix</format>");
    let base = report(&[name, format]);
    let theirs = report(&[name, &first, format, &second]);
    for merged in both_ways(&base, &report(&[format, name]), &theirs) {
        assert!(merged.is_clean(), "{:?}", merged.conflicts());
    }
}

/// Ours adds stray text, theirs deletes everything beside it.
#[test]
fn stray_text_alone() {
    let with = |text: &str, body: &str| file("QuickAction", &format!("{text}{body}"));
    both_ways(
        &with("", "<label>A</label>"),
        &with("stray", "<label>A</label>"),
        &with("", ""),
    );
}

/// What stands where a number should, to tell an item's place in its list, is a value.
#[test]
fn a_place_that_is_no_number() {
    let page = |places: [&str; 2]| {
        let item = |(i, place): (usize, &&str)| {
            format!("<actionName>{i}</actionName><actionType>T</actionType><sortOrder>{place}</sortOrder>")
        };
        let list: Vec<String> = places.iter().enumerate().map(item).collect();
        let list: Vec<&str> = list.iter().map(String::as_str).collect();
        let list = items("platformActionListItems", &list);
        file("FlexiPage", &items("platformActionlist", &[&list]))
    };
    for merged in both_ways(&page(["0", "1"]), &page(["first", "1"]), &page(["0", "last"])) {
        assert_eq!(merged.bytes(), Some(page(["first", "last"])));
    }
}

/// Ours deleted an item that theirs moved past another one: what theirs put behind that one stays behind it.
#[test]
fn an_item_behind_one_that_is_gone_and_moved() {
    let rule = |names: &[&str]| file("DuplicateRule", &items("operationsOnInsert", names));
    let (base, ours) = (rule(&["A", "B", "C", "D"]), rule(&["X", "B", "Y", "D"]));
    for merged in both_ways(&base, &ours, &rule(&["B", "A", "T", "C", "D"])) {
        assert_eq!(merged.bytes().map(text), Some(text(rule(&["X", "B", "Y", "T", "D"]))));
    }
}

/// Both changed an item without a key in a way that does not go together, and one of them moved it too.
#[test]
fn an_item_without_key_changed_on_both_sides_and_moved() {
    let section = |columns: &[&str]| items("layoutSections", &[&items("layoutColumns", columns)]);
    let (empty, label, other) = (
        "<reserved>1</reserved>",
        "<reserved>2</reserved>",
        "<reserved>3</reserved>",
    );
    let (first, last) = (section(&[empty, label, empty, empty]), section(&[empty]));
    let relabelled = section(&[empty, other, empty, empty]);
    let layout = |sections: [&str; 2]| file("Layout", &sections.concat());
    let ours = layout([&last, &section(&[empty, empty, empty])]);
    for merged in both_ways(&layout([&first, &last]), &ours, &layout([&relabelled, &last])) {
        let paths: Vec<String> = merged.conflicts().iter().map(|c| c.path.to_string()).collect();
        assert!(
            matches!(&paths[..], [path] if path.contains("/layoutColumns[#2]")),
            "{paths:?}"
        );
    }
}

/// Ours replaced the first of two equal columns: the other one is not that one, moved.
#[test]
fn one_of_two_equal_items_is_replaced() {
    let columns = |names: &[&str]| file("ListView", &items("columns", names));
    let base = columns(&["A", "T", "B", "C", "T", "D"]);
    let (ours, theirs) = (
        columns(&["A", "O", "B", "C", "T", "E"]),
        columns(&["A", "T", "N", "C", "T", "D"]),
    );
    for merged in both_ways(&base, &ours, &theirs) {
        assert_eq!(
            merged.bytes().map(text),
            Some(text(columns(&["A", "O", "N", "C", "T", "E"])))
        );
    }
}

/// A region may say what is in it in two ways: one side says it in both.
#[test]
fn a_region_that_says_it_in_both_ways() {
    let region = |rest: &str| {
        let name = "<name>main</name>";
        file("FlexiPage", &items("flexiPageRegions", &[&format!("{rest}{name}")]))
    };
    let instance =
        "<itemInstances><componentInstance><componentName>a</componentName></componentInstance></itemInstances>";
    let other = "<componentInstances><componentName>b</componentName></componentInstances>";
    let (base, ours) = (region(instance), region(&format!("{instance}<type>Region</type>")));
    for merged in both_ways(&base, &ours, &region(&format!("{instance}{other}"))) {
        assert!(merged.is_clean(), "{:?}", merged.conflicts());
    }
}

/// Ours gave a plain value an attribute, theirs added a value like that; or ours replaced what theirs gave one.
#[test]
fn a_value_gets_an_attribute() {
    let tabs = |list: &str| file("CustomApplication", list);
    let [a, b, c] = ["A", "B", "C"].map(|name| items("subscriberTabs", &[name]));
    let nil =
        "<subscriberTabs xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:nil=\"true\">C</subscriberTabs>";
    let base = tabs(&format!("{a}{b}{c}"));
    for merged in both_ways(&base, &tabs(&format!("{a}{b}{nil}")), &tabs(&format!("{nil}{b}{c}"))) {
        assert_eq!(merged.bytes(), Some(tabs(&format!("{nil}{b}{nil}"))));
    }
    let replaced = tabs(&format!("{a}{b}{}", items("subscriberTabs", &["D"])));
    for merged in both_ways(&base, &tabs(&format!("{a}{b}{nil}")), &replaced) {
        assert!(!merged.is_clean());
    }
}

/// Each side replaced another one of two equal items: one is left, or the order is a conflict.
#[test]
fn each_side_replaces_another_of_two_equal_items() {
    let rule = |names: &[&str]| file("DuplicateRule", &items("operationsOnInsert", names));
    let (base, ours) = (rule(&["T", "A", "B", "T", "C"]), rule(&["X", "A", "B", "T", "C"]));
    for merged in both_ways(&base, &ours, &rule(&["T", "A", "B", "Y", "C"])) {
        let kept = merged.bytes().map(text).is_some_and(|text| text.contains(">T<"));
        assert!(kept || !merged.is_clean());
    }
}
