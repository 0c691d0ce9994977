//! Who changed what: the setup audit trail, source tracking, and the last copies of sandboxes.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use syncline_salesforce::soql::quote_list;
use syncline_salesforce::{Connection, Error, Kind};

/// Rows of the setup audit trail that are read and kept.
const MOST: usize = 5_000;

/// A row of the setup audit trail (Object Reference, "SetupAuditTrail").
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TrailEntry {
    /// When, as in `2026-03-02T10:15:30.000+0000`.
    pub at: String,
    /// Who; empty for the platform itself.
    pub by: String,
    /// What, as in `Changed ApexClass Tax`.
    pub display: String,
}

/// A row of source tracking (Tooling API, "SourceMember").
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Member {
    /// Type.
    pub kind: String,
    /// Full name.
    pub name: String,
    /// Its counter, which only grows.
    pub revision: i64,
    /// The component is gone.
    pub deleted: bool,
    /// The id of who changed it, 15 characters.
    pub by_id: String,
    /// Who changed it.
    pub by: String,
    /// When.
    pub at: String,
}

/// The last copy of a sandbox (Tooling API, "SandboxProcess").
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Copy {
    /// The sandbox's name.
    pub sandbox: String,
    /// `DEVELOPER`, `DEVELOPER_PRO`, `PARTIAL`, `FULL`.
    pub licence: String,
    /// When it was begun.
    pub at: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Row {
    created_date: Option<String>,
    created_by: Option<Named>,
    display: Option<String>,
    delegate_user: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Named {
    name: Option<String>,
}

/// The newest rows of the setup audit trail, `None` where the user may not read it.
pub(super) async fn trail(connection: &Connection) -> Result<Option<Vec<TrailEntry>>, Error> {
    let soql = format!(
        "SELECT CreatedDate, CreatedBy.Name, Display, DelegateUser FROM SetupAuditTrail ORDER BY CreatedDate DESC LIMIT {MOST}"
    );
    let Some(rows) = allowed(connection.query(&soql).rows::<Row>().await)? else {
        return Ok(None);
    };
    let entry = |row: Row| TrailEntry {
        at: row.created_date.unwrap_or_default(),
        by: row
            .delegate_user
            .or(row.created_by.and_then(|by| by.name))
            .unwrap_or_default(),
        display: row.display.unwrap_or_default(),
    };
    Ok(Some(rows.into_iter().map(entry).collect()))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MemberRow {
    member_type: String,
    member_name: String,
    is_name_obsolete: bool,
    revision_counter: f64,
    changed_by: Option<String>,
    last_modified_date: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct User {
    id: String,
    name: Option<String>,
}

/// Names under which source tracking knows a type.
const TRACKED_AS: &[(&str, &str)] = &[("QuickActionDefinition", "QuickAction")];

/// All rows of source tracking, `None` where the org does not track.
pub async fn members(connection: &Connection) -> Result<Option<Vec<Member>>, Error> {
    let soql =
        "SELECT MemberType, MemberName, IsNameObsolete, RevisionCounter, ChangedBy, LastModifiedDate FROM SourceMember";
    let Some(rows) = allowed(connection.tooling_query(soql).rows::<MemberRow>().await)? else {
        return Ok(None);
    };
    let ids: BTreeSet<&str> = rows.iter().filter_map(|row| row.changed_by.as_deref()).collect();
    let mut names = BTreeMap::new();
    let ids: Vec<&str> = ids.into_iter().collect();
    for some in ids.chunks(200) {
        let soql = format!(
            "SELECT Id, Name FROM User WHERE Id IN {}",
            quote_list(some.iter().copied())
        );
        for user in connection.query(&soql).rows::<User>().await? {
            names.insert(short(&user.id).to_owned(), user.name.unwrap_or_default());
        }
    }
    let member = |row: MemberRow| {
        let by_id = short(row.changed_by.as_deref().unwrap_or_default()).to_owned();
        let kind = TRACKED_AS.iter().find(|(tracked, _)| *tracked == row.member_type);
        Member {
            kind: kind.map_or(row.member_type, |(_, name)| (*name).to_owned()),
            name: syncline_metadata::component::decode(&row.member_name).into_string(),
            #[expect(clippy::cast_possible_truncation, reason = "a counter is a whole number")]
            revision: row.revision_counter as i64,
            deleted: row.is_name_obsolete,
            by: names.get(&by_id).cloned().unwrap_or_default(),
            by_id,
            at: row.last_modified_date.unwrap_or_default(),
        }
    };
    Ok(Some(rows.into_iter().map(member).collect()))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Process {
    sandbox_name: String,
    license_type: Option<String>,
    start_date: Option<String>,
    created_date: Option<String>,
}

/// The last completed copy of each sandbox; none where the org has none or the user may not see them.
pub(super) async fn copies(connection: &Connection) -> Result<Vec<Copy>, Error> {
    let soql = "SELECT SandboxName, LicenseType, StartDate, CreatedDate FROM SandboxProcess WHERE Status = 'Completed' \
                ORDER BY CreatedDate DESC";
    let rows = allowed(connection.tooling_query(soql).rows::<Process>().await)?.unwrap_or_default();
    let mut copies: BTreeMap<String, Copy> = BTreeMap::new();
    for row in rows {
        let copy = Copy {
            sandbox: row.sandbox_name.clone(),
            licence: row.license_type.unwrap_or_default(),
            at: row.start_date.or(row.created_date).unwrap_or_default(),
        };
        copies.entry(row.sandbox_name).or_insert(copy);
    }
    Ok(copies.into_values().collect())
}

/// The first 15 characters of an id, which name it.
fn short(id: &str) -> &str {
    id.get(..15).unwrap_or(id)
}

/// `None` when the org does not have what was asked for, or does not show it to this user.
fn allowed<T>(result: Result<T, Error>) -> Result<Option<T>, Error> {
    const ABSENT: [&str; 4] = ["INVALID_TYPE", "INSUFFICIENT_ACCESS", "INVALID_FIELD", "NOT_FOUND"];
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() != Kind::Internal && ABSENT.iter().any(|code| error.has_fault(code)) => Ok(None),
        Err(error) => Err(error),
    }
}
