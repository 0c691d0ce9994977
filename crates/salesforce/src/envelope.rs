//! The shapes in which Salesforce tells errors, read into one.
//!
//! REST, Tooling and Bulk 2.0 answer with an array of `{errorCode, message, fields}`; sign-in with an object
//! `{error, error_description}`; rows of collections and trees hold `errors: [{statusCode, message, fields}]`; SOAP has faults,
//! and its results hold `<errors>`; gateways answer with web pages.

use std::fmt;

use roxmltree::{Document, Node};
use serde::Serialize;
use serde_json::Value;

/// One error that Salesforce told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// `errorCode`, `statusCode` or the SOAP fault code without its prefix, as in `REQUIRED_FIELD_MISSING`.
    pub code: String,
    /// The text.
    pub message: String,
    /// Fields that it is about; often none.
    pub fields: Vec<String>,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.code.is_empty(), self.message.is_empty()) {
            (true, _) => f.write_str(&self.message)?,
            (false, true) => f.write_str(&self.code)?,
            // SOAP fault strings begin with their code.
            (false, false) if self.message.starts_with(&self.code) => f.write_str(&self.message)?,
            (false, false) => write!(f, "{}: {}", self.code, self.message)?,
        }
        if !self.fields.is_empty() {
            write!(f, " ({})", self.fields.join(", "))?;
        }
        Ok(())
    }
}

/// What a body with an error turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Envelope {
    /// Errors of the API.
    Faults(Vec<Fault>),
    /// An error of the sign-in.
    Login { error: String, description: String },
    /// No error in a shape that we know: a web page, text or nothing. Holds the title or the first words.
    Other { title: String },
}

/// Reads the body of an answer that says failure.
pub(crate) fn read(body: &[u8]) -> Envelope {
    let text = String::from_utf8_lossy(body);
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.starts_with(['[', '{'])
        && let Ok(value) = serde_json::from_str::<Value>(text)
    {
        if let Some(login) = login_error(&value) {
            return login;
        }
        let faults = faults_of_json(&value);
        if !faults.is_empty() {
            return Envelope::Faults(faults);
        }
    }
    if text.starts_with('<') && !is_html(text) {
        let faults = faults_of_xml(text);
        if !faults.is_empty() {
            return Envelope::Faults(faults);
        }
    }
    Envelope::Other { title: title(text) }
}

/// The errors of an array that came with success: some calls answer 200 and an array of errors.
pub(crate) fn faults_in_success(body: &[u8]) -> Vec<Fault> {
    let start = body.iter().position(|byte| !byte.is_ascii_whitespace());
    if start.is_none_or(|at| body[at] != b'[') || memchr::memmem::find(body, b"\"errorCode\"").is_none() {
        return Vec::new();
    }
    match serde_json::from_slice::<Vec<Value>>(body) {
        Ok(items) if !items.is_empty() && items.iter().all(is_request_error) => items.iter().map(fault).collect(),
        _ => Vec::new(),
    }
}

/// Nothing but the members of a request error, so that records with a field of that name are not taken for one.
fn is_request_error(item: &Value) -> bool {
    let known = ["errorCode", "message", "fields", "extendedErrorDetails"];
    item.as_object().is_some_and(|members| {
        members.get("errorCode").is_some_and(Value::is_string)
            && members.contains_key("message")
            && members.keys().all(|key| known.contains(&key.as_str()))
    })
}

fn login_error(value: &Value) -> Option<Envelope> {
    let error = value.get("error")?.as_str()?;
    let description = value
        .get("error_description")
        .and_then(Value::as_str)
        .unwrap_or_default();
    Some(Envelope::Login {
        error: error.to_owned(),
        description: description.to_owned(),
    })
}

/// All errors anywhere in an error answer: the array itself, `errors` of a row, or of the rows in `results`.
fn faults_of_json(value: &Value) -> Vec<Fault> {
    let list = match value {
        Value::Array(items) => items.as_slice(),
        Value::Object(_) => std::slice::from_ref(value),
        _ => &[],
    };
    let mut faults = Vec::new();
    for item in list {
        if item.get("errorCode").is_some() || item.get("statusCode").is_some_and(Value::is_string) {
            faults.push(fault(item));
        }
        for name in ["errors", "results"] {
            if let Some(inner) = item.get(name).filter(|inner| inner.is_array()) {
                faults.extend(faults_of_json(inner));
            }
        }
    }
    faults
}

/// One error object, whichever of its spellings.
pub(crate) fn fault(item: &Value) -> Fault {
    let text = |name: &str| item.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let code = Some(text("errorCode"))
        .filter(|code| !code.is_empty())
        .unwrap_or_else(|| text("statusCode"));
    let fields = item.get("fields").and_then(Value::as_array);
    Fault {
        code,
        message: text("message"),
        fields: fields
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
    }
}

/// The fault of a SOAP envelope; empty when it holds none or is no XML.
pub(crate) fn faults_of_xml(text: &str) -> Vec<Fault> {
    let Ok(document) = Document::parse(text) else {
        return Vec::new();
    };
    let mut faults = Vec::new();
    for node in document.descendants().filter(Node::is_element) {
        match node.tag_name().name() {
            "Fault" => {
                let code = child_text(node, "faultcode");
                faults.push(Fault {
                    code: code.rsplit(':').next().unwrap_or_default().to_owned(),
                    message: child_text(node, "faultstring"),
                    fields: Vec::new(),
                });
            }
            // REST answers of orgs that were asked for XML.
            "Error" if node.children().any(|child| child.has_tag_name("errorCode")) => faults.push(Fault {
                code: child_text(node, "errorCode"),
                message: child_text(node, "message"),
                fields: Vec::new(),
            }),
            _ => {}
        }
    }
    faults
}

/// The errors of one `<result>` of a SOAP call (`errors` with `statusCode`, `message`, `fields`).
pub fn faults_of_result(result: Node<'_, '_>) -> Vec<Fault> {
    let named = |name: &'static str| move |node: &Node<'_, '_>| node.is_element() && node.tag_name().name() == name;
    result
        .children()
        .filter(named("errors"))
        .map(|errors| Fault {
            code: child_text(errors, "statusCode"),
            message: child_text(errors, "message"),
            fields: errors
                .children()
                .filter(named("fields"))
                .filter_map(|node| node.text().map(str::to_owned))
                .collect(),
        })
        .collect()
}

fn child_text(node: Node<'_, '_>, name: &str) -> String {
    node.children()
        .find(|child| child.is_element() && child.tag_name().name() == name)
        .and_then(|child| child.text())
        .unwrap_or_default()
        .trim()
        .to_owned()
}

fn is_html(text: &str) -> bool {
    let start: String = text.chars().take(200).collect::<String>().to_lowercase();
    start.contains("<html") || start.contains("<!doctype html")
}

/// The title of a page, or the first words of a text, on one line.
fn title(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let shown = match (lower.find("<title>"), lower.find("</title>")) {
        (Some(start), Some(end)) if start + 7 <= end => &text[start + 7..end],
        _ if text.starts_with('<') => "",
        _ => text,
    };
    let line = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(120).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(body: &str) -> Vec<String> {
        match read(body.as_bytes()) {
            Envelope::Faults(faults) => faults.iter().map(Fault::to_string).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn request_errors() {
        assert_eq!(
            told(r#"[{"errorCode":"INVALID_FIELD","message":"No such column","fields":["X__c"]}]"#),
            ["INVALID_FIELD: No such column (X__c)"]
        );
        assert_eq!(
            told(r#"{"errorCode":"NOT_FOUND","message":"gone"}"#),
            ["NOT_FOUND: gone"]
        );
    }

    #[test]
    fn login_errors() {
        let body = br#"{"error":"invalid_grant","error_description":"authentication failure"}"#;
        let (error, description) = ("invalid_grant".to_owned(), "authentication failure".to_owned());
        assert_eq!(read(body), Envelope::Login { error, description });
    }

    #[test]
    fn row_errors() {
        let row = r#"{"success":false,"errors":[{"statusCode":"REQUIRED_FIELD_MISSING","message":"Required fields are missing: [Name]","fields":["Name"]}]}"#;
        let expect = "REQUIRED_FIELD_MISSING: Required fields are missing: [Name] (Name)";
        assert_eq!(told(row), [expect]);
        let tree = format!(
            r#"{{"hasErrors":true,"results":[{{"referenceId":"r1",{}]}}"#,
            &row[17..]
        );
        assert_eq!(told(&tree), [expect]);
    }

    #[test]
    fn soap_faults() {
        let body = r#"<?xml version="1.0"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:sf="x"><soapenv:Body><soapenv:Fault>
            <faultcode>sf:INVALID_SESSION_ID</faultcode><faultstring>INVALID_SESSION_ID: Invalid Session ID found</faultstring></soapenv:Fault></soapenv:Body></soapenv:Envelope>"#;
        let Envelope::Faults(faults) = read(body.as_bytes()) else {
            panic!("no faults")
        };
        assert_eq!(faults[0].code, "INVALID_SESSION_ID");
        assert_eq!(faults[0].to_string(), "INVALID_SESSION_ID: Invalid Session ID found");
    }

    #[test]
    fn soap_results() {
        let body = "<result xmlns='m'><errors><fields>Name</fields><fields>Body</fields><message>no</message><statusCode>X</statusCode></errors><fullName>A</fullName><success>false</success></result>";
        let document = Document::parse(body).unwrap();
        let faults = faults_of_result(document.root_element());
        assert_eq!(faults[0].to_string(), "X: no (Name, Body)");
    }

    #[test]
    fn pages() {
        let check = |body: &str, expect: &str| {
            let title = expect.to_owned();
            assert_eq!(read(body.as_bytes()), Envelope::Other { title });
        };
        check(
            "<!DOCTYPE html>\n<html><head><title>Down for\n Maintenance</title></head></html>",
            "Down for Maintenance",
        );
        check("<html><body>no title</body></html>", "");
        check("", "");
        check("Data Not Available", "Data Not Available");
        check("{\"broken\":", "{\"broken\":");
    }

    #[test]
    fn an_array_in_success_is_an_error_only_with_nothing_else_in_it() {
        let error = br#" [{"errorCode":"TXN","message":"m","fields":[]}]"#;
        assert_eq!(faults_in_success(error).len(), 1);
        let rows = br#"[{"errorCode":"A","message":"m","Name":"a record of an Apex service"}]"#;
        assert!(faults_in_success(rows).is_empty());
        assert!(faults_in_success(b"[]").is_empty());
        assert!(faults_in_success(br#"{"errorCode":"A"}"#).is_empty());
    }
}
