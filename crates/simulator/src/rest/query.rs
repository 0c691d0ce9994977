//! `GET /query`, `/queryAll` and their next pages, on the data and the Tooling API.

use crate::error::ApiError;
use crate::http::{Call, Reply, Route};
use crate::soql::{self, Options};

pub(crate) const ROUTES: &[Route] = &[
    Route::rest("GET", "/services/data/{version}/query", query),
    Route::rest("GET", "/services/data/{version}/queryAll", query_all),
    Route::rest("GET", "/services/data/{version}/query/{locator}", next),
    Route::rest("GET", "/services/data/{version}/queryAll/{locator}", next),
    Route::rest("GET", "/services/data/{version}/tooling/query", query),
    Route::rest("GET", "/services/data/{version}/tooling/queryAll", query_all),
    Route::rest("GET", "/services/data/{version}/tooling/query/{locator}", next),
];

fn query(call: &Call<'_>) -> Result<Reply, ApiError> {
    answer(call, false)
}

fn query_all(call: &Call<'_>) -> Result<Reply, ApiError> {
    answer(call, true)
}

fn answer(call: &Call<'_>, all_rows: bool) -> Result<Reply, ApiError> {
    if call.request.query("explain").is_some() {
        return Err(ApiError::new(
            "FUNCTIONALITY_NOT_ENABLED",
            "query plans (explain) are not simulated",
        ));
    }
    let text = call
        .request
        .query("q")
        .filter(|text| !text.trim().is_empty())
        .ok_or_else(|| ApiError::new("MALFORMED_QUERY", "A query string has to be specified"))?;
    if call
        .request
        .query("columns")
        .is_some_and(|wanted| wanted.eq_ignore_ascii_case("true"))
    {
        return Ok(Reply::json(&soql::column_metadata(call, text)?));
    }
    let options = Options {
        all_rows,
        batch_size: batch_size(call),
    };
    let result = soql::run(call, text, options)?;
    Ok(Reply::json(&result.body(call)))
}

fn next(call: &Call<'_>) -> Result<Reply, ApiError> {
    let result = soql::next_page(call, call.request.param("locator"), batch_size(call))?;
    Ok(Reply::json(&result.body(call)))
}

/// `Sforce-Query-Options: batchSize=500`
fn batch_size(call: &Call<'_>) -> Option<usize> {
    call.request
        .header("sforce-query-options")?
        .split([',', ';'])
        .filter_map(|option| option.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("batchSize"))
        .and_then(|(_, size)| size.trim().parse().ok())
}
