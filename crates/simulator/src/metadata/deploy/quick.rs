//! Quick deployment of a validation.

use super::job;
use crate::clock::Millis;
use crate::error::ApiError;
use crate::http::Call;

/// How long a validation can be taken up: ten days.
const VALID_FOR: Millis = 10 * 86_400_000;

/// Deploys what a validation has checked, without its tests; gives the id of the new deployment.
///
/// The validation must have succeeded within ten days with tests, and nothing may have been deployed since.
pub(super) fn deploy(call: &Call<'_>, id: &str) -> Result<String, ApiError> {
    let refused = |why: &str| {
        ApiError::new(
            &call.world.switches().quick_deploy_refusal,
            format!("Job ID can't be used for quick deployment: {why}"),
        )
    };
    let job = job::load(call, id).map_err(|_| refused("it is not the ID of a validation"))?;
    if !job.options.check_only {
        return Err(refused("it is not the ID of a validation"));
    }
    if job.status != "Succeeded" {
        return Err(refused("the validation has not succeeded"));
    }
    if job.result["runTestsEnabled"].as_bool() != Some(true) {
        return Err(refused("no Apex tests ran in the validation"));
    }
    if job.completed.is_none_or(|at| call.now - at > VALID_FOR) {
        return Err(refused("the validation is older than 10 days"));
    }
    let later: bool = call.db.query_row(
        "SELECT EXISTS (SELECT 1 FROM _deploy WHERE status IN ('Succeeded', 'SucceededPartial')
         AND json_extract(options, '$.checkOnly') = 0 AND completed >= ?1)",
        [job.completed],
        |row| row.get(0),
    )?;
    if later {
        return Err(refused("a later deployment changed the organization"));
    }
    let options = super::Options {
        check_only: false,
        ..job.options.clone()
    };
    job::enqueue(call, &job.zip, &options, Some(&job.id))
}
