//! retrieve: components as files in a zip.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use memchr::memmem;
use serde::{Deserialize, Serialize};

use super::archive::ZipReader;
use super::{element, tag, unexpected};
use crate::connection::Connection;
use crate::error::{Error, Result};
use crate::poll::Poll;

/// What to retrieve.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RetrieveRequest {
    /// Types with full names; `*` for all components of a type that allows it.
    pub types: Vec<(String, Vec<String>)>,
    /// Names of packages and change sets; their files stand in a folder of that name.
    pub packages: Vec<String>,
}

/// Something the org says about a retrieve, such as a component that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RetrieveMessage {
    /// The file it is about, often package.xml.
    #[serde(default)]
    pub file_name: String,
    /// The text.
    #[serde(default)]
    pub problem: String,
}

/// What came back.
#[derive(Debug)]
pub struct Retrieved {
    /// The id of the retrieve, `09S…`.
    pub id: String,
    /// What the org says about it. A component that is missing is told here and fails nothing.
    pub messages: Vec<RetrieveMessage>,
    /// The files, below `unpackaged/` or the folder of a package.
    pub zip: ZipReader,
}

#[derive(Deserialize)]
struct Started {
    result: StartedResult,
}

#[derive(Deserialize)]
struct StartedResult {
    id: String,
}

#[derive(Deserialize)]
struct Checked {
    result: Status,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    done: bool,
    #[serde(default)]
    status: String,
    #[serde(default)]
    success: bool,
    error_message: Option<String>,
    error_status_code: Option<String>,
    #[serde(default)]
    messages: Vec<RetrieveMessage>,
}

impl RetrieveRequest {
    fn arguments(&self, version: crate::ApiVersion) -> String {
        let mut xml = format!("<retrieveRequest>{}", tag("apiVersion", version));
        for package in &self.packages {
            xml.push_str(&tag("packageNames", package));
        }
        xml.push_str("<singlePackage>false</singlePackage>");
        if !self.types.is_empty() {
            xml.push_str("<unpackaged>");
            for (name, members) in &self.types {
                xml.push_str("<types>");
                for member in members {
                    xml.push_str(&tag("members", member));
                }
                xml.push_str(&tag("name", name));
                xml.push_str("</types>");
            }
            xml.push_str(&tag("version", version));
            xml.push_str("</unpackaged>");
        }
        xml + "</retrieveRequest>"
    }
}

/// What the org says of a zip that it has given already.
const GIVEN_AWAY: &str = "INVALID_LOCATOR";

impl Connection {
    /// Retrieves: starts, waits, and reads the zip. It only reads: when the answer with the zip is lost, which the org gives once,
    /// another retrieve is started. `looked` is told of each look at it.
    ///
    /// # Errors
    /// `job_failed` with what the org says, as for a package that does not exist; `unexpected_answer` for a damaged zip.
    pub async fn retrieve_metadata(
        &self,
        request: &RetrieveRequest,
        poll: Poll,
        mut looked: impl FnMut() + Send,
    ) -> Result<Retrieved> {
        let mut left = self.inner.options.retry.attempts;
        loop {
            left = left.saturating_sub(1);
            let id = self.start_retrieve(request).await?;
            match self.finish_retrieve(&id, poll, &mut looked).await {
                Err(error) if left > 0 && error.has_fault(GIVEN_AWAY) => {
                    tracing::debug!("the files of the retrieve {id} were lost on the way; starting another one");
                }
                ended => return ended,
            }
        }
    }

    /// Starts a retrieve and gives its id, `09S…`.
    async fn start_retrieve(&self, request: &RetrieveRequest) -> Result<String> {
        let arguments = request.arguments(self.api_version());
        let started: Started = self.metadata_call("retrieve", &arguments).await?;
        Ok(started.result.id)
    }

    /// Waits for a retrieve and reads its zip. The org gives the zip once, with the first answer that says that it is done.
    async fn finish_retrieve(&self, id: &str, poll: Poll, looked: &mut (impl FnMut() + Send)) -> Result<Retrieved> {
        let ask = || self.retrieve_status(id);
        let done = |status: &Option<(Status, Vec<u8>)>| {
            looked();
            status.is_some()
        };
        let ended = self.wait("wait for a retrieve", poll, ask, done).await?;
        let (status, zip) = ended.ok_or_else(|| unexpected("checkRetrieveStatus", "the retrieve is not done"))?;
        Ok(Retrieved {
            id: id.to_owned(),
            messages: status.messages,
            zip: ZipReader::open("read the retrieved files", zip)?,
        })
    }

    /// What was retrieved; `None` as long as it is not done.
    async fn retrieve_status(&self, id: &str) -> Result<Option<(Status, Vec<u8>)>> {
        let arguments = tag("asyncProcessId", id) + &tag("includeZip", true);
        let answer = self.metadata_answer("checkRetrieveStatus", "", &arguments).await?;
        let (status, zip) = read_status(&answer.body)?;
        let Some(status) = status.settled(id)? else {
            return Ok(None);
        };
        let zip = zip.ok_or_else(|| unexpected("checkRetrieveStatus", "the zip file is missing"))?;
        Ok(Some((status, zip)))
    }
}

impl Status {
    /// The status once it is done; the error when it failed.
    fn settled(self, id: &str) -> Result<Option<Self>> {
        if !self.done {
            return Ok(None);
        }
        if self.success || self.status == "Succeeded" {
            return Ok(Some(self));
        }
        let code = self.error_status_code.unwrap_or_default();
        let mut texts: Vec<String> = self.error_message.into_iter().collect();
        texts.extend(self.messages.into_iter().map(|message| message.problem));
        let text = texts.join("; ");
        Err(Error::Job {
            what: "retrieve",
            id: id.to_owned(),
            state: self.status,
            // The text mostly begins with the code.
            message: if text.contains(&code) {
                text
            } else {
                format!("{code}: {text}")
            },
        })
    }
}

/// The status and the zip. The zip is decoded straight from the answer, which may have 50 MB; the rest is read as XML, without the
/// properties of the files.
fn read_status(body: &[u8]) -> Result<(Status, Option<Vec<u8>>)> {
    let attempted = "checkRetrieveStatus";
    let not_text = || unexpected(attempted, "it is not UTF-8");
    let Some((before, zip, after)) = around_zip(body)? else {
        let text = std::str::from_utf8(body).map_err(|_| not_text())?;
        return Ok((element::read::<Checked>(attempted, text)?.result, None));
    };
    let (start, end) = around_properties(before);
    let rest = [start, end, after].concat();
    let text = std::str::from_utf8(&rest).map_err(|_| not_text())?;
    let status = element::read::<Checked>(attempted, text)?.result;
    Ok((status, Some(decode(zip)?)))
}

/// What stands before and after the properties of the files, of which there are as many as files and that nobody reads.
fn around_properties(body: &[u8]) -> (&[u8], &[u8]) {
    const OPEN: &[u8] = b"<fileProperties>";
    const CLOSE: &[u8] = b"</fileProperties>";
    match (memmem::find(body, OPEN), memmem::rfind(body, CLOSE)) {
        (Some(open), Some(close)) if open < close => (&body[..open], &body[close + CLOSE.len()..]),
        _ => (body, &[]),
    }
}

type Around<'a> = (&'a [u8], &'a [u8], &'a [u8]);

/// What stands before, in and after the text of the element `zipFile`, whatever its prefix.
fn around_zip(body: &[u8]) -> Result<Option<Around<'_>>> {
    let Some(name) = memmem::find(body, b"zipFile") else {
        return Ok(None);
    };
    let cut_off = || unexpected("checkRetrieveStatus", "the zip file is cut off in the answer");
    let open = memchr::memchr(b'>', &body[name..]).ok_or_else(cut_off)? + name;
    if body[open - 1] == b'/' {
        return Ok(None);
    }
    let close = memchr::memchr(b'<', &body[open..]).ok_or_else(cut_off)? + open;
    Ok(Some((&body[..=open], &body[open + 1..close], &body[close..])))
}

/// Base64, which may have line ends in it.
fn decode(text: &[u8]) -> Result<Vec<u8>> {
    let decoded = if text.iter().any(u8::is_ascii_whitespace) {
        let text: Vec<u8> = text
            .iter()
            .copied()
            .filter(|byte| !byte.is_ascii_whitespace())
            .collect();
        STANDARD.decode(text)
    } else {
        STANDARD.decode(text)
    };
    decoded.map_err(|error| {
        unexpected(
            "checkRetrieveStatus",
            format!("the zip file is damaged or cut off: {error}"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(result: &str) -> String {
        format!(
            "<e:Envelope xmlns:e=\"e\"><e:Body><checkRetrieveStatusResponse><result>{result}</result>\
             </checkRetrieveStatusResponse></e:Body></e:Envelope>"
        )
    }

    #[test]
    fn a_zip_is_decoded_from_the_answer() {
        let body = answer(
            "<done>true</done><fileProperties><fullName>A</fullName><type>ApexClass</type></fileProperties><id>09S</id>\
             <messages><fileName>package.xml</fileName><problem>no B</problem></messages>\
             <status>Succeeded</status><success>true</success><zipFile>QUJD\nREVG</zipFile>",
        );
        let (status, zip) = read_status(body.as_bytes()).unwrap();
        assert_eq!(zip.unwrap(), b"ABCDEF");
        let status = status.settled("09S").unwrap().unwrap();
        assert_eq!(status.messages.len(), 1);
        let cut = body.find("REVG").unwrap();
        let error = read_status(&body.as_bytes()[..cut]).unwrap_err();
        assert!(error.to_string().contains("cut off"), "{error}");
    }

    #[test]
    fn a_failed_retrieve_says_why() {
        let body = answer(
            "<done>true</done><errorMessage>INVALID_CROSS_REFERENCE_KEY: No package named 'X' found.</errorMessage>\
             <errorStatusCode>INVALID_CROSS_REFERENCE_KEY</errorStatusCode><id>09S</id><status>Failed</status>\
             <success>false</success><zipFile/>",
        );
        let (status, zip) = read_status(body.as_bytes()).unwrap();
        assert_eq!(zip, None);
        let error = status.settled("09S").err().unwrap();
        assert_eq!(
            error.to_string(),
            "retrieve 09S ended as Failed: INVALID_CROSS_REFERENCE_KEY: No package named 'X' found."
        );
    }

    #[test]
    fn a_request_is_escaped() {
        let request = RetrieveRequest {
            types: vec![("Layout".to_owned(), vec!["A&B".to_owned()])],
            packages: vec!["Set <1>".to_owned()],
        };
        let xml = request.arguments(crate::ApiVersion(66));
        assert!(xml.contains("<packageNames>Set &lt;1&gt;</packageNames>"), "{xml}");
        assert!(xml.contains("<types><members>A&amp;B</members><name>Layout</name></types><version>66.0</version>"));
    }
}
