//! Sending a deployment once, watching it, cancelling it.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use reqwest::Body;
use reqwest::multipart::{Form, Part};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::super::tag;
use super::options::{DeployOptions, TestLevel};
use super::result::{DeployResult, DeployStatus};
use crate::connection::Connection;
use crate::error::{Error, Result};
use crate::poll::Poll;
use crate::request::{Request, segment};
use crate::rest::Page;
use crate::still::Pieces;

/// What is about to be sent: enough to find the deployment again when its answer is lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeployIntent {
    /// The options.
    pub options: DeployOptions,
    /// Bytes of the zip; none for a quick deployment.
    pub zip_size: Option<u64>,
    /// The id of the user who deploys.
    pub user: String,
    /// The user's newest deployments before this one; none when the org does not tell.
    pub before: Option<Vec<String>>,
}

/// Called before a deployment is sent, to write the intent down. An error stops it.
pub type OnIntent<'a> = &'a (dyn Fn(&DeployIntent) -> Result<(), String> + Send + Sync);

/// A deployment as the Tooling API lists it (object `DeployRequest`).
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Known {
    id: String,
    check_only: bool,
    rollback_on_error: Option<bool>,
    test_level: Option<String>,
    zip_size: Option<u64>,
}

/// REST wraps the result.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wrapped {
    id: String,
    #[serde(default)]
    deploy_result: DeployResult,
}

#[derive(Deserialize)]
struct Answer<T> {
    result: T,
}

#[derive(Deserialize)]
struct Started {
    id: String,
}

/// How often and how long apart a lost deployment is looked for.
const LOOKS: [Duration; 4] = [
    Duration::from_secs(1),
    Duration::from_secs(3),
    Duration::from_secs(6),
    Duration::from_secs(10),
];
/// Newest deployments of the user that are looked at.
const NEWEST: usize = 50;
const PATH: &str = "metadata/deployRequest";
/// Errors that say nothing of the user's rights.
const PASSING: [&str; 4] = [
    "UNABLE_TO_LOCK_ROW",
    "REQUEST_LIMIT_EXCEEDED",
    "SERVER_UNAVAILABLE",
    "UNKNOWN_EXCEPTION",
];

impl Connection {
    /// Sends a deployment and gives its id, `0Af…`. It is never sent twice: when the answer is lost, the org is asked which
    /// deployments began, and the one of the same options and size is taken.
    ///
    /// # Errors
    /// `unknown_outcome` when the answer is lost and the org does not show the deployment; what Salesforce refuses.
    pub async fn start_deploy(&self, zip: Bytes, options: &DeployOptions, on_intent: OnIntent<'_>) -> Result<String> {
        let intent = self.plan_deploy(&zip, options).await?;
        tell(on_intent, &intent)?;
        self.send_deploy(zip, &intent).await
    }

    /// What [`Connection::send_deploy`] is about to send, for a caller that writes it down first.
    pub async fn plan_deploy(&self, zip: &Bytes, options: &DeployOptions) -> Result<DeployIntent> {
        self.deploy_intent(options, Some(zip.len() as u64)).await
    }

    /// Sends what was planned, as [`Connection::start_deploy`].
    pub async fn send_deploy(&self, zip: Bytes, intent: &DeployIntent) -> Result<String> {
        match self.send_zip(zip, &intent.options).await {
            Ok(id) => Ok(id),
            Err(lost @ (Error::UnknownOutcome { .. } | Error::Unexpected { .. })) => self.adopt(intent, lost).await,
            Err(error) => Err(error),
        }
    }

    /// Deploys what was validated, without tests, and gives the id of the new deployment.
    ///
    /// # Errors
    /// `salesforce_error` with `INVALID_ID_FIELD` when the validation is too old, had no tests, or something was deployed since.
    pub async fn quick_deploy(&self, validation: &str, on_intent: OnIntent<'_>) -> Result<String> {
        let intent = self.plan_quick_deploy().await?;
        tell(on_intent, &intent)?;
        self.send_quick_deploy(validation, &intent).await
    }

    /// What [`Connection::send_quick_deploy`] is about to send.
    pub async fn plan_quick_deploy(&self) -> Result<DeployIntent> {
        self.deploy_intent(&DeployOptions::default(), None).await
    }

    /// Sends what was planned, as [`Connection::quick_deploy`].
    pub async fn send_quick_deploy(&self, validation: &str, intent: &DeployIntent) -> Result<String> {
        match self.send_quick(validation).await {
            Ok(id) => Ok(id),
            Err(lost @ (Error::UnknownOutcome { .. } | Error::Unexpected { .. })) => self.adopt(intent, lost).await,
            Err(error) => Err(error),
        }
    }

    /// Where a deployment stands; with `details` each component and test.
    pub async fn deploy_status(&self, id: &str, details: bool) -> Result<DeployResult> {
        let request = Request::get("read a deployment", format!("{PATH}/{}", segment(id)));
        match self.send(request.with("includeDetails", details.to_string())).await {
            Ok(answer) => Ok(answer.json::<Wrapped>()?.deploy_result),
            Err(error) if has_no_rest(&error) => {
                let arguments = tag("asyncProcessId", id) + &tag("includeDetails", details);
                let answer: Answer<DeployResult> = self.metadata_call("checkDeployStatus", &arguments).await?;
                Ok(answer.result)
            }
            Err(error) => Err(error),
        }
    }

    /// Waits for a deployment. `progress` is called with what is known each time. The result may be a failure: that is no error.
    ///
    /// # Errors
    /// `timed_out`, or no answer for long; the deployment goes on in the org.
    pub async fn finish_deploy(
        &self,
        id: &str,
        poll: Poll,
        progress: &mut (dyn FnMut(&DeployResult) + Send),
    ) -> Result<DeployResult> {
        let what = format!("wait for the deployment {id} in {}", self.name());
        let seen = |result: &DeployResult| {
            progress(result);
            result.is_final()
        };
        self.wait(&what, poll, || self.deploy_status(id, false), seen).await?;
        self.wait(&what, poll, || self.deploy_status(id, true), DeployResult::is_final)
            .await
    }

    /// Asks the org to cancel a deployment. It may end otherwise all the same; waiting tells. When the answer is lost, the deployment is
    /// looked at, and one that is not being cancelled is asked for once more.
    ///
    /// # Errors
    /// `salesforce_error` when it ended already.
    pub async fn cancel_deploy(&self, id: &str) -> Result<()> {
        match self.send_cancel(id).await {
            Err(Error::UnknownOutcome { .. }) => match self.deploy_status(id, false).await?.status {
                DeployStatus::Pending | DeployStatus::InProgress => self.send_cancel(id).await,
                _ => Ok(()),
            },
            other => other,
        }
    }

    async fn send_cancel(&self, id: &str) -> Result<()> {
        let request = Request::patch("cancel a deployment", format!("{PATH}/{}", segment(id)));
        let request = request.json(&json!({"deployResult": {"status": "Canceling"}}))?;
        match self.send(request).await {
            Ok(_) => Ok(()),
            Err(error) if has_no_rest(&error) => {
                let _: Answer<Started> = self.metadata_call("cancelDeploy", &tag("String", id)).await?;
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// The deployment of an intent, if the org shows it: for a caller that comes back after its process has ended.
    ///
    /// # Errors
    /// `unknown_outcome` when several fit.
    pub async fn find_deploy(&self, intent: &DeployIntent) -> Result<Option<String>> {
        let Some(before) = &intent.before else {
            return Ok(None);
        };
        let rows = self.newest_deploys(&intent.user).await?;
        let fitting: Vec<Known> = rows
            .into_iter()
            .filter(|row| !before.contains(&row.id) && row.fits(intent))
            .collect();
        match fitting.as_slice() {
            [] => Ok(None),
            [one] => Ok(Some(one.id.clone())),
            several => {
                let ids: Vec<&str> = several.iter().map(|row| row.id.as_str()).collect();
                Err(Error::UnknownOutcome {
                    attempted: format!("find the deployment in {}", self.name()),
                    why: format!("several of this user could be it: {}", ids.join(", ")),
                })
            }
        }
    }

    async fn deploy_intent(&self, options: &DeployOptions, zip_size: Option<u64>) -> Result<DeployIntent> {
        let user = self.identity().await?.user_id.to_string();
        let before = match self.newest_deploys(&user).await {
            Ok(rows) => Some(rows.into_iter().map(|row| row.id).collect()),
            // The user may not see them. Then a lost answer stays unknown.
            Err(error @ Error::Answered { .. }) if !passes(&error) => None,
            Err(error) => return Err(error),
        };
        Ok(DeployIntent {
            options: options.clone(),
            zip_size,
            user,
            before,
        })
    }

    async fn newest_deploys(&self, user: &str) -> Result<Vec<Known>> {
        let soql = format!(
            "SELECT Id, CheckOnly, RollbackOnError, TestLevel, ZipSize FROM DeployRequest WHERE CreatedById = '{user}' \
             ORDER BY CreatedDate DESC LIMIT {NEWEST}"
        );
        let request = Request::get("query deployments", "tooling/query").with("q", soql);
        let page: Page<Known> = self.send(request).await?.json()?;
        Ok(page.records)
    }

    async fn adopt(&self, intent: &DeployIntent, lost: Error) -> Result<String> {
        for wait in LOOKS {
            self.clock().sleep(wait).await;
            match self.find_deploy(intent).await {
                Ok(Some(id)) => {
                    tracing::info!(id, "the answer was lost, the deployment was found");
                    return Ok(id);
                }
                Ok(None) => {}
                Err(error @ Error::UnknownOutcome { .. }) => return Err(error),
                Err(error) => tracing::debug!("looking for a deployment: {error}"),
            }
        }
        Err(Error::UnknownOutcome {
            attempted: format!("deploy to {}", self.name()),
            why: match intent.before {
                Some(_) => format!("{lost}; among the user's deployments there is none like it"),
                None => format!("{lost}; this user may not see deployments"),
            },
        })
    }

    async fn send_zip(&self, zip: Bytes, options: &DeployOptions) -> Result<String> {
        let json = json!({"deployOptions": options}).to_string();
        let (file, still) = (zip.clone(), self.still.clone());
        let form = move || {
            let part = |part: Part, kind: &str| part.mime_str(kind).unwrap_or_else(|_| Part::text(""));
            let length = file.len() as u64;
            let body = Body::wrap_stream(Pieces::new(file.clone(), still.clone()));
            Form::new()
                .part("json", part(Part::text(json.clone()), "application/json"))
                .part(
                    "file",
                    part(
                        Part::stream_with_length(body, length).file_name("deploy.zip"),
                        "application/zip",
                    ),
                )
        };
        match self.send(Request::post("deploy", PATH).multipart(form)).await {
            Ok(answer) => Ok(answer.json::<Wrapped>()?.id),
            Err(error) if has_no_rest(&error) => {
                let arguments = tag("ZipFile", STANDARD.encode(&zip)) + &options.xml();
                let answer: Answer<Started> = self.metadata_call("deploy", &arguments).await?;
                Ok(answer.result.id)
            }
            Err(error) => Err(error),
        }
    }

    async fn send_quick(&self, validation: &str) -> Result<String> {
        let request = Request::post("quick-deploy", PATH).json(&json!({"validatedDeployRequestId": validation}))?;
        match self.send(request).await {
            Ok(answer) => Ok(answer.json::<Wrapped>()?.id),
            Err(error) if has_no_rest(&error) => {
                let arguments = tag("validationId", validation);
                let answer: Answer<String> = self.metadata_call("deployRecentValidation", &arguments).await?;
                Ok(answer.result)
            }
            Err(error) => Err(error),
        }
    }
}

/// Whether an answer is about the moment, and not about what the user may.
fn passes(error: &Error) -> bool {
    let overload = matches!(error.status(), Some(420 | 429 | 500..=599));
    overload || PASSING.iter().any(|code| error.has_fault(code))
}

fn tell(on_intent: OnIntent<'_>, intent: &DeployIntent) -> Result<()> {
    on_intent(intent).map_err(|why| Error::Internal {
        what: format!("the deployment could not be written down, so it is not sent: {why}"),
    })
}

/// Whether there is nothing at this address: then nothing happened, and SOAP can do it.
fn has_no_rest(error: &Error) -> bool {
    matches!(error.status(), Some(404 | 405 | 501))
}

impl Known {
    fn fits(&self, intent: &DeployIntent) -> bool {
        let options = &intent.options;
        let same_size = self
            .zip_size
            .zip(intent.zip_size)
            .is_none_or(|(theirs, ours)| theirs == 0 || theirs == ours);
        let same_tests = self
            .test_level
            .as_deref()
            .zip(options.test_level.map(TestLevel::name))
            .is_none_or(|(theirs, ours)| theirs == ours);
        self.check_only == options.check_only
            && self
                .rollback_on_error
                .is_none_or(|theirs| theirs == options.rollback_on_error)
            && same_size
            && same_tests
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deployment_is_known_again() {
        let intent = DeployIntent {
            options: DeployOptions {
                test_level: Some(TestLevel::RunLocalTests),
                ..DeployOptions::default()
            },
            zip_size: Some(1234),
            user: "005".to_owned(),
            before: Some(Vec::new()),
        };
        let row = |value: serde_json::Value| serde_json::from_value::<Known>(value).unwrap().fits(&intent);
        assert!(row(
            json!({"Id": "0Af1", "CheckOnly": false, "RollbackOnError": true, "TestLevel": "RunLocalTests", "ZipSize": 1234})
        ));
        assert!(row(
            json!({"Id": "0Af1", "CheckOnly": false, "RollbackOnError": null, "TestLevel": null, "ZipSize": null})
        ));
        assert!(!row(json!({"Id": "0Af1", "CheckOnly": true, "ZipSize": 1234})));
        assert!(!row(json!({"Id": "0Af1", "CheckOnly": false, "ZipSize": 1235})));
        assert!(!row(
            json!({"Id": "0Af1", "CheckOnly": false, "TestLevel": "NoTestRun"})
        ));
    }
}
