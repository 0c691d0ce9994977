//! Takes the mentions of a deleted component out of what named it: layouts, permissions, list views.

use super::dependencies::as_file;
use super::store;
use crate::error::ApiError;
use crate::http::Call;
use roxmltree::{Document, Node};
use rusqlite::params;
use std::ops::Range;
use syncline_metadata::component::ComponentId;
use syncline_metadata::references::{Context, references_in};

/// Drops from the files of `user` what names `gone`. The date of `user` stays, because nobody changed it.
pub(super) fn drop(call: &Call<'_>, user: &ComponentId, gone: &ComponentId) -> Result<(), ApiError> {
    for file in store::files(call.db, user)? {
        let Ok(own) = std::str::from_utf8(&file.content) else {
            continue;
        };
        let child = file.path.is_empty();
        let text = if child {
            as_file(&user.type_name, own)
        } else {
            own.to_owned()
        };
        let Some(left) = without(user, &file.path, &text, gone) else {
            continue;
        };
        let left = if child { as_file(&element_of(own), &left) } else { left };
        call.db.execute(
            "UPDATE _component_file SET content = ?4 WHERE type = ?1 AND name = ?2 AND path = ?3",
            params![&*user.type_name, &*user.full_name, file.path, left.as_bytes()],
        )?;
    }
    Ok(())
}

/// The name of the outermost element.
fn element_of(text: &str) -> String {
    text.trim_start_matches('<')
        .split(['>', ' ', '/'])
        .next()
        .unwrap_or_default()
        .to_owned()
}

/// The text without the items that name a component; none when it names it nowhere.
fn without(user: &ComponentId, path: &str, text: &str, gone: &ComponentId) -> Option<String> {
    let found = references_in(user, path, text, &Context::default()).ok()?;
    let document = Document::parse(text).ok()?;
    let mut cuts: Vec<Range<usize>> = found
        .iter()
        .filter(|one| one.to.type_name == gone.type_name && one.to.full_name.eq_ignore_ascii_case(&gone.full_name))
        .filter_map(|one| item_at(document.root_element(), one.range.start))
        .collect();
    cuts.sort_by_key(|cut| (cut.start, std::cmp::Reverse(cut.end)));
    let mut left = String::with_capacity(text.len());
    let mut at = 0;
    for cut in cuts {
        if cut.start >= at {
            left.push_str(&text[at..cut.start]);
            at = cut.end;
        }
    }
    if at == 0 {
        return None;
    }
    left.push_str(&text[at..]);
    Some(left)
}

/// The item around an offset: the element that holds the naming leaf, or the leaf itself below the root.
fn item_at(root: Node<'_, '_>, at: usize) -> Option<Range<usize>> {
    let leaf = root
        .descendants()
        .rfind(|node| node.is_element() && node.range().contains(&at))?;
    let parent = leaf.parent_element()?;
    let item = if parent == root { leaf } else { parent };
    Some(item.range())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_cut() {
        let gone = ComponentId::new("CustomField", "Boat__c.Mast__c");
        let profile = ComponentId::new("Profile", "P");
        let text = "<Profile><fieldPermissions><editable>true</editable><field>Boat__c.Mast__c</field></fieldPermissions>\
                    <fieldPermissions><field>Boat__c.Other__c</field></fieldPermissions></Profile>";
        assert_eq!(
            without(&profile, "profiles/P.profile", text, &gone).as_deref(),
            Some("<Profile><fieldPermissions><field>Boat__c.Other__c</field></fieldPermissions></Profile>")
        );
        let other = ComponentId::new("CustomField", "Boat__c.Third__c");
        assert_eq!(without(&profile, "profiles/P.profile", text, &other), None);
    }
}
