//! Anonymous Apex.

use serde::Deserialize;

use crate::connection::Connection;
use crate::error::{Error, Result};
use crate::request::{Request, segment};
use crate::soap::escape;

/// The longest script, encoded, that goes into an address; longer ones go through the SOAP API of Apex.
const IN_ADDRESS: usize = 12_000;
const NAMESPACE: &str = "http://soap.sforce.com/2006/08/apex";

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
        if segment(apex).len() <= IN_ADDRESS {
            let request = Request::get("run Apex", "tooling/executeAnonymous").with("anonymousBody", apex);
            return self.send(request).await?.json();
        }
        let path = format!("/services/Soap/s/{}", self.api_version());
        let call = format!("<executeAnonymous><String>{}</String></executeAnonymous>", escape(apex));
        let answer = self.soap(&path, NAMESPACE, "executeAnonymous", "", &call).await?;
        read_result(answer.text()?).ok_or_else(|| Error::unexpected("run Apex", "the envelope holds no result"))
    }
}

/// The `<result>` of the SOAP call; it has the same members as the answer in JSON.
fn read_result(envelope: &str) -> Option<Executed> {
    let document = roxmltree::Document::parse(envelope).ok()?;
    let result = document.descendants().find(|node| node.tag_name().name() == "result")?;
    let text = |name: &str| {
        let mut children = result.children();
        children
            .find(|child| child.tag_name().name() == name)?
            .text()
            .map(str::to_owned)
    };
    Some(Executed {
        compiled: text("compiled")? == "true",
        success: text("success")? == "true",
        line: text("line")?.parse().ok()?,
        column: text("column")?.parse().ok()?,
        compile_problem: text("compileProblem"),
        exception_message: text("exceptionMessage"),
        exception_stack_trace: text("exceptionStackTrace"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_result_of_soap() {
        let envelope = "<e:Envelope xmlns:e='e' xmlns:xsi='x'><e:Body><executeAnonymousResponse xmlns='http://soap.sforce.com/2006/08/apex'><result>\
            <column>8</column><compileProblem>Unexpected token</compileProblem><compiled>false</compiled><exceptionMessage xsi:nil='true'/>\
            <exceptionStackTrace xsi:nil='true'/><line>1</line><success>false</success></result></executeAnonymousResponse></e:Body></e:Envelope>";
        let executed = read_result(envelope).unwrap();
        assert_eq!((executed.line, executed.column, executed.compiled), (1, 8, false));
        assert_eq!(executed.compile_problem.as_deref(), Some("Unexpected token"));
        assert_eq!(executed.exception_message, None);
        assert!(read_result("<x/>").is_none());
    }
}
