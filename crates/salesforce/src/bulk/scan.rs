//! Finds the ends of records in CSV (RFC 4180) without copying, and checks the CSV on the way.

use memchr::{memchr2, memchr3};

use super::job::LineEnding;
use crate::error::{Error, Result};

/// A scanner that is fed piece by piece; a piece may end anywhere.
#[derive(Debug)]
pub(super) struct Scan {
    delimiter: u8,
    state: State,
    /// The line that is read, counted from 1.
    line: u64,
    /// The line on which the record began.
    began: u64,
    /// Whether anything of a record was read.
    inside: bool,
    fields: u64,
    columns: Option<u64>,
    ending: Option<LineEnding>,
    records: u64,
    last: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    FieldStart,
    Plain,
    Quoted,
    /// Behind a quote inside quotes: the end of the field, or the first of a doubled one.
    Quote,
    /// Behind a carriage return after a closing quote.
    Return,
}

impl Scan {
    pub(super) fn new(delimiter: u8) -> Self {
        Self {
            delimiter,
            state: State::FieldStart,
            line: 1,
            began: 1,
            inside: false,
            fields: 0,
            columns: None,
            ending: None,
            records: 0,
            last: 0,
        }
    }

    /// Records that ended so far, the header included.
    pub(super) fn records(&self) -> u64 {
        self.records
    }

    /// How the header ends.
    pub(super) fn ending(&self) -> Option<LineEnding> {
        self.ending
    }

    /// The line on which the open record began.
    pub(super) fn record_line(&self) -> u64 {
        self.began
    }

    /// Reads a piece. `ended` gets the offset behind each record that ends in it.
    pub(super) fn feed(&mut self, bytes: &[u8], mut ended: impl FnMut(usize)) -> Result<()> {
        let mut at = 0;
        while at < bytes.len() {
            let rest = &bytes[at..];
            match self.state {
                State::FieldStart if rest[0] == b'"' => {
                    (self.state, self.inside) = (State::Quoted, true);
                    at += 1;
                }
                State::FieldStart | State::Plain => {
                    self.inside = true;
                    let Some(hop) = memchr3(self.delimiter, b'"', b'\n', rest) else {
                        self.state = State::Plain;
                        break;
                    };
                    at += hop + 1;
                    match rest[hop] {
                        b'\n' => {
                            let before = if at >= 2 { bytes[at - 2] } else { self.last };
                            self.end_record(before == b'\r')?;
                            ended(at);
                        }
                        b'"' => return Err(self.wrong("a quote inside a field that does not begin with one")),
                        _ => {
                            self.fields += 1;
                            self.state = State::FieldStart;
                        }
                    }
                }
                State::Quoted => {
                    let Some(hop) = memchr2(b'"', b'\n', rest) else {
                        break;
                    };
                    at += hop + 1;
                    match rest[hop] {
                        b'\n' => self.line += 1,
                        _ => self.state = State::Quote,
                    }
                }
                State::Quote | State::Return => {
                    at += 1;
                    match (rest[0], self.state) {
                        (b'\n', state) => {
                            self.end_record(state == State::Return)?;
                            ended(at);
                        }
                        (b'"', State::Quote) => self.state = State::Quoted,
                        (b'\r', State::Quote) => self.state = State::Return,
                        (byte, State::Quote) if byte == self.delimiter => {
                            self.fields += 1;
                            self.state = State::FieldStart;
                        }
                        _ => return Err(self.wrong("text behind the closing quote of a field")),
                    }
                }
            }
        }
        if let Some(last) = bytes.last() {
            self.last = *last;
        }
        Ok(())
    }

    /// The input is over; the last record may lack its line end. Says whether there was such a record.
    pub(super) fn finish(&mut self) -> Result<bool> {
        match self.state {
            State::Quoted => {
                self.line = self.began;
                Err(self.wrong("a quote of this record is never closed"))
            }
            _ if !self.inside => Ok(false),
            _ => {
                let returned = self.ending == Some(LineEnding::Crlf);
                self.end_record(returned)?;
                Ok(true)
            }
        }
    }

    fn end_record(&mut self, returned: bool) -> Result<()> {
        let ending = if returned { LineEnding::Crlf } else { LineEnding::Lf };
        if *self.ending.get_or_insert(ending) != ending {
            return Err(self.wrong("it ends in another way (LF, CRLF) than the header"));
        }
        let fields = self.fields + 1;
        let columns = *self.columns.get_or_insert(fields);
        if fields != columns {
            let what = format!("the record has {fields} fields, the header {columns}");
            return Err(Error::Csv { line: self.began, what });
        }
        self.records += 1;
        self.line += 1;
        self.began = self.line;
        (self.fields, self.inside, self.state) = (0, false, State::FieldStart);
        Ok(())
    }

    fn wrong(&self, what: &str) -> Error {
        Error::Csv {
            line: self.line,
            what: what.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Offsets behind records, or the error, however the bytes are cut.
    fn scanned(text: &str, piece: usize) -> Result<Vec<usize>> {
        let mut scan = Scan::new(b',');
        let mut ends = Vec::new();
        for (index, bytes) in text.as_bytes().chunks(piece).enumerate() {
            scan.feed(bytes, |end| {
                ends.push(index * piece + end);
            })?;
        }
        if scan.finish()? {
            ends.push(text.len());
        }
        assert_eq!(scan.records() as usize, ends.len());
        Ok(ends)
    }

    fn check(text: &str, expect: &[usize]) {
        for piece in 1..=text.len() {
            assert_eq!(scanned(text, piece).unwrap(), expect, "{text:?} by {piece}");
        }
    }

    fn check_error(text: &str, line: u64, part: &str) {
        for piece in 1..=text.len() {
            match scanned(text, piece) {
                Err(Error::Csv { line: found, what }) => {
                    assert_eq!(found, line, "{text:?} by {piece}: {what}");
                    assert!(what.contains(part), "{what}");
                }
                other => panic!("{text:?} by {piece}: {other:?}"),
            }
        }
    }

    #[test]
    fn ends_of_records() {
        check("a,b\n1,2\n", &[4, 8]);
        check("a,b\r\n1,2\r\n3,4", &[5, 10, 13]);
        check("a,b\n\"x\ny\",\"\"\"\"\n,\n", &[4, 15, 17]);
        check("a\r\n\"1\"\r\n", &[3, 8]);
        check("a\n", &[2]);
    }

    #[test]
    fn errors_have_lines() {
        check_error("a,b\n1\n", 2, "1 fields, the header 2");
        check_error("a,b\n\"x\ny\",2\n1,2,3\n", 4, "3 fields, the header 2");
        check_error("a,b\n1,x\"y\n", 2, "a quote inside");
        check_error("a,b\n\"1\"x,2\n", 2, "behind the closing quote");
        check_error("a,b\n1,2\n\"1\n,2\n", 3, "never closed");
        check_error("a,b\r\n1,2\n", 2, "another way");
        check_error("a,b\n1,2\r\n", 2, "another way");
        check_error("a,b\n1,2\n\n", 3, "1 fields");
    }
}
