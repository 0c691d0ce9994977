//! Several requests in one: composite, batch and graph.

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::connection::Connection;
use crate::error::{Error, Result};
use crate::request::Request;

/// The most requests in a composite or a batch.
const PARTS: usize = 25;
/// The most requests in all graphs of one call, and the most graphs.
const NODES: usize = 500;
const GRAPHS: usize = 75;

/// A request inside a composite. Its path is below `/services/data/vXX.0/`; `@{a.id}` refers to the answer of part `a`.
#[derive(Debug, Clone)]
pub struct Part {
    /// Its name among the parts; a batch does not use it.
    pub name: String,
    /// The method.
    pub method: Method,
    /// The path, with its query, already encoded.
    pub path: String,
    /// The body, if any.
    pub body: Option<Value>,
}

/// The answer to a part.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct PartResult {
    /// The name of the part.
    #[serde(rename = "referenceId")]
    pub name: String,
    /// Its HTTP status.
    #[serde(rename = "httpStatusCode")]
    pub status: u16,
    /// Its body; an array of errors when it failed.
    pub body: Value,
}

impl PartResult {
    /// Whether the part succeeded.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// The answer to a part of a batch.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct BatchResult {
    /// Its HTTP status.
    #[serde(rename = "statusCode")]
    pub status: u16,
    /// Its body; an array of errors when it failed.
    pub result: Value,
}

/// Parts that happen all or not at all.
#[derive(Debug, Clone)]
pub struct Graph {
    /// Its name among the graphs.
    pub name: String,
    /// The parts.
    pub parts: Vec<Part>,
}

/// The answer to a graph.
#[derive(Debug, Clone, PartialEq)]
pub struct GraphResult {
    /// The name of the graph.
    pub name: String,
    /// Whether it happened.
    pub success: bool,
    /// The answers to its parts.
    pub parts: Vec<PartResult>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CompositeAnswer {
    composite_response: Vec<PartResult>,
}

#[derive(Deserialize)]
struct BatchAnswer {
    results: Vec<BatchResult>,
}

#[derive(Deserialize)]
struct GraphAnswer {
    graphs: Vec<GraphRow>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GraphRow {
    graph_id: String,
    is_successful: bool,
    graph_response: CompositeAnswer,
}

fn request(what: &'static str, path: &str, parts: &[Part], body: &Value) -> Result<Request> {
    let judged = parts
        .iter()
        .map(|part| (part.method.clone(), part.path.clone()))
        .collect();
    Ok(Request::post(what, path).json(body)?.containing(judged))
}

fn check(what: &str, count: usize, most: usize) -> Result<()> {
    if count == 0 || count > most {
        return Err(Error::argument(format!("{what} has 1 to {most} requests, not {count}")));
    }
    Ok(())
}

impl Connection {
    /// Sends parts in their order; with `all_or_none` a failed one undoes the others.
    pub async fn composite(&self, parts: &[Part], all_or_none: bool) -> Result<Vec<PartResult>> {
        check("a composite", parts.len(), PARTS)?;
        let requests: Vec<Value> = parts.iter().map(|part| self.node(part)).collect();
        let body = json!({"allOrNone": all_or_none, "compositeRequest": requests});
        let answer: CompositeAnswer = self
            .send(request("composite", "composite", parts, &body)?)
            .await?
            .json()?;
        same_count("composite", answer.composite_response, parts.len())
    }

    /// Sends independent parts; each succeeds or fails by itself.
    pub async fn batch(&self, parts: &[Part]) -> Result<Vec<BatchResult>> {
        check("a batch", parts.len(), PARTS)?;
        let requests: Vec<Value> = parts
            .iter()
            .map(|part| {
                let mut node =
                    json!({"method": part.method.as_str(), "url": format!("v{}/{}", self.api_version(), part.path)});
                if let Some(body) = &part.body {
                    node["richInput"] = body.clone();
                }
                node
            })
            .collect();
        let body = json!({"batchRequests": requests});
        let answer: BatchAnswer = self
            .send(request("batch", "composite/batch", parts, &body)?)
            .await?
            .json()?;
        same_count("batch", answer.results, parts.len())
    }

    /// Sends graphs; each happens as a whole or not at all.
    pub async fn graphs(&self, graphs: &[Graph]) -> Result<Vec<GraphResult>> {
        if graphs.is_empty() || graphs.len() > GRAPHS {
            return Err(Error::argument(format!(
                "a call has 1 to {GRAPHS} graphs, not {}",
                graphs.len()
            )));
        }
        let parts: Vec<Part> = graphs.iter().flat_map(|graph| graph.parts.iter().cloned()).collect();
        check("a call with graphs", parts.len(), NODES)?;
        let requests: Vec<Value> = graphs
            .iter()
            .map(|graph| {
                let nodes: Vec<Value> = graph.parts.iter().map(|part| self.node(part)).collect();
                json!({"graphId": graph.name, "compositeRequest": nodes})
            })
            .collect();
        let body = json!({"graphs": requests});
        let answer: GraphAnswer = self
            .send(request("graphs", "composite/graph", &parts, &body)?)
            .await?
            .json()?;
        let results = answer.graphs.into_iter().map(|row| GraphResult {
            name: row.graph_id,
            success: row.is_successful,
            parts: row.graph_response.composite_response,
        });
        same_count("graphs", results.collect(), graphs.len())
    }

    fn node(&self, part: &Part) -> Value {
        let url = format!("/services/data/v{}/{}", self.api_version(), part.path);
        let mut node = json!({"method": part.method.as_str(), "url": url, "referenceId": part.name});
        if let Some(body) = &part.body {
            node["body"] = body.clone();
        }
        node
    }
}

/// The results, when there is one for each part.
pub(crate) fn same_count<T>(attempted: &str, results: Vec<T>, expected: usize) -> Result<Vec<T>> {
    if results.len() == expected {
        return Ok(results);
    }
    Err(Error::unexpected(
        attempted,
        format!("{} results for {expected} requests", results.len()),
    ))
}
