//! Entries of profiles and permission sets that grant nothing: they mean the same as no entry.

/// Values that grant nothing, where that is not `false`: entry, leaf, value ("Profile" and "PermissionSet", Metadata API
/// Developer Guide).
const OFF: &[(&str, &str, &str)] = &[
    ("tabVisibilities", "visibility", "Hidden"),
    ("tabSettings", "visibility", "None"),
];

/// The value by which a leaf of an entry grants nothing; `None` for a leaf that only says what the entry is about.
pub fn off(entry: &str, leaf: &str, value: &str) -> Option<&'static str> {
    let own = OFF.iter().find(|(name, field, _)| *name == entry && *field == leaf);
    match own {
        Some((_, _, off)) => Some(off),
        None => matches!(value, "true" | "false").then_some("false"),
    }
}

/// Whether an entry with these leaves, name and text, grants nothing.
pub fn grants_nothing<'a>(entry: &str, leaves: impl IntoIterator<Item = (&'a str, &'a str)>) -> bool {
    let grants = leaves
        .into_iter()
        .filter_map(|(leaf, value)| Some(off(entry, leaf, value.trim())? == value.trim()));
    let (mut any, mut nothing) = (false, true);
    for is_off in grants {
        any = true;
        nothing &= is_off;
    }
    any && nothing
}

/// The leaves of an element's XML, name and text.
pub(super) fn leaves(xml: &str) -> impl Iterator<Item = (&str, &str)> {
    let tags = xml.split('<').map(|part| part.split_once('>').unwrap_or((part, "")));
    let next = tags.clone().skip(1);
    tags.zip(next)
        .filter_map(|((name, text), (end, _))| (end.strip_prefix('/')? == name).then_some((name, text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_grant_or_do_not() {
        let check = |entry: &str, xml: &str, expect: bool| {
            assert_eq!(grants_nothing(entry, leaves(xml)), expect, "{entry} {xml}");
        };
        let field = |editable, readable| {
            format!(
                "<fieldPermissions>\n  <editable>{editable}</editable>\n  <field>A.B__c</field>\n  <readable> {readable} \
                 </readable>\n</fieldPermissions>"
            )
        };
        check("fieldPermissions", &field(false, false), true);
        check("fieldPermissions", &field(false, true), false);
        check("tabVisibilities", "<tab>X</tab><visibility>Hidden</visibility>", true);
        check("tabVisibilities", "<tab>X</tab><visibility>None</visibility>", false);
        check("tabSettings", "<tab>X</tab><visibility>None</visibility>", true);
        check("layoutAssignments", "<layout>A-B</layout>", false);
        check("custom", "false", false);
        check("custom", "", false);
    }
}
