//! Anonymous Apex.

use serde::Deserialize;

use crate::connection::Connection;
use crate::error::Result;
use crate::request::Request;

/// What became of a script. Salesforce answers with success even when it does not compile or throws.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Executed {
    /// Whether it compiled.
    pub compiled: bool,
    /// Whether it ran to its end.
    pub success: bool,
    /// The line of the problem; -1 without one.
    pub line: i64,
    /// The column of the problem; -1 without one.
    pub column: i64,
    /// Why it did not compile.
    pub compile_problem: Option<String>,
    /// What it threw.
    pub exception_message: Option<String>,
    /// Where it threw.
    pub exception_stack_trace: Option<String>,
}

impl Connection {
    /// Runs Apex as the user of the session. It is a GET, but counts as a write.
    ///
    /// # Errors
    /// `unknown_outcome` when no answer came: it may have run. Compile errors and exceptions stand in the result.
    pub async fn execute_anonymous(&self, apex: &str) -> Result<Executed> {
        let request = Request::get("run Apex", "tooling/executeAnonymous").with("anonymousBody", apex);
        self.send(request).await?.json()
    }
}
