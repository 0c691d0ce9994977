//! `POST /composite` and `/composite/batch`: several requests in one.

use crate::error::ApiError;
use crate::http::{Call, Reply, Route, within};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use bytes::Bytes;
use serde_json::{Map, Value as Json, json};
use std::collections::HashMap;

pub(crate) const ROUTES: &[Route] = &[
    Route::rest("POST", "/services/data/{version}/composite", composite),
    Route::rest("POST", "/services/data/{version}/composite/batch", batch),
    Route::rest("POST", "/services/data/{version}/tooling/composite", composite),
    Route::rest("POST", "/services/data/{version}/tooling/composite/batch", batch),
];

/// Requests in one.
const MOST: usize = 25;
/// Of which queries and collections.
const MOST_QUERIES: usize = 5;

fn halted() -> Json {
    json!([{
        "errorCode": "PROCESSING_HALTED",
        "message": "The transaction was rolled back since another operation in the same transaction failed.",
    }])
}

fn limit(text: String) -> ApiError {
    ApiError::new("LIMIT_EXCEEDED", text)
}

fn composite(call: &Call<'_>) -> Result<Reply, ApiError> {
    let body = call.json()?;
    let requests = body["compositeRequest"]
        .as_array()
        .ok_or_else(|| missing("compositeRequest"))?;
    if requests.len() > MOST {
        return Err(limit(format!(
            "The composite request has {} subrequests; at most {MOST} are allowed",
            requests.len()
        )));
    }
    let queries = requests
        .iter()
        .filter(|request| is_query(request["url"].as_str().unwrap_or_default()));
    let queries = queries.count();
    if queries > MOST_QUERIES {
        return Err(limit(format!(
            "The composite request has {queries} queries and collections; at most {MOST_QUERIES} are allowed"
        )));
    }
    let all = body["allOrNone"].as_bool().unwrap_or(false);
    let (responses, _) = run_all(call, requests, all)?;
    Ok(Reply::json(&json!({ "compositeResponse": responses })))
}

fn missing(name: &str) -> ApiError {
    ApiError::new("JSON_PARSER_ERROR", format!("the body must have {name}, a list"))
}

fn is_query(url: &str) -> bool {
    let path = url.split('?').next().unwrap_or_default();
    path.contains("/query") || path.contains("/queryAll") || path.contains("/composite/sobjects")
}

/// Runs requests one after the other; later ones may refer to the answers of earlier ones.
/// With `all`, one failure takes everything back. Says whether all succeeded.
pub(super) fn run_all(call: &Call<'_>, requests: &[Json], all: bool) -> Result<(Vec<Json>, bool), ApiError> {
    let mut ids: Vec<&str> = Vec::new();
    for request in requests {
        let id = request["referenceId"].as_str().unwrap_or_default();
        let fits = !id.is_empty() && id.chars().all(|c| c.is_alphanumeric() || c == '_');
        if !fits || ids.contains(&id) {
            return Err(ApiError::new(
                "JSON_PARSER_ERROR",
                format!("each subrequest needs a referenceId of its own, of letters, digits and _; found `{id}`"),
            ));
        }
        ids.push(id);
    }
    call.db.execute_batch("SAVEPOINT composite")?;
    let mut answers: HashMap<&str, Json> = HashMap::new();
    let mut responses: Vec<Json> = Vec::new();
    let mut failed = None;
    for (at, request) in requests.iter().enumerate() {
        if all && failed.is_some() {
            responses.push(response(ids[at], 400, halted(), Map::new()));
            continue;
        }
        let (status, body, headers) = match resolve(request, &answers) {
            Err(message) => {
                let body = json!([{ "errorCode": "PROCESSING_HALTED", "message": message }]);
                (400, body, Map::new())
            }
            Ok(request) => one(call, &request),
        };
        if status >= 400 {
            failed = failed.or(Some(at));
        } else {
            answers.insert(ids[at], body.clone());
        }
        responses.push(response(ids[at], status, body, headers));
    }
    let undo = all && failed.is_some();
    call.db.execute_batch(if undo {
        "ROLLBACK TO composite; RELEASE composite"
    } else {
        "RELEASE composite"
    })?;
    if undo {
        for (at, answer) in responses.iter_mut().enumerate() {
            if Some(at) != failed {
                *answer = response(ids[at], 400, halted(), Map::new());
            }
        }
    }
    Ok((responses, failed.is_none()))
}

fn response(id: &str, status: u16, body: Json, headers: Map<String, Json>) -> Json {
    json!({ "body": body, "httpHeaders": headers, "httpStatusCode": status, "referenceId": id })
}

fn one(call: &Call<'_>, request: &Json) -> (u16, Json, Map<String, Json>) {
    let url = request["url"].as_str().unwrap_or_default();
    let path = url.split('?').next().unwrap_or_default();
    if path.contains("/composite") && !path.contains("/composite/sobjects") {
        let body = json!([{ "errorCode": "NOT_FOUND", "message": "The requested resource does not exist" }]);
        return (404, body, Map::new());
    }
    let mut headers = HeaderMap::new();
    for (name, value) in request["httpHeaders"].as_object().into_iter().flatten() {
        let parsed = (
            HeaderName::try_from(name.as_str()),
            value.as_str().map(HeaderValue::from_str),
        );
        if let (Ok(name), Some(Ok(value))) = parsed {
            headers.insert(name, value);
        }
    }
    let body = ["body", "richInput"]
        .iter()
        .map(|name| &request[*name])
        .find(|body| !body.is_null());
    let body = body.map_or_else(Bytes::new, |body| Bytes::from(body.to_string()));
    let method = request["method"].as_str().unwrap_or("GET").to_uppercase();
    let method = Method::from_bytes(method.as_bytes()).unwrap_or(Method::GET);
    let reply = within(call, method, url, headers, body);
    let shown = ["Location", "ETag", "Last-Modified"];
    let headers = reply
        .headers
        .iter()
        .filter(|(name, _)| shown.contains(name))
        .map(|(name, value)| ((*name).to_owned(), json!(value)))
        .collect();
    let body = serde_json::from_slice(&reply.body).unwrap_or(Json::Null);
    (reply.status, body, headers)
}

/// Puts the answers of earlier requests in the place of `@{id.path}`.
fn resolve(request: &Json, answers: &HashMap<&str, Json>) -> Result<Json, String> {
    Ok(match request {
        Json::String(text) => Json::String(resolved(text, answers)?),
        Json::Array(list) => Json::Array(
            list.iter()
                .map(|item| resolve(item, answers))
                .collect::<Result<_, _>>()?,
        ),
        Json::Object(map) => {
            let pair = |(name, value): (&String, &Json)| Ok::<_, String>((name.clone(), resolve(value, answers)?));
            Json::Object(map.iter().map(pair).collect::<Result<_, _>>()?)
        }
        other => other.clone(),
    })
}

fn resolved(text: &str, answers: &HashMap<&str, Json>) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("@{") {
        out.push_str(before);
        let Some((reference, after)) = after.split_once('}') else {
            out.push_str("@{");
            rest = after;
            continue;
        };
        let (id, path) = reference.split_at(reference.find(['.', '[']).unwrap_or(reference.len()));
        let found = answers.get(id).and_then(|answer| follow(answer, path));
        match found {
            Some(Json::String(text)) => out.push_str(text),
            Some(value @ (Json::Number(_) | Json::Bool(_))) => out.push_str(&value.to_string()),
            _ => {
                return Err(format!(
                    "Invalid reference specified. No value for {reference} found in {id}. Provide a valid reference."
                ));
            }
        }
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

/// `.records[0].Id` from an answer; names in any case, as `id` and `Id` both occur.
fn follow<'j>(answer: &'j Json, path: &str) -> Option<&'j Json> {
    path.split(['.', '['])
        .map(|word| word.trim_end_matches(']'))
        .filter(|word| !word.is_empty())
        .try_fold(answer, |value, word| match value {
            Json::Array(list) => list.get(word.parse::<usize>().ok()?),
            Json::Object(map) => map.get(word).or_else(|| {
                map.iter()
                    .find(|(name, _)| name.eq_ignore_ascii_case(word))
                    .map(|(_, value)| value)
            }),
            _ => None,
        })
}

fn batch(call: &Call<'_>) -> Result<Reply, ApiError> {
    let body = call.json()?;
    let requests = body["batchRequests"]
        .as_array()
        .ok_or_else(|| missing("batchRequests"))?;
    if requests.len() > MOST {
        return Err(limit(format!(
            "The batch has {} subrequests; at most {MOST} are allowed",
            requests.len()
        )));
    }
    let halt = body["haltOnError"].as_bool().unwrap_or(false);
    let mut errors = false;
    let mut results = Vec::new();
    for request in requests {
        if errors && halt {
            results.push(json!({ "statusCode": 412, "result": [{
                "errorCode": "BATCH_PROCESSING_HALTED", "message": "Batch processing was halted per request",
            }] }));
            continue;
        }
        let mut request = request.clone();
        let url = request["url"].as_str().unwrap_or_default().trim_start_matches('/');
        if !url.starts_with("services/data/") {
            request["url"] = json!(format!("/services/data/{url}"));
        }
        let (status, result, _) = one(call, &request);
        errors |= status >= 400;
        results.push(json!({ "statusCode": status, "result": result }));
    }
    Ok(Reply::json(&json!({ "hasErrors": errors, "results": results })))
}
