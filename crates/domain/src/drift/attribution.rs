//! Who changed a component in an org, and when.

use serde::Serialize;
use syncline_metadata::component::ComponentId;
use syncline_metadata::table::dates::untrusted;

use crate::time::Millis;

/// What the list of components says (`FileProperties` of the Metadata API).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastModified {
    /// The name of the user.
    pub by: String,
    /// When.
    pub at: Millis,
}

/// What source tracking says (`SourceMember` of the Tooling API; Developer and Developer Pro sandboxes only).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The name of the user.
    pub by: String,
    /// When.
    pub at: Millis,
    /// Whether the component was deleted.
    pub deleted: bool,
}

/// A row of `SetupAuditTrail`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrailRow {
    /// The name of the user.
    pub by: String,
    /// When.
    pub at: Millis,
    /// What was done, as the org says it.
    pub display: String,
}

/// Who, when, and how that is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Attribution {
    /// The name of the user.
    pub by: String,
    /// When.
    pub at: Millis,
    /// What says so.
    pub from: Source,
    /// What the org noted about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Others who touched it since the snapshot before.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
}

/// What names an author.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Source tracking.
    SourceMember,
    /// The list of components.
    LastModified,
    /// The setup audit trail.
    SetupAuditTrail,
}

/// How far the clock of a row and that of a component's date may differ in milliseconds to be one act: a save is noted when it
/// began, and ends later.
const ONE_ACT: i64 = 2 * 60_000;

/// Merges what is known about a change that came after `since`, the time of the snapshot before; `None` when nothing names an author.
///
/// Source tracking and the list of components name the last author, the later of the two counts; the list only for types whose
/// dates can be trusted. Rows of the trail that name the component add the others, and are the only witness of a deletion
/// in orgs without tracking.
pub fn attribute(
    component: &ComponentId,
    deleted: bool,
    since: Option<Millis>,
    listed: Option<&LastModified>,
    member: Option<&Member>,
    trail: &[TrailRow],
) -> Option<Attribution> {
    let is_new = |at: Millis| since.is_none_or(|since| at > since);
    let listed = listed
        .filter(|listed| !deleted && is_new(listed.at) && !untrusted(&component.type_name))
        .map(|listed| (listed.at, listed.by.as_str(), Source::LastModified));
    let member = member
        .filter(|member| member.deleted == deleted && is_new(member.at))
        .map(|member| (member.at, member.by.as_str(), Source::SourceMember));
    let mut rows: Vec<&TrailRow> = trail
        .iter()
        .filter(|row| is_new(row.at) && names(&row.display, component))
        .collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.at));
    let newest = rows
        .first()
        .map(|row| (row.at, row.by.as_str(), Source::SetupAuditTrail));
    let named = [listed, member].into_iter().flatten().max_by_key(|named| named.0);
    let (at, by, from) = named.or(newest)?;
    let note = rows
        .iter()
        .find(|row| row.by == by && (row.at - at).abs() <= ONE_ACT)
        .map(|row| row.display.clone());
    let mut also: Vec<String> = Vec::new();
    for row in rows {
        if row.by != by && !also.contains(&row.by) {
            also.push(row.by.clone());
        }
    }
    Some(Attribution {
        by: by.to_owned(),
        at,
        from,
        note,
        also,
    })
}

/// Whether a row's text names a component: by its own name as a word of its own, without suffix and object.
fn names(display: &str, component: &ComponentId) -> bool {
    let full: &str = &component.full_name;
    let own = full.rsplit(['.', '/']).next().unwrap_or(full);
    let own = own.strip_suffix("__c").unwrap_or(own);
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    display.match_indices(own).any(|(at, found)| {
        let before = display[..at].chars().next_back();
        let after = display[at + found.len()..]
            .strip_prefix("__c")
            .unwrap_or(&display[at + found.len()..]);
        !found.is_empty() && !before.is_some_and(is_part) && !after.chars().next().is_some_and(is_part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authors() {
        let row = |by: &str, at: Millis, display: &str| TrailRow {
            by: by.to_owned(),
            at,
            display: display.to_owned(),
        };
        let check = |id: &str,
                     deleted: bool,
                     listed: Option<(&str, Millis)>,
                     member: Option<(&str, Millis, bool)>,
                     trail: &[TrailRow],
                     expect: &str| {
            let listed = listed.map(|(by, at)| LastModified { by: by.to_owned(), at });
            let member = member.map(|(by, at, deleted)| Member {
                by: by.to_owned(),
                at,
                deleted,
            });
            let found = attribute(
                &id.parse().unwrap(),
                deleted,
                Some(1_000),
                listed.as_ref(),
                member.as_ref(),
                trail,
            );
            let shown = found.map_or("nobody".to_owned(), |found| {
                let note = found.note.map(|note| format!(" ({note})")).unwrap_or_default();
                let also = if found.also.is_empty() {
                    String::new()
                } else {
                    format!(" and {}", found.also.join(", "))
                };
                format!("{} at {} by {:?}{note}{also}", found.by, found.at, found.from)
            });
            assert_eq!(shown, expect, "{id}");
        };
        let class = "ApexClass:Billing";
        check(class, false, None, None, &[], "nobody");
        check(
            class,
            false,
            Some(("Kim", 5_000)),
            None,
            &[],
            "Kim at 5000 by LastModified",
        );
        check(class, false, Some(("Kim", 900)), None, &[], "nobody");
        check(
            class,
            false,
            Some(("Kim", 5_000)),
            Some(("Lee", 6_000, false)),
            &[],
            "Lee at 6000 by SourceMember",
        );
        check(
            class,
            false,
            Some(("Kim", 7_000)),
            Some(("Lee", 6_000, false)),
            &[],
            "Kim at 7000 by LastModified",
        );
        let trail = [
            row("Ann", 5_500, "Changed Billing Apex Class code"),
            row("Kim", 5_000, "Changed Billing Apex Class code"),
            row("Eve", 5_600, "Changed BillingTest Apex Class code"),
        ];
        check(
            class,
            false,
            Some(("Kim", 5_000)),
            None,
            &trail,
            "Kim at 5000 by LastModified (Changed Billing Apex Class code) and Ann",
        );
        check(
            class,
            true,
            None,
            None,
            &trail,
            "Ann at 5500 by SetupAuditTrail (Changed Billing Apex Class code) and Kim",
        );
        check(
            class,
            true,
            Some(("Kim", 9_000)),
            Some(("Lee", 6_000, true)),
            &[],
            "Lee at 6000 by SourceMember",
        );
        // The dates of settings mean nothing.
        check(
            "SecuritySettings:Security",
            false,
            Some(("Kim", 5_000)),
            None,
            &[],
            "nobody",
        );
        let field = [row(
            "Kim",
            5_000,
            "Created custom field: Rating (Text), Rating__c on Account",
        )];
        check(
            "CustomField:Account.Rating__c",
            false,
            None,
            None,
            &field,
            "Kim at 5000 by SetupAuditTrail (Created custom field: Rating (Text), Rating__c on Account)",
        );
    }
}
