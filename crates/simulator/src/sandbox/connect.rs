//! The Connect API for sandboxes, v66 and later. Its ids are `07E…`, not those of SandboxInfo or SandboxProcess. Little of it
//! is documented: what is not known is not there.

use super::process::{self, Process};
use super::{license, production_only, refuse, run, status};
use crate::error::ApiError;
use crate::http::{Call, Reply, Route};
use crate::ids;
use crate::switches::ConnectSandboxes;
use serde_json::{Value, json};

pub(crate) const ROUTES: &[Route] = &[
    Route::rest("GET", "/services/data/{version}/sandbox/reports", reports),
    Route::rest("GET", "/services/data/{version}/sandbox/sandboxes/{id}", details),
    Route::rest("PATCH", "/services/data/{version}/sandbox/activate/{id}", activate),
    Route::rest(
        "DELETE",
        "/services/data/{version}/sandbox/discardsandbox/{id}",
        discard,
    ),
    Route::rest("DELETE", "/services/data/{version}/sandbox/deletesandbox/{id}", delete),
];

fn available(call: &Call<'_>) -> Result<(), ApiError> {
    if call.version < 66 || call.world.switches().connect_sandboxes == ConnectSandboxes::Absent {
        return Err(ApiError::not_found());
    }
    production_only(call, "SandboxInfo")
}

/// A sandbox as this API sees it.
struct Seen {
    connect_id: String,
    info_id: String,
    last: Process,
}

fn all(call: &Call<'_>) -> Result<Vec<Seen>, ApiError> {
    let mut read = call.db.prepare(
        "SELECT s.connect_id, s.info_id FROM _sandbox s JOIN SandboxInfo i ON i.Id = s.info_id WHERE i.IsDeleted = 0 ORDER BY i.SandboxName",
    )?;
    let rows: Vec<(String, String)> = read
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    let mut seen = Vec::new();
    for (connect_id, info_id) in rows {
        if let Some(last) = process::latest(call, &info_id)? {
            seen.push(Seen {
                connect_id,
                info_id,
                last,
            });
        }
    }
    Ok(seen)
}

fn one(call: &Call<'_>) -> Result<Seen, ApiError> {
    available(call)?;
    let id = ids::long(call.request.param("id")).unwrap_or_default();
    all(call)?
        .into_iter()
        .find(|seen| seen.connect_id == id)
        .ok_or_else(ApiError::not_found)
}

fn show(seen: &Seen) -> Value {
    let pending = seen.last.status == "Pending Activation";
    let label = license::of(&seen.last.license).map_or(seen.last.license.as_str(), |license| license.label);
    json!({
        "sandboxId": seen.connect_id,
        "sandboxName": seen.last.name,
        "license": label,
        "isPendingActivation": pending,
        "canActivate": pending && seen.last.refresh,
        "canDelete": !status::is_running(&seen.last.status),
        "canDiscard": pending && seen.last.refresh,
    })
}

fn reports(call: &Call<'_>) -> Result<Reply, ApiError> {
    available(call)?;
    let sandboxes: Vec<Value> = all(call)?.iter().map(|seen| json!({ "sandbox": show(seen) })).collect();
    Ok(Reply::json(
        &json!({ "count": sandboxes.len(), "sandboxes": sandboxes }),
    ))
}

fn details(call: &Call<'_>) -> Result<Reply, ApiError> {
    let seen = one(call)?;
    let mut shown = show(&seen);
    shown["status"] = json!(match seen.last.status.as_str() {
        "Completed" => "Active",
        other => other,
    });
    shown["sandboxType"] = json!(license::of(&seen.last.license).map(|license| license.kind));
    shown["sourceId"] = json!(seen.last.source);
    Ok(Reply::json(&shown))
}

/// The refresh that waits for its activation.
fn waiting(call: &Call<'_>, seen: &Seen) -> Result<(), ApiError> {
    if seen.last.refresh && seen.last.status == "Pending Activation" {
        return Ok(());
    }
    Err(refuse(
        call,
        "INVALID_STATUS",
        "No refresh of this sandbox waits for its activation.",
    ))
}

fn activate(call: &Call<'_>) -> Result<Reply, ApiError> {
    let seen = one(call)?;
    waiting(call, &seen)?;
    process::activate(call, &seen.last.id)?;
    Ok(Reply::empty())
}

fn discard(call: &Call<'_>) -> Result<Reply, ApiError> {
    let seen = one(call)?;
    waiting(call, &seen)?;
    run::discard(call, &seen.last.id)?;
    Ok(Reply::empty())
}

fn delete(call: &Call<'_>) -> Result<Reply, ApiError> {
    let seen = one(call)?;
    super::info::check_delete(call, &seen.info_id)?;
    call.db.execute(
        "UPDATE SandboxInfo SET IsDeleted = 1, LastModifiedDate = ?2 WHERE Id = ?1",
        rusqlite::params![seen.info_id, call.now],
    )?;
    run::delete(call, &seen.info_id)?;
    Ok(Reply::empty())
}
