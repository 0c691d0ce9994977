//! Known gaps between the laws and the program, asserted to be there: one that is closed must go from here,
//! and its exemption from the law.

use syncline_metadata::component::ComponentId;
use syncline_metadata::merge::{Sides, merge};

use super::PATH;

fn file(ty: &str, body: &str) -> Vec<u8> {
    format!("<{ty} xmlns=\"http://soap.sforce.com/2006/04/metadata\">{body}</{ty}>").into_bytes()
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
