//! `GET /services/data`: the API versions, without a session.

use crate::error::ApiError;
use crate::http::{Call, Reply, Route, Surface};
use serde_json::{Value, json};

pub(crate) const ROUTES: &[Route] = &[
    Route::on(Surface::Open, "GET", "/services/data", versions),
    Route::rest("GET", "/services/data/{version}", resources),
];

/// Seasons by API version: v62 is Winter '25, three releases a year.
fn label(version: u16) -> String {
    let n = version - 62;
    let season = ["Winter", "Spring", "Summer"][usize::from(n % 3)];
    format!("{season} '{}", 25 + n / 3)
}

fn versions(call: &Call<'_>) -> Result<Reply, ApiError> {
    let all: Vec<Value> = (62..=call.world.config.api_version)
        .map(|v| json!({ "label": label(v), "url": format!("/services/data/v{v}.0"), "version": format!("{v}.0") }))
        .collect();
    Ok(Reply::json(&Value::Array(all)))
}

fn resources(call: &Call<'_>) -> Result<Reply, ApiError> {
    let base = format!("/services/data/v{}.0", call.version);
    let names = [
        "sobjects",
        "query",
        "queryAll",
        "search",
        "limits",
        "tooling",
        "composite",
        "jobs",
        "metadata",
    ];
    let mut resources: Value = names
        .iter()
        .map(|name| ((*name).to_owned(), json!(format!("{base}/{name}"))))
        .collect();
    // The only one with a host.
    resources["identity"] = json!(format!("{}/id/{}/{}", call.origin(), call.org.id, call.user));
    Ok(Reply::json(&resources))
}
