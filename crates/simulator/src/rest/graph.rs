//! `POST /composite/graph`: composites of which each succeeds or fails as a whole.

use super::composite::run_all;
use crate::error::ApiError;
use crate::http::{Call, Reply, Route};
use serde_json::{Value as Json, json};
use std::collections::{HashMap, HashSet};

pub(crate) const ROUTES: &[Route] = &[Route::rest("POST", "/services/data/{version}/composite/graph", graph)];

const MOST_GRAPHS: usize = 75;
const MOST_NODES: usize = 500;
const MOST_DEPTH: usize = 15;
const MOST_KINDS: usize = 15;

fn limit(what: &str, found: usize, most: usize) -> Result<(), ApiError> {
    if found <= most {
        return Ok(());
    }
    Err(ApiError::new(
        "LIMIT_EXCEEDED",
        format!("the composite graph has {found} {what}; at most {most} are allowed"),
    ))
}

fn graph(call: &Call<'_>) -> Result<Reply, ApiError> {
    let body = call.json()?;
    let parser = |text: &str| ApiError::new("JSON_PARSER_ERROR", text);
    let graphs = body["graphs"]
        .as_array()
        .ok_or_else(|| parser("the body must have graphs, a list"))?;
    let list = |graph: &Json| graph["compositeRequest"].as_array().cloned().unwrap_or_default();
    limit("graphs", graphs.len(), MOST_GRAPHS)?;
    limit("nodes", graphs.iter().map(|graph| list(graph).len()).sum(), MOST_NODES)?;
    let mut answers = Vec::new();
    for graph in graphs {
        let id = graph["graphId"]
            .as_str()
            .ok_or_else(|| parser("each graph needs a graphId"))?;
        let requests = list(graph);
        limit("levels of references", depth(&requests), MOST_DEPTH)?;
        limit("kinds of nodes", kinds(&requests), MOST_KINDS)?;
        let (responses, successful) = run_all(call, &requests, true)?;
        answers.push(json!({
            "graphId": id,
            "graphResponse": { "compositeResponse": responses },
            "isSuccessful": successful,
        }));
    }
    Ok(Reply::json(&json!({ "graphs": answers })))
}

/// The longest chain of references.
fn depth(requests: &[Json]) -> usize {
    let mut depths: HashMap<&str, usize> = HashMap::new();
    for request in requests {
        let text = request.to_string();
        let below = depths
            .iter()
            .filter(|(id, _)| text.contains(&format!("@{{{id}.")) || text.contains(&format!("@{{{id}[")));
        let depth = below.map(|(_, depth)| *depth).max().unwrap_or(0) + 1;
        depths.insert(request["referenceId"].as_str().unwrap_or_default(), depth);
    }
    depths.values().copied().max().unwrap_or(0)
}

/// Different objects and methods.
fn kinds(requests: &[Json]) -> usize {
    let kind = |request: &Json| {
        let url = request["url"].as_str().unwrap_or_default();
        let object = url.split_once("/sobjects/").map_or("", |(_, rest)| rest);
        let object = object.split(['/', '?']).next().unwrap_or_default().to_lowercase();
        (request["method"].as_str().unwrap_or_default().to_uppercase(), object)
    };
    requests.iter().map(kind).collect::<HashSet<_>>().len()
}
