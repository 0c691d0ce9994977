//! `GET /search?q=FIND {…}`.

use crate::error::ApiError;
use crate::http::{Call, Reply, Route};
use crate::soql::search;
use serde_json::json;

pub(crate) const ROUTES: &[Route] = &[
    Route::rest("GET", "/services/data/{version}/search", find),
    Route::rest("GET", "/services/data/{version}/tooling/search", find),
    Route::rest("GET", "/services/data/{version}/parameterizedSearch", parameterized),
    Route::rest("POST", "/services/data/{version}/parameterizedSearch", parameterized),
];

fn find(call: &Call<'_>) -> Result<Reply, ApiError> {
    let text = call
        .request
        .query("q")
        .filter(|text| !text.trim().is_empty())
        .ok_or_else(|| ApiError::new("MALFORMED_SEARCH", "A search string has to be specified"))?;
    Ok(Reply::json(&json!({ "searchRecords": search::run(call, text)? })))
}

fn parameterized(_: &Call<'_>) -> Result<Reply, ApiError> {
    Err(ApiError::new(
        "FUNCTIONALITY_NOT_ENABLED",
        "parameterizedSearch is not simulated; send the search as SOSL to /search?q=FIND {…}",
    ))
}
