//! Work items: their ids, the names of their branches, and how a commit says which one it belongs to.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::config::ChangeBranch;

/// The trailer of a commit that belongs to a work item.
pub const TRAILER: &str = "Syncline-Item";

/// The id of a work item: that of a ticket, `BILL-42`, or letters and digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ItemId(String);

/// The text is no id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no id of a work item; write that of a ticket, for example `BILL-42`, or letters and digits")]
pub struct ItemIdError(String);

impl ItemId {
    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The trailer's line.
    pub fn trailer(&self) -> String {
        format!("{TRAILER}: {self}")
    }
}

impl FromStr for ItemId {
    type Err = ItemIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match id_at_start(text) {
            Some(end) if end == text.len() => Ok(Self(text.to_owned())),
            _ => Err(ItemIdError(text.to_owned())),
        }
    }
}

impl TryFrom<String> for ItemId {
    type Error = ItemIdError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<ItemId> for String {
    fn from(id: ItemId) -> Self {
        id.0
    }
}

impl fmt::Display for ItemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The length of the id that a text begins with: letters and digits, and where they begin with a letter also `-` and digits.
fn id_at_start(text: &str) -> Option<usize> {
    let run = |text: &str, is: fn(char) -> bool| text.find(|c| !is(c)).unwrap_or(text.len());
    let word = run(text, |c| c.is_ascii_alphanumeric());
    if word == 0 {
        return None;
    }
    let behind = &text[word..];
    let Some(number) = behind
        .strip_prefix('-')
        .filter(|_| text.starts_with(|c: char| c.is_ascii_alphabetic()))
    else {
        return Some(word);
    };
    let digits = run(number, |c| c.is_ascii_digit());
    let ends = number[digits..]
        .chars()
        .next()
        .is_none_or(|c| !c.is_ascii_alphanumeric());
    Some(if digits > 0 && ends { word + 1 + digits } else { word })
}

/// Longest slug in characters; it ends with a whole word where there is one.
const SLUG: usize = 50;

/// A title as a part of a branch's name: words of small letters and digits with `-` between them. Never empty, and never
/// beginning with a digit, so that it is told from the id in front of it.
pub fn slug(title: &str) -> String {
    let mut words: Vec<String> = vec![String::new()];
    for c in title.chars() {
        let plain = match c {
            'ä' | 'Ä' | 'æ' | 'Æ' => "ae",
            'ö' | 'Ö' | 'ø' | 'Ø' | 'œ' | 'Œ' => "oe",
            'ü' | 'Ü' => "ue",
            'ß' => "ss",
            'à' | 'á' | 'â' | 'ã' | 'å' | 'À' | 'Á' | 'Â' | 'Ã' | 'Å' => "a",
            'è' | 'é' | 'ê' | 'ë' | 'È' | 'É' | 'Ê' | 'Ë' => "e",
            'ì' | 'í' | 'î' | 'ï' | 'Ì' | 'Í' | 'Î' | 'Ï' => "i",
            'ò' | 'ó' | 'ô' | 'õ' | 'Ò' | 'Ó' | 'Ô' | 'Õ' => "o",
            'ù' | 'ú' | 'û' | 'Ù' | 'Ú' | 'Û' => "u",
            'ç' | 'Ç' => "c",
            'ñ' | 'Ñ' => "n",
            // It's and don't stay one word.
            '\'' | '’' => continue,
            _ => "",
        };
        let last = words.len() - 1;
        if c.is_ascii_alphanumeric() {
            words[last].push(c.to_ascii_lowercase());
        } else if !plain.is_empty() {
            words[last].push_str(plain);
        } else if !words[last].is_empty() {
            words.push(String::new());
        }
    }
    words.retain(|word| !word.is_empty());
    if words
        .first()
        .is_none_or(|word| word.starts_with(|c: char| c.is_ascii_digit()))
    {
        words.insert(0, "change".to_owned());
    }
    let mut slug = String::new();
    for word in words {
        if slug.is_empty() {
            slug = word.chars().take(SLUG).collect();
        } else if slug.len() + 1 + word.len() <= SLUG {
            slug.push('-');
            slug.push_str(&word);
        } else {
            break;
        }
    }
    slug
}

/// The branch of a work item.
pub fn branch(form: &ChangeBranch, id: &ItemId, title: &str) -> String {
    form.as_str()
        .replace("{id}", id.as_str())
        .replace("{slug}", &slug(title))
}

/// The work item of a branch; `None` where the branch is none of a change.
pub fn item_of_branch(form: &ChangeBranch, branch: &str) -> Option<ItemId> {
    let (before, behind) = form.as_str().split_once("{id}")?;
    let rest = branch.strip_prefix(before)?;
    let end = id_at_start(rest)?;
    let (id, rest) = rest.split_at(end);
    let fits = match behind.split_once("{slug}") {
        None => rest == behind,
        Some((between, last)) => rest
            .strip_prefix(between)
            .and_then(|rest| rest.strip_suffix(last))
            .is_some_and(|slug| !slug.is_empty()),
    };
    fits.then(|| ItemId(id.to_owned()))
}

/// The work item that a commit says it belongs to: the last trailer in the last paragraph of its message.
pub fn item_of_message(message: &str) -> Option<ItemId> {
    let message = message.trim_end();
    // A subject alone is no paragraph of trailers.
    let (_, last) = message.rsplit_once("\n\n")?;
    let mut values = last.lines().rev().filter_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.trim().eq_ignore_ascii_case(TRAILER).then(|| value.trim())
    });
    values.next()?.parse().ok()
}

/// A commit's message that says which work item it belongs to.
pub fn with_item(message: &str, id: &ItemId) -> String {
    let message = message.trim_end();
    if item_of_message(message).as_ref() == Some(id) {
        return format!("{message}\n");
    }
    let is_trailer = |line: &str| {
        let key = line.split_once(": ").map_or("", |(key, _)| key);
        !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    let ends_with_trailers = message
        .rsplit_once("\n\n")
        .is_some_and(|(_, last)| last.lines().all(is_trailer));
    let gap = if ends_with_trailers { "\n" } else { "\n\n" };
    format!("{message}{gap}{}\n", id.trailer())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::Naming;

    #[test]
    fn slugs() {
        let check = |title: &str, expect: &str| assert_eq!(slug(title), expect);
        check("Add a rating to accounts", "add-a-rating-to-accounts");
        check("  Größe: don't — über 12 Äpfel!  ", "groesse-dont-ueber-12-aepfel");
        check("12 months", "change-12-months");
        check("日本", "change");
        check("", "change");
        check(
            "A very long title that goes on and on until it does not fit any more",
            "a-very-long-title-that-goes-on-and-on-until-it",
        );
        check(&"x".repeat(80), &"x".repeat(50));
    }

    #[test]
    fn branches() {
        let form = Naming::default().changes;
        let check = |branch: &str, expect: Option<&str>| {
            assert_eq!(
                item_of_branch(&form, branch).as_ref().map(ItemId::as_str),
                expect,
                "{branch}"
            );
        };
        check("changes/BILL-42-add-a-rating", Some("BILL-42"));
        check("changes/7-fix", Some("7"));
        check("changes/42", None);
        check("changes/BILL-42", None);
        check("main", None);
        check("changes/a1b2-change-12-months", Some("a1b2"));
        let bare = ChangeBranch::try_from("w/{id}".to_owned()).unwrap();
        assert_eq!(item_of_branch(&bare, "w/BILL-42").unwrap().as_str(), "BILL-42");
        assert_eq!(item_of_branch(&bare, "w/BILL-42x"), None);
        for bad in ["", "BILL-", "-1", "a b", "BILL-4-2", "a/b"] {
            assert!(bad.parse::<ItemId>().is_err(), "{bad}");
        }
        for bad in ["changes", "{slug}-{id}", "a {id}", "{id}{x}", "{slug}"] {
            assert!(ChangeBranch::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }

    #[test]
    fn trailers() {
        let id: ItemId = "BILL-42".parse().unwrap();
        let check = |message: &str, expect: &str| {
            let written = with_item(message, &id);
            assert_eq!(written, expect);
            assert_eq!(item_of_message(&written), Some(id.clone()));
            assert_eq!(with_item(&written, &id), written);
        };
        check("Add a rating", "Add a rating\n\nSyncline-Item: BILL-42\n");
        check("Add: a rating\n", "Add: a rating\n\nSyncline-Item: BILL-42\n");
        check("Add\n\nBecause.\n", "Add\n\nBecause.\n\nSyncline-Item: BILL-42\n");
        check(
            "Add\n\nReviewed-by: Kim\n",
            "Add\n\nReviewed-by: Kim\nSyncline-Item: BILL-42\n",
        );
        assert_eq!(item_of_message("Syncline-Item: BILL-42"), None);
        assert_eq!(item_of_message("Add\n\nSyncline-Item: BILL-42\n\nMore."), None);
        assert_eq!(
            item_of_message("Add\n\nsyncline-item: A1\nSyncline-Item: B2")
                .unwrap()
                .as_str(),
            "B2"
        );
    }

    proptest! {
        #[test]
        fn branches_lead_back(id in "([A-Za-z][A-Za-z0-9]{0,5}-[0-9]{1,4}|[A-Za-z0-9]{1,8})", title in ".{0,80}") {
            let id: ItemId = id.parse().unwrap();
            let form = Naming::default().changes;
            let name = branch(&form, &id, &title);
            prop_assert_eq!(item_of_branch(&form, &name), Some(id));
            prop_assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '/'), "{}", name);
        }
    }
}
