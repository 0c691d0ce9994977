//! Sandboxes of a production org: create, refresh, activate, delete, and signing in to them.

use serde::Deserialize;
use serde_json::{Value, json};

use super::sandbox_status::SandboxStatus;
use crate::connection::Connection;
use crate::error::{Error, Result};
use crate::id::{Id, OrgId};
use crate::request::Request;
use crate::rest::Record;
use crate::secret::Secret;
use crate::soql::quote;

/// Fields of a `SandboxInfo` that Salesforce keeps itself; a refresh sends all others back.
const SYSTEM: &[&str] = &[
    "Id",
    "IsDeleted",
    "CreatedDate",
    "CreatedById",
    "LastModifiedDate",
    "LastModifiedById",
    "SystemModstamp",
];

/// A copy of production into a sandbox: its creation or one of its refreshes.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SandboxProcess {
    /// Its id (`0GR…`).
    pub id: Id,
    /// The sandbox (`0GQ…`).
    pub sandbox_info_id: Id,
    /// The sandbox's name.
    pub sandbox_name: String,
    /// The label of its state; see [`SandboxProcess::state`].
    pub status: String,
    /// The new org; missing until it exists.
    pub sandbox_organization: Option<OrgId>,
    /// Percent; missing for copies by template.
    pub copy_progress: Option<f64>,
    /// When it was asked for.
    pub created_date: String,
    /// When it ended. The sandbox may not be usable yet: [`Connection::sandbox_auth`] tells.
    pub end_date: Option<String>,
    /// `DEVELOPER`, `DEVELOPER_PRO`, `PARTIAL`, `FULL` and others.
    pub license_type: Option<String>,
    /// The sandbox that was cloned.
    pub source_id: Option<Id>,
}

impl SandboxProcess {
    /// Its state.
    pub fn state(&self) -> SandboxStatus {
        SandboxStatus::of_label(&self.status)
    }
}

/// What signs in to a sandbox: exchange the code with [`exchange_code`](crate::auth::exchange_code) at `login_url`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SandboxAuth {
    /// The user in the sandbox.
    pub auth_user_name: String,
    /// The code.
    pub auth_code: Secret<String>,
    /// The sandbox's address.
    pub instance_url: String,
    /// Where the code is exchanged.
    pub login_url: String,
}

impl Connection {
    /// The `SandboxInfo` of a name with all its fields; `None` when there is none.
    pub async fn sandbox(&self, name: &str) -> Result<Option<Record>> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Row {
            id: Id,
        }
        let soql = format!("SELECT Id FROM SandboxInfo WHERE SandboxName = {}", quote(name));
        let rows: Vec<Row> = self.tooling_query(&soql).rows().await?;
        match rows.as_slice() {
            [] => Ok(None),
            // Orgs have different fields; the record itself has all of them.
            [row] => Ok(Some(self.tooling_record("SandboxInfo", &row.id).await?)),
            _ => Err(Error::unexpected(
                "find the sandbox",
                format!("{} are named {name}", rows.len()),
            )),
        }
    }

    /// Creates a sandbox: fields of `SandboxInfo`, at least `SandboxName` and `LicenseType` or `SourceId`. Gives its id.
    ///
    /// # Errors
    /// `salesforce_error`, as with `DUPLICATE_VALUE` for a name that is taken; `unknown_outcome`: look with
    /// [`Connection::sandbox`].
    pub async fn create_sandbox(&self, fields: &Record) -> Result<Id> {
        self.tooling_create("SandboxInfo", fields).await
    }

    /// Refreshes a sandbox: its record as it is, with changes. Every PATCH is a refresh, and none can be taken back; the old copy
    /// stays until the new one is activated.
    ///
    /// # Errors
    /// `unknown_outcome` when no answer came: look with [`Connection::newest_sandbox_process`] before it is asked for again.
    pub async fn refresh_sandbox(&self, record: &Record, changes: &Record) -> Result<()> {
        let (id, body) = refresh_body(record, changes)?;
        self.tooling_update("SandboxInfo", &id, &body).await
    }

    /// Deletes a sandbox.
    pub async fn delete_sandbox(&self, sandbox: &Id) -> Result<()> {
        self.tooling_delete("SandboxInfo", sandbox).await
    }

    /// The newest copy into a sandbox, without those that are deleted. During a refresh the old one is there, too.
    pub async fn newest_sandbox_process(&self, name: &str) -> Result<Option<SandboxProcess>> {
        let filter = format!("SandboxName = {} ORDER BY CreatedDate DESC", quote(name));
        let rows = self.sandbox_processes(&filter).await?;
        Ok(rows.into_iter().find(|row| !row.state().is_deleted()))
    }

    /// A copy by its id.
    pub async fn sandbox_process(&self, process: &Id) -> Result<SandboxProcess> {
        let rows = self
            .sandbox_processes(&format!("Id = {}", quote(process.as_str())))
            .await?;
        let row = rows.into_iter().next();
        row.ok_or_else(|| {
            Error::unexpected(
                "read the sandbox's copy",
                format!("there is none with the id {process}"),
            )
        })
    }

    async fn sandbox_processes(&self, filter: &str) -> Result<Vec<SandboxProcess>> {
        let fields = "Id, SandboxInfoId, SandboxName, Status, SandboxOrganization, CopyProgress, CreatedDate, EndDate, LicenseType, SourceId";
        let soql = format!("SELECT {fields} FROM SandboxProcess WHERE {filter}");
        self.tooling_query(&soql).rows().await
    }

    /// Activates a refresh that waits for it. The old copy is gone for good then.
    pub async fn activate_sandbox(&self, process: &Id) -> Result<()> {
        self.refresh_action(process, "ACTIVATE").await
    }

    /// Throws away a refresh that waits for its activation.
    pub async fn discard_sandbox(&self, process: &Id) -> Result<()> {
        self.refresh_action(process, "DISCARD").await
    }

    async fn refresh_action(&self, process: &Id, action: &str) -> Result<()> {
        let fields = Record::from_iter([("RefreshAction".to_owned(), json!(action))]);
        self.tooling_update("SandboxProcess", process, &fields).await
    }

    /// A code for signing in to a sandbox; `None` while it is not ready, which is also so for a while after its copy ended.
    pub async fn sandbox_auth(&self, name: &str, app_id: &str, callback: &str) -> Result<Option<SandboxAuth>> {
        let body = json!({"sandboxName": name, "clientId": app_id, "callbackUrl": callback});
        let request = Request::post("ask for a sign-in to the sandbox", "tooling/sandboxAuth").json(&body)?;
        match self.send(request).await {
            Ok(answer) => Ok(Some(answer.json()?)),
            Err(error) if error.has_fault("INVALID_STATUS") => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The id, and all fields that Salesforce does not keep itself.
fn refresh_body(record: &Record, changes: &Record) -> Result<(Id, Record)> {
    let wrong = |what: &str| Error::argument(format!("the sandbox cannot be refreshed: {what}"));
    let id = record
        .get("Id")
        .and_then(Value::as_str)
        .ok_or_else(|| wrong("its record has no Id"))?;
    if changes
        .get("SandboxName")
        .is_some_and(|name| Some(name) != record.get("SandboxName"))
    {
        return Err(wrong("a refresh does not rename it"));
    }
    let mut body = record.clone();
    body.retain(|_, value| !value.is_null());
    body.extend(changes.clone());
    body.retain(|name, _| !SYSTEM.contains(&name.as_str()) && name != "attributes");
    // The licence of a clone follows its source.
    if body.get("SourceId").is_some_and(|source| !source.is_null()) {
        body.shift_remove("LicenseType");
    }
    // A text field that holds JSON.
    if let Some(config) = body.get_mut("PostCopyConfig").filter(|config| config.is_array()) {
        *config = Value::String(config.to_string());
    }
    Ok((id.parse()?, body))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(value: Value) -> Record {
        match value {
            Value::Object(record) => record,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn a_refresh_sends_the_whole_record_back() {
        let sandbox = record(json!({
            "attributes": {"type": "SandboxInfo"}, "Id": "0GQD000000IRt53", "IsDeleted": false, "CreatedDate": "x", "CreatedById": "x",
            "LastModifiedDate": "x", "LastModifiedById": "x", "SystemModstamp": "x", "SandboxName": "uat", "LicenseType": "PARTIAL",
            "Description": null, "AutoActivate": true, "PostCopyConfig": [{"Label": "a"}],
        }));
        let (id, body) = refresh_body(&sandbox, &record(json!({"AutoActivate": false}))).unwrap();
        assert_eq!(id.short(), "0GQD000000IRt53");
        let expected = json!({"SandboxName": "uat", "LicenseType": "PARTIAL", "AutoActivate": false, "PostCopyConfig": "[{\"Label\":\"a\"}]"});
        assert_eq!(Value::Object(body), expected);
        let clone = refresh_body(&sandbox, &record(json!({"SourceId": "0GQD000000IRt54"})))
            .unwrap()
            .1;
        assert!(!clone.contains_key("LicenseType"));
        assert!(refresh_body(&sandbox, &record(json!({"SandboxName": "qa"}))).is_err());
        assert!(refresh_body(&Record::new(), &Record::new()).is_err());
    }
}
