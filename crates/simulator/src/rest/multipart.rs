//! Multipart bodies: a record with its blob, a bulk job with its content.

use crate::error::ApiError;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value as Json;

/// One part.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part<'b> {
    /// `name` of its disposition.
    pub(crate) name: &'b str,
    /// The content.
    pub(crate) body: &'b [u8],
}

fn malformed() -> ApiError {
    ApiError::new("INVALID_MULTIPART_REQUEST", "the multipart body is malformed")
}

/// The parts of a body with that `Content-Type`.
pub(crate) fn parts<'b>(content_type: &str, body: &'b [u8]) -> Result<Vec<Part<'b>>, ApiError> {
    let boundary = content_type
        .split(';')
        .find_map(|part| part.trim().strip_prefix("boundary="))
        .ok_or_else(malformed)?;
    let mark = format!("--{}", boundary.trim_matches('"'));
    let mut parts = Vec::new();
    let mut rest = &body[find(body, mark.as_bytes()).ok_or_else(malformed)? + mark.len()..];
    while !rest.starts_with(b"--") {
        let end = find(rest, mark.as_bytes()).ok_or_else(malformed)?;
        let part = &rest[..end];
        let (head, content) = match find(part, b"\r\n\r\n") {
            Some(at) => (&part[..at], &part[at + 4..]),
            None => {
                let at = find(part, b"\n\n").ok_or_else(malformed)?;
                (&part[..at], &part[at + 2..])
            }
        };
        let head = std::str::from_utf8(head).map_err(|_| malformed())?;
        let name = head
            .split([';', '\n'])
            .find_map(|word| word.trim().strip_prefix("name="))
            .map_or("", |name| name.trim_matches('"'));
        let content = content.strip_suffix(b"\n").unwrap_or(content);
        parts.push(Part {
            name,
            body: content.strip_suffix(b"\r").unwrap_or(content),
        });
        rest = &rest[end + mark.len()..];
    }
    Ok(parts)
}

/// A record whose blob is the part after the JSON, named as its field.
pub(crate) fn record(content_type: &str, body: &[u8]) -> Result<Json, ApiError> {
    let parts = parts(content_type, body)?;
    let (first, rest) = parts.split_first().ok_or_else(malformed)?;
    let mut record: Json =
        serde_json::from_slice(first.body).map_err(|error| ApiError::new("JSON_PARSER_ERROR", error.to_string()))?;
    for part in rest {
        record[part.name] = STANDARD.encode(part.body).into();
    }
    Ok(record)
}

fn find(body: &[u8], what: &[u8]) -> Option<usize> {
    body.windows(what.len()).position(|window| window == what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blob_is_the_part_after_the_record() {
        let body = b"--b\r\nContent-Disposition: form-data; name=\"entity_content\";\r\nContent-Type: application/json\r\n\r\n\
            {\"Title\":\"t\"}\r\n--b\r\nContent-Disposition: form-data; name=\"VersionData\"; filename=\"a.txt\"\r\n\r\nhi\r\n--b--\r\n";
        let record = record("multipart/form-data; boundary=\"b\"", body).expect("record");
        assert_eq!(record.to_string(), r#"{"Title":"t","VersionData":"aGk="}"#);
        assert!(super::record("multipart/form-data; boundary=b", b"--b\r\nnothing").is_err());
    }
}
