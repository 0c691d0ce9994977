//! Bulk jobs whose answers are lost.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use syncline_salesforce::Poll;
use syncline_salesforce::bulk::{BulkQuery, Ingest, JobState, Operation, Outcome};

use crate::server::{Call, Reply, Server, sandbox};

/// What happens to the first call of a kind.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Lost {
    Nothing,
    Create,
    Upload,
    Close,
    Abort,
}

#[derive(Default)]
struct Jobs {
    states: HashMap<String, (&'static str, String)>,
    lost: bool,
}

impl Jobs {
    fn job(&self, id: &str) -> serde_json::Value {
        let (state, data) = &self.states[id];
        let rows = data.lines().count().saturating_sub(1);
        json!({"id": id, "object": "Account", "operation": "insert", "state": state,
            "numberRecordsProcessed": if *state == "JobComplete" { rows } else { 0 }, "numberRecordsFailed": 0})
    }

    /// The reply, unless it is the one to lose; that happens once.
    fn unless_lost(&mut self, lose: bool, reply: Reply) -> Reply {
        if lose && !self.lost {
            self.lost = true;
            return Reply::HangUp;
        }
        reply
    }

    fn answer(&mut self, call: &Call, lost: Lost) -> Reply {
        // The client writes ids with 18 characters.
        let id = call.path.split('/').find(|part| part.starts_with("750"));
        let id = id.map_or(String::new(), |id| id[..15].to_owned());
        match call.method.as_str() {
            "POST" => {
                let id = format!("750D0000000000{}", self.states.len());
                self.states.insert(id.clone(), ("Open", String::new()));
                let reply = Reply::ok(self.job(&id));
                self.unless_lost(lost == Lost::Create, reply)
            }
            "PUT" => {
                if let Some(job) = self.states.get_mut(&id) {
                    job.1 = call.body.clone();
                }
                self.unless_lost(lost == Lost::Upload, Reply::Json(201, json!(null)))
            }
            "PATCH" => {
                let abort = call.body.contains("Aborted");
                if let Some(job) = self.states.get_mut(&id) {
                    job.0 = if abort { "Aborted" } else { "JobComplete" };
                }
                let reply = Reply::ok(self.job(&id));
                self.unless_lost(lost == if abort { Lost::Abort } else { Lost::Close }, reply)
            }
            _ if id.is_empty() => {
                let records: Vec<_> = self.states.keys().map(|id| self.job(id)).collect();
                Reply::ok(json!({"done": true, "records": records}))
            }
            _ if call.path.ends_with("/successfulResults") => {
                let rows = self.states[&id]
                    .1
                    .lines()
                    .skip(1)
                    .map(|row| format!("001,true,{row}\n"))
                    .collect::<String>();
                Reply::Text(
                    200,
                    vec![("content-type", "text/csv".to_owned())],
                    format!("sf__Id,sf__Created,Name\n{rows}"),
                )
            }
            _ => Reply::ok(self.job(&id)),
        }
    }
}

async fn server(lost: Lost) -> Server {
    let jobs = Mutex::new(Jobs::default());
    Server::start(move |call, host| sandbox(call, host).unwrap_or_else(|| jobs.lock().unwrap().answer(call, lost)))
        .await
}

fn ingest() -> Ingest {
    let mut ingest = Ingest::new(Operation::Insert, "Account");
    ingest.part_limit = 12;
    ingest
}

const CSV: &str = "Name\nrow-1\nrow-2\nrow-3\n";

#[tokio::test]
async fn whatever_answer_is_lost_each_row_is_taken_once() {
    for (lost, aborted, stray) in [
        (Lost::Nothing, 0, 0),
        (Lost::Create, 0, 1),
        (Lost::Upload, 1, 0),
        (Lost::Close, 0, 0),
    ] {
        let server = server(lost).await;
        let org = server.connect(|_| {}).await.0.unwrap();
        let report = org.ingest(&ingest(), CSV.as_bytes(), &Poll::default()).await.unwrap();
        assert!(report.stopped.is_none(), "{lost:?} {report:?}");
        assert_eq!(
            (report.jobs.len(), report.processed(), report.failed()),
            (3, 3, 0),
            "{lost:?}"
        );
        assert_eq!((report.aborted.len(), report.stray.len()), (aborted, stray), "{lost:?}");
        assert!(report.jobs.iter().all(|job| job.state == JobState::JobComplete));
        let ids: Vec<_> = report.jobs.iter().map(|job| &job.id).collect();
        let mut rows = Vec::new();
        org.ingest_results(&ids, Outcome::Successful, &mut rows).await.unwrap();
        let expected = "sf__Id,sf__Created,Name\n001,true,row-1\n001,true,row-2\n001,true,row-3\n";
        assert_eq!(String::from_utf8(rows).unwrap(), expected, "{lost:?}");
    }
}

#[tokio::test]
async fn a_wrong_line_later_in_the_input_keeps_what_was_done() {
    let server = server(Lost::Nothing).await;
    let org = server.connect(|_| {}).await.0.unwrap();
    let report = org
        .ingest(&ingest(), "Name\nrow-1\nrow-2\na,b,c\n".as_bytes(), &Poll::default())
        .await
        .unwrap();
    assert_eq!(report.jobs.len(), 2);
    let stopped = report.stopped.unwrap();
    assert_eq!(
        stopped.to_string(),
        "line 4 of the CSV: the record has 3 fields, the header 1"
    );
}

#[tokio::test]
async fn an_answer_to_aborting_that_is_lost_is_looked_up() {
    let server = server(Lost::Abort).await;
    let org = server.connect(|_| {}).await.0.unwrap();
    let report = org
        .ingest(&ingest(), b"Name\n1\n".as_slice(), &Poll::default())
        .await
        .unwrap();
    let job = org.abort_job(&report.jobs[0].id).await.unwrap();
    assert_eq!(job.state, JobState::Aborted);
}

#[tokio::test]
async fn pages_of_a_query_are_neither_doubled_nor_lost() {
    let asked = AtomicUsize::new(0);
    let server = Server::start(move |call, host| {
        sandbox(call, host).unwrap_or_else(|| {
            let state = |state: &str| json!({"id": "750D00000000000", "state": state, "numberRecordsProcessed": 5});
            if call.is("POST", "/jobs/query") {
                return Reply::ok(state("UploadComplete"));
            }
            if !call.path.contains("/results") {
                return Reply::ok(state("JobComplete"));
            }
            let page = |next: &str, rows: &str| {
                let count = rows.lines().count() - 1;
                let headers = vec![
                    ("sforce-locator", next.to_owned()),
                    ("sforce-numberofrecords", count.to_string()),
                ];
                (headers, rows.to_owned())
            };
            let (headers, body) = match call.path.split("locator=").nth(1) {
                None => page("A", "Id\n1\n2\n"),
                Some("A") => page("B", "Id\n3\n4\n"),
                _ => page("null", "Id\n5\n"),
            };
            // Each page breaks off when it is asked for first.
            match asked.fetch_add(1, Ordering::SeqCst) % 2 {
                0 => Reply::Cut(headers, body),
                _ => Reply::Text(200, headers, body),
            }
        })
    })
    .await;
    let org = server.connect(|_| {}).await.0.unwrap();
    let mut csv = Vec::new();
    let exported = org
        .export(&BulkQuery::new("SELECT Id FROM Account"), &mut csv, &Poll::default())
        .await
        .unwrap();
    assert_eq!((exported.rows, exported.pages), (5, 3));
    assert_eq!(String::from_utf8(csv).unwrap(), "Id\n1\n2\n3\n4\n5\n");
    assert_eq!(server.count("GET", "/results"), 6);
}

#[tokio::test]
async fn an_error_in_the_place_of_rows_is_an_error() {
    let server = Server::start(|call, host| {
        sandbox(call, host).unwrap_or_else(|| Reply::fault(200, "INVALIDJOBSTATE", "the results are gone"))
    })
    .await;
    let org = server.connect(|_| {}).await.0.unwrap();
    let job = "750D00000000000".parse().unwrap();
    let mut rows = Vec::new();
    let error = org
        .ingest_results(&[&job], Outcome::Failed, &mut rows)
        .await
        .unwrap_err();
    assert!(error.has_fault("INVALIDJOBSTATE"), "{error}");
    assert!(rows.is_empty());
}
