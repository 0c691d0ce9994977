//! Test runs by the Tooling API, and the rows they leave.

use super::{Coverage, Outcome, TestClass, average, coverage, run_class, test_classes};
use crate::clock::Millis;
use crate::error::ApiError;
use crate::http::{Call, Reply};
use crate::metadata::rows::{self, flag, text};
use crate::org::records;
use crate::world::{Event, schedule};
use rusqlite::params;
use rusqlite::types::Value;
use serde_json::{Value as Json, json};

/// How long a run takes.
const RUN: Millis = 2_000;

/// A class of a run with the methods asked for; none of them means all.
type Chosen = (TestClass, Vec<String>);

/// What a request asks to run. Sources: Tooling API Developer Guide, runTestsAsynchronous and runTestsSynchronous.
fn chosen(call: &Call<'_>, body: &Json) -> Result<Vec<Chosen>, ApiError> {
    let all = test_classes(call)?;
    let list = |name: &str| -> Vec<String> {
        body[name]
            .as_str()
            .map(|ids| {
                ids.split(',')
                    .map(|id| id.trim().to_owned())
                    .filter(|id| !id.is_empty())
                    .collect()
            })
            .unwrap_or_default()
    };
    let mut wanted: Vec<(String, Vec<String>)> = Vec::new();
    for name in ["classids", "classIds", "classNames", "classnames"] {
        wanted.extend(list(name).into_iter().map(|class| (class, Vec::new())));
    }
    for test in body["tests"].as_array().into_iter().flatten() {
        let class = test["classId"]
            .as_str()
            .or_else(|| test["className"].as_str())
            .unwrap_or_default();
        let methods = test["testMethods"].as_array().into_iter().flatten();
        wanted.push((
            class.to_owned(),
            methods.filter_map(Json::as_str).map(str::to_owned).collect(),
        ));
    }
    if wanted.is_empty() {
        return match body["testLevel"].as_str() {
            Some("RunLocalTests") => Ok(all
                .into_iter()
                .filter(|c| c.namespace.is_none())
                .map(|c| (c, Vec::new()))
                .collect()),
            Some("RunAllTestsInOrg") => Ok(all.into_iter().map(|c| (c, Vec::new())).collect()),
            _ => Err(ApiError::new(
                "MISSING_ARGUMENT",
                "no test classes, test suites or test level given",
            )),
        };
    }
    wanted
        .into_iter()
        .map(|(class, methods)| {
            let id = crate::ids::long(&class);
            all.iter()
                .find(|one| one.name.eq_ignore_ascii_case(&class) || id.as_deref() == Some(&*one.record_id))
                .map(|one| (one.clone(), methods))
                .ok_or_else(|| ApiError::new("INVALID_INPUT", format!("This class name's value is invalid: {class}. Provide the name of an Apex class that has test methods.")))
        })
        .collect()
}

/// The body of a POST, or the query of a GET.
fn request(call: &Call<'_>) -> Result<Json, ApiError> {
    if call.request.method == axum::http::Method::GET {
        let pairs = call.request.query.iter();
        return Ok(pairs.map(|(name, value)| (name.clone(), json!(value))).collect());
    }
    call.json()
}

/// `runTestsAsynchronous`: answers the id of the job as a bare string.
pub(crate) fn asynchronous(call: &Call<'_>) -> Result<Reply, ApiError> {
    let body = request(call)?;
    let chosen = chosen(call, &body)?;
    let skip = body["skipCodeCoverage"].as_bool().unwrap_or_default();
    let insert = |object: &str, values: &[(&str, Value)]| {
        records::insert(call.org, call.db, &*call.object(object)?, values, &call.user, call.now)
    };
    let count = |n: usize| Value::Integer(i64::try_from(n).unwrap_or(i64::MAX));
    let job = insert(
        "AsyncApexJob",
        &[
            ("JobType", text("TestRequest")),
            ("Status", text("Queued")),
            ("TotalJobItems", count(chosen.len())),
            ("JobItemsProcessed", count(0)),
            ("NumberOfErrors", count(0)),
        ],
    )?;
    let methods: usize = chosen
        .iter()
        .map(|(class, methods)| run_class(call, class, methods).len())
        .sum();
    let all = body["testLevel"]
        .as_str()
        .is_some_and(|level| level != "RunSpecifiedTests");
    let run = insert(
        "ApexTestRunResult",
        &[
            ("AsyncApexJobId", text(&job)),
            ("UserId", text(&call.user)),
            ("IsAllTests", flag(all)),
            ("Source", text("tooling")),
            ("StartTime", Value::Integer(call.now)),
            ("Status", text("Queued")),
            ("ClassesEnqueued", count(chosen.len())),
            ("ClassesCompleted", count(0)),
            ("MethodsEnqueued", count(methods)),
            ("MethodsCompleted", count(0)),
            ("MethodsFailed", count(0)),
        ],
    )?;
    let mut items = Vec::new();
    for (class, methods) in &chosen {
        let item = insert(
            "ApexTestQueueItem",
            &[
                ("ApexClassId", text(&class.record_id)),
                ("Status", text("Queued")),
                ("ParentJobId", text(&job)),
                ("TestRunResultId", text(&run)),
                ("ShouldSkipCodeCoverage", flag(skip)),
            ],
        )?;
        items.push(json!([item, class.name, methods]));
    }
    let payload = json!({ "job": job, "run": run, "items": items, "skip": skip, "user": call.user });
    schedule(call.db, call.now + RUN, "apex.tests", &payload)?;
    Ok(Reply::json(&json!(job)))
}

/// Event: the tests of a run are through. Items that were aborted meanwhile are left out.
pub(crate) fn finish(call: &Call<'_>, event: &Event) -> Result<(), ApiError> {
    let payload = &event.payload;
    let id = |name: &str| payload[name].as_str().unwrap_or_default();
    let classes = test_classes(call)?;
    let (mut outcomes, mut completed) = (Vec::new(), 0_i64);
    for item in payload["items"].as_array().into_iter().flatten() {
        let (item_id, name) = (
            item[0].as_str().unwrap_or_default(),
            item[1].as_str().unwrap_or_default(),
        );
        let status: String =
            call.db
                .query_row("SELECT Status FROM ApexTestQueueItem WHERE Id = ?1", [item_id], |row| {
                    row.get(0)
                })?;
        let Some(class) = classes
            .iter()
            .find(|class| class.name == name)
            .filter(|_| status != "Aborted")
        else {
            continue;
        };
        let methods: Vec<String> = item[2]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Json::as_str)
            .map(str::to_owned)
            .collect();
        let found = run_class(call, class, &methods);
        let passed = found.iter().filter(|outcome| !outcome.is_failure()).count();
        call.db.execute(
            "UPDATE ApexTestQueueItem SET Status = 'Completed', ExtendedStatus = ?2 WHERE Id = ?1",
            params![item_id, format!("({passed}/{})", found.len())],
        )?;
        for outcome in &found {
            keep(call, outcome, item_id, id("job"), id("run"))?;
        }
        completed += 1;
        outcomes.extend(found);
    }
    if !payload["skip"].as_bool().unwrap_or_default() {
        keep_coverage(call, &classes, &outcomes)?;
    }
    let failed = outcomes.iter().filter(|outcome| outcome.is_failure()).count();
    let time: u32 = outcomes.iter().map(|outcome| outcome.time).sum();
    let status = if failed > 0 { "Failed" } else { "Completed" };
    call.db.execute(
        "UPDATE ApexTestRunResult SET Status = ?2, EndTime = ?3, TestTime = ?4, ClassesCompleted = ?5, MethodsCompleted = ?6, MethodsFailed = ?7 WHERE Id = ?1",
        params![id("run"), status, call.now, time, completed, i64::try_from(outcomes.len()).unwrap_or(0), i64::try_from(failed).unwrap_or(0)],
    )?;
    call.db.execute(
        "UPDATE AsyncApexJob SET Status = 'Completed', JobItemsProcessed = ?2, CompletedDate = ?3 WHERE Id = ?1",
        params![id("job"), completed, call.now],
    )?;
    Ok(())
}

fn keep(call: &Call<'_>, outcome: &Outcome, item: &str, job: &str, run: &str) -> Result<(), ApiError> {
    let word = match outcome.outcome.as_str() {
        "fail" => "Fail",
        "skip" => "Skip",
        _ => "Pass",
    };
    let failed = |value: String| {
        if outcome.is_failure() {
            Value::Text(value)
        } else {
            Value::Null
        }
    };
    let values = [
        ("TestTimestamp", Value::Integer(call.now)),
        ("Outcome", text(word)),
        ("ApexClassId", text(&outcome.class_id)),
        ("MethodName", text(&outcome.method)),
        ("Message", failed(outcome.message.clone())),
        ("StackTrace", failed(outcome.stack())),
        ("AsyncApexJobId", text(job)),
        ("QueueItemId", text(item)),
        ("ApexTestRunResultId", text(run)),
        ("RunTime", Value::Integer(outcome.time.into())),
        ("IsTestSetup", flag(false)),
    ];
    records::insert(
        call.org,
        call.db,
        &*call.object("ApexTestResult")?,
        &values,
        &call.user,
        call.now,
    )?;
    Ok(())
}

/// The rows of coverage: what each method reaches of the classes it names, each class, the org.
fn keep_coverage(call: &Call<'_>, classes: &[TestClass], outcomes: &[Outcome]) -> Result<(), ApiError> {
    let all = coverage(call)?;
    let line_json = |one: &Coverage| {
        let lines = |from: u32, to: u32| (from..=to).collect::<Vec<u32>>();
        json!({ "coveredLines": lines(1, one.covered), "uncoveredLines": lines(one.covered + 1, one.lines) })
            .to_string()
    };
    let numbers = |one: &Coverage| {
        vec![
            ("ApexClassOrTriggerId", text(&one.record_id)),
            ("NumLinesCovered", Value::Integer(one.covered.into())),
            ("NumLinesUncovered", Value::Integer((one.lines - one.covered).into())),
            ("Coverage", text(&line_json(one))),
        ]
    };
    let insert = |object: &str, values: &[(&str, Value)]| {
        records::insert(call.org, call.db, &*call.object(object)?, values, &call.user, call.now)
    };
    let mut reached = std::collections::BTreeSet::new();
    for outcome in outcomes {
        let body = classes
            .iter()
            .find(|class| class.name == outcome.class)
            .map_or("", |class| &*class.body);
        call.db.execute(
            "DELETE FROM ApexCodeCoverage WHERE ApexTestClassId = ?1 AND TestMethodName = ?2",
            [&outcome.class_id, &outcome.method],
        )?;
        for one in all.iter().filter(|one| body.contains(&one.name)) {
            let mut values = numbers(one);
            values.push(("ApexTestClassId", text(&outcome.class_id)));
            values.push(("TestMethodName", text(&outcome.method)));
            insert("ApexCodeCoverage", &values)?;
            reached.insert(one.record_id.clone());
        }
    }
    for one in all.iter().filter(|one| reached.contains(&one.record_id)) {
        call.db.execute(
            "DELETE FROM ApexCodeCoverageAggregate WHERE ApexClassOrTriggerId = ?1",
            [&one.record_id],
        )?;
        let mut values = numbers(one);
        values.push(("CoverageLastModifiedDate", Value::Integer(call.now)));
        insert("ApexCodeCoverageAggregate", &values)?;
    }
    let known: Option<String> = call
        .db
        .query_row("SELECT max(Id) FROM ApexOrgWideCoverage", [], |row| row.get(0))?;
    #[allow(clippy::cast_possible_truncation)]
    let percent = ("PercentCovered", Value::Integer(average(&all).floor() as i64));
    match known {
        Some(id) => rows::put(call, "ApexOrgWideCoverage", &id, &[percent]),
        None => insert("ApexOrgWideCoverage", &[percent]).map(|_| ()),
    }
}

/// `runTestsSynchronous`: the result at once.
pub(crate) fn synchronous(call: &Call<'_>) -> Result<Reply, ApiError> {
    let chosen = chosen(call, &request(call)?)?;
    if chosen.len() > 1 {
        return Err(ApiError::new(
            "INVALID_INPUT",
            "runTestsSynchronous takes the tests of one class",
        ));
    }
    let outcomes: Vec<Outcome> = chosen
        .iter()
        .flat_map(|(class, methods)| run_class(call, class, methods))
        .collect();
    let (failed, passed): (Vec<&Outcome>, Vec<&Outcome>) = outcomes.iter().partition(|outcome| outcome.is_failure());
    let list = |outcomes: &[&Outcome]| outcomes.iter().map(|outcome| outcome.json()).collect::<Vec<_>>();
    let time: u32 = outcomes.iter().map(|outcome| outcome.time).sum();
    Ok(Reply::json(&json!({
        "apexLogId": null,
        "codeCoverage": coverage(call)?.iter().map(Coverage::json).collect::<Vec<_>>(),
        "codeCoverageWarnings": [],
        "failures": list(&failed),
        "numFailures": failed.len(),
        "numTestsRun": outcomes.len(),
        "successes": list(&passed),
        "totalTime": time,
    })))
}
