//! CSV by RFC 4180 with other delimiters: reading without copies, writing.

use std::borrow::Cow;

/// Reads rows; a quoted cell may have line ends in it.
#[derive(Debug)]
pub(crate) struct Rows<'t> {
    text: &'t str,
    at: usize,
    delimiter: u8,
}

/// The end of a row in the text: where its content ends and where the next begins.
fn row_end(text: &[u8], from: usize) -> (usize, usize) {
    let mut quoted = false;
    for (at, byte) in text[from..].iter().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' if !quoted => {
                let end = from + at;
                let content = if at > 0 && text[end - 1] == b'\r' { end - 1 } else { end };
                return (content, end + 1);
            }
            _ => {}
        }
    }
    (text.len(), text.len())
}

impl<'t> Rows<'t> {
    pub(crate) fn new(text: &'t str, delimiter: u8) -> Self {
        Self { text, at: 0, delimiter }
    }

    /// Where the next row begins.
    pub(crate) fn position(&self) -> usize {
        self.at
    }

    /// The next row as it stands in the text, without its line end. Blank lines are passed over.
    pub(crate) fn raw(&mut self) -> Option<&'t str> {
        while self.at < self.text.len() {
            let (end, next) = row_end(self.text.as_bytes(), self.at);
            let row = &self.text[self.at..end];
            self.at = next;
            if !row.is_empty() {
                return Some(row);
            }
        }
        None
    }

    /// The next row in cells, put into `cells`, and as it stands in the text.
    pub(crate) fn next(&mut self, cells: &mut Vec<Cow<'t, str>>) -> Option<&'t str> {
        let row = self.raw()?;
        cells.clear();
        let bytes = row.as_bytes();
        let mut at = 0;
        loop {
            let (cell, next) = cell(row, bytes, at, self.delimiter);
            cells.push(cell);
            match next {
                Some(next) => at = next,
                None => return Some(row),
            }
        }
    }
}

/// The cell that begins at a place, and where the next begins.
fn cell<'t>(row: &'t str, bytes: &[u8], at: usize, delimiter: u8) -> (Cow<'t, str>, Option<usize>) {
    if bytes.get(at) != Some(&b'"') {
        let end = bytes[at..].iter().position(|b| *b == delimiter).map(|n| at + n);
        return (
            Cow::Borrowed(&row[at..end.unwrap_or(row.len())]),
            end.map(|end| end + 1),
        );
    }
    let start = at + 1;
    let mut end = start;
    let mut doubled = false;
    while end < bytes.len() {
        if bytes[end] == b'"' {
            if bytes.get(end + 1) != Some(&b'"') {
                break;
            }
            doubled = true;
            end += 1;
        }
        end += 1;
    }
    let inner = &row[start..end.min(row.len())];
    let cell = if doubled {
        Cow::Owned(inner.replace("\"\"", "\""))
    } else {
        Cow::Borrowed(inner)
    };
    let next = bytes[end.min(bytes.len())..].iter().position(|b| *b == delimiter);
    (cell, next.map(|n| end + n + 1))
}

/// Appends a cell in quotes.
pub(crate) fn push(out: &mut String, cell: &str) {
    out.push('"');
    if cell.contains('"') {
        out.push_str(&cell.replace('"', "\"\""));
    } else {
        out.push_str(cell);
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &[&[&str]]) {
        let mut rows = Rows::new(text, b',');
        let (mut cells, mut all) = (Vec::new(), Vec::new());
        while rows.next(&mut cells).is_some() {
            all.push(cells.iter().map(ToString::to_string).collect::<Vec<_>>());
        }
        assert_eq!(all, expect, "{text:?}");
    }

    #[test]
    fn rows_and_cells() {
        check("a,b\n1,2\n", &[&["a", "b"], &["1", "2"]]);
        check("a,b\r\n1,\r\n\r\n,2", &[&["a", "b"], &["1", ""], &["", "2"]]);
        check("\"a\nb\",\"c\"\"d\"\nx,y", &[&["a\nb", "c\"d"], &["x", "y"]]);
        check("\"a,b\",\"\"\n", &[&["a,b", ""]]);
        check("ä,\"ö\"", &[&["ä", "ö"]]);
        check("\"open", &[&["open"]]);
        let mut out = String::new();
        push(&mut out, "a\"b");
        assert_eq!(out, "\"a\"\"b\"");
    }
}
