//! What a name's ending says: custom or standard, which object or field it stands for.

/// Endings of objects that are metadata of their own. Source: Object Reference, "Custom Objects".
const OBJECT_ENDINGS: [&str; 11] = [
    "__c", "__mdt", "__e", "__b", "__x", "__kav", "__ka", "__dlm", "__dll", "__dmo", "__chn",
];

/// Endings of the tables that the platform derives from a custom object `X__c`.
const DERIVED_ENDINGS: [&str; 6] = ["__Share", "__History", "__Feed", "__Tag", "__ChangeEvent", "__ViewStat"];

/// The custom object that `name` stands for; `None` for a standard object.
///
/// `Order__Share` stands for `Order__c`.
pub(super) fn custom_object(name: &str) -> Option<String> {
    if !is_name(name) {
        return None;
    }
    if OBJECT_ENDINGS.iter().any(|ending| strip_ending(name, ending).is_some()) {
        return Some(name.to_owned());
    }
    DERIVED_ENDINGS
        .iter()
        .find_map(|ending| strip_ending(name, ending))
        .map(|stem| format!("{stem}__c"))
}

/// The custom field that `name` stands for, and whether it lives on the person's Contact.
///
/// `Place__Latitude__s` and `Home__City__s` are parts of `Place__c` and `Home__c`; `Rank__pc` of Account
/// is `Rank__c` of Contact. `None` for a standard field.
pub(super) fn custom_field(name: &str) -> Option<(String, bool)> {
    if !is_name(name) {
        return None;
    }
    if strip_ending(name, "__c").is_some() {
        return Some((name.to_owned(), false));
    }
    if let Some(stem) = strip_ending(name, "__pc") {
        return Some((format!("{stem}__c"), true));
    }
    let compound = strip_ending(name, "__s")?;
    let (stem, part) = compound.rsplit_once("__")?;
    (!stem.is_empty() && !part.is_empty()).then(|| (format!("{stem}__c"), false))
}

/// The lookup field behind a custom relationship name, `Parent__r` → `Parent__c`, and whether it is the person's.
pub(super) fn lookup_field(relationship: &str) -> Option<(String, bool)> {
    if !is_name(relationship) {
        return None;
    }
    if let Some(stem) = strip_ending(relationship, "__r") {
        return Some((format!("{stem}__c"), false));
    }
    strip_ending(relationship, "__pr").map(|stem| (format!("{stem}__c"), true))
}

/// Whether `name` can be the name of a standard object.
pub(super) fn standard_object(name: &str) -> bool {
    is_name(name) && name.starts_with(|c: char| c.is_ascii_uppercase()) && !name.contains("__")
}

/// Whether the text is one identifier. A `%%%NAMESPACE%%%` token in front counts as part of it.
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'%')
}

/// `text` without `ending`, ASCII case ignored; `None` when nothing would remain.
fn strip_ending<'t>(text: &'t str, ending: &str) -> Option<&'t str> {
    let at = text.len().checked_sub(ending.len())?;
    let (stem, rest) = (text.get(..at)?, text.get(at..)?);
    (!stem.is_empty() && rest.eq_ignore_ascii_case(ending)).then_some(stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings() {
        assert_eq!(custom_object("Boat__c").as_deref(), Some("Boat__c"));
        assert_eq!(custom_object("ns__Boat__Share").as_deref(), Some("ns__Boat__c"));
        assert_eq!(custom_object("Account"), None);
        assert_eq!(custom_object("__c"), None);
        assert_eq!(custom_object("é__c"), None);
        assert_eq!(custom_field("Pier__Latitude__s"), Some(("Pier__c".into(), false)));
        assert_eq!(custom_field("Rank__pc"), Some(("Rank__c".into(), true)));
        assert_eq!(custom_field("Name"), None);
        assert_eq!(custom_field("x__s"), None);
        assert_eq!(lookup_field("Owner__r"), Some(("Owner__c".into(), false)));
        assert!(standard_object("Account") && !standard_object("Boat__c") && !standard_object("a b"));
    }
}
