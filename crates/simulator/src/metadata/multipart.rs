//! `multipart/form-data` bodies.

/// A part of a body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Part<'a> {
    /// Name of the form field.
    pub name: String,
    /// Media type, `text/plain` when not given.
    pub content_type: String,
    /// Bytes.
    pub content: &'a [u8],
}

/// Cuts a body into its parts; the text of an error says what is wrong.
pub(crate) fn parse<'a>(content_type: &str, body: &'a [u8]) -> Result<Vec<Part<'a>>, String> {
    let boundary = content_type
        .split(';')
        .filter_map(|word| word.trim().split_once('='))
        .find(|(name, _)| name.eq_ignore_ascii_case("boundary"))
        .map(|(_, value)| format!("--{}", value.trim_matches('"')))
        .ok_or("the Content-Type names no boundary")?;
    let mut parts = Vec::new();
    let mut rest = after(body, boundary.as_bytes()).ok_or("the body does not begin with the boundary")?;
    while !rest.starts_with(b"--") {
        let part = rest
            .strip_prefix(b"\r\n")
            .or_else(|| rest.strip_prefix(b"\n"))
            .unwrap_or(rest);
        let end = find(part, boundary.as_bytes()).ok_or("the last boundary is missing")?;
        let inner = part[..end]
            .strip_suffix(b"\r\n")
            .or_else(|| part[..end].strip_suffix(b"\n"));
        parts.push(read(inner.ok_or("a part does not end with a line end")?)?);
        rest = &part[end + boundary.len()..];
    }
    Ok(parts)
}

fn read(part: &[u8]) -> Result<Part<'_>, String> {
    let (head, content) = [&b"\r\n\r\n"[..], b"\n\n"]
        .iter()
        .find_map(|gap| find(part, gap).map(|at| (&part[..at], &part[at + gap.len()..])))
        .ok_or("a part has no empty line behind its headers")?;
    let head = String::from_utf8_lossy(head);
    let header = |wanted: &str| {
        head.lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| name.trim().eq_ignore_ascii_case(wanted))
            .map(|(_, value)| value.trim().to_owned())
    };
    let name = header("content-disposition").and_then(|value| {
        value
            .split(';')
            .filter_map(|word| word.trim().split_once('='))
            .find(|(name, _)| *name == "name")
            .map(|(_, value)| value.trim_matches('"').to_owned())
    });
    Ok(Part {
        name: name.unwrap_or_default(),
        content_type: header("content-type").unwrap_or_else(|| "text/plain".to_owned()),
        content,
    })
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

fn after<'a>(text: &'a [u8], what: &[u8]) -> Option<&'a [u8]> {
    find(text, what).map(|at| &text[at + what.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts() {
        let body = b"--B\r\nContent-Disposition: form-data; name=\"entity_content\"\r\nContent-Type: application/json\r\n\r\n{}\r\n--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"p.zip\"\r\n\r\na\r\n\r\nb\r\n--B--\r\n";
        let parts = parse("multipart/form-data; boundary=\"B\"", body).expect("parts");
        assert_eq!(parts.len(), 2);
        assert_eq!(
            (parts[0].name.as_str(), parts[0].content),
            ("entity_content", &b"{}"[..])
        );
        assert_eq!((parts[1].name.as_str(), parts[1].content), ("file", &b"a\r\n\r\nb"[..]));
        assert!(parse("multipart/form-data; boundary=B", b"--B\r\n\r\nx").is_err());
        assert!(parse("multipart/form-data", body).is_err());
    }
}
