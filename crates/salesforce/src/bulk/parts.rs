//! Cuts CSV into uploads.

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt};

use super::job::{Delimiter, LineEnding};
use super::scan::Scan;
use crate::error::{Error, Result};

/// The most bytes of an upload that Salesforce recommends; with base64 it stays below its 150 MB.
pub const PART_LIMIT: usize = 100_000_000;
/// How much is asked for at once.
const READ: usize = 256 * 1024;

/// One upload: the header and whole records.
#[derive(Debug, Clone)]
pub struct Part {
    /// The CSV.
    pub data: Bytes,
    /// Its records, without the header.
    pub records: u64,
    /// The line of the input on which its first record begins, counted from 1.
    pub line: u64,
}

/// The uploads of an input, read as they are asked for. One part is in memory at a time.
#[derive(Debug)]
pub struct Parts<R> {
    reader: R,
    limit: usize,
    scan: Scan,
    header: Vec<u8>,
    /// The beginning of the next part, header included; all of it went through the scanner.
    data: Vec<u8>,
    /// The offset behind the last whole record in `data`.
    whole: usize,
    /// The line of the first record in `data`, and the records before it, the header included.
    line: u64,
    before: u64,
    over: bool,
}

const BOM: &[u8] = b"\xef\xbb\xbf";

impl<R: AsyncRead + Unpin> Parts<R> {
    /// Reads the header. `limit` is the most bytes of a part, [`PART_LIMIT`] for Salesforce.
    ///
    /// # Errors
    /// `bad_csv` when there is no header, or one with empty or doubled names.
    pub async fn read(reader: R, delimiter: Delimiter, limit: usize) -> Result<Self> {
        let mut parts = Self {
            reader,
            limit,
            scan: Scan::new(delimiter.byte()),
            header: Vec::new(),
            data: Vec::new(),
            whole: 0,
            line: 1,
            before: 1,
            over: false,
        };
        while parts.data.len() < BOM.len() && !parts.over {
            parts.fill(BOM.len()).await?;
        }
        if parts.data == BOM {
            parts.data.clear();
        }
        let mut scanned = 0;
        let mut header = None;
        while header.is_none() {
            let (scan, data, whole) = (&mut parts.scan, &parts.data, &mut parts.whole);
            scan.feed(&data[scanned..], |end| {
                *whole = scanned + end;
                header.get_or_insert(*whole);
            })?;
            scanned = data.len();
            if header.is_some() {
                break;
            }
            if parts.over {
                header = scan.finish()?.then_some(data.len());
                parts.whole = scanned;
                break;
            }
            if scanned >= limit {
                return Err(wrong(1, format!("the header is longer than {limit} bytes")));
            }
            parts.fill(READ).await?;
        }
        let end = header.ok_or_else(|| wrong(1, "it is empty; the first line has to name the fields".to_owned()))?;
        parts.header = parts.data[..end].to_vec();
        parts.line += memchr::memchr_iter(b'\n', &parts.header).count() as u64;
        check_header(&parts.header, delimiter.byte())?;
        Ok(parts)
    }

    /// How the lines end, as the header tells.
    pub fn ending(&self) -> LineEnding {
        self.scan.ending().unwrap_or(LineEnding::Lf)
    }

    /// The next part; `None` when no record is left.
    ///
    /// # Errors
    /// `bad_csv` with the line; `io_failed` when the input cannot be read.
    pub async fn next(&mut self) -> Result<Option<Part>> {
        // Address space only: memory is used as the part grows.
        self.data.reserve_exact(self.limit.saturating_sub(self.data.len()));
        while self.data.len() < self.limit && !self.over {
            let scanned = self.data.len();
            self.fill(READ).await?;
            let whole = &mut self.whole;
            self.scan.feed(&self.data[scanned..], |end| *whole = scanned + end)?;
            if self.over && self.scan.finish()? {
                self.whole = self.data.len();
            }
        }
        if self.whole <= self.header.len() {
            if self.over {
                return Ok(None);
            }
            let what = format!("the record is longer than an upload may be, {} bytes", self.limit);
            return Err(wrong(self.line, what));
        }
        let (line, records) = (self.line, self.scan.records() - self.before);
        (self.line, self.before) = (self.scan.record_line(), self.scan.records());
        let mut next = self.header.clone();
        next.extend_from_slice(&self.data[self.whole..]);
        let mut data = std::mem::replace(&mut self.data, next);
        data.truncate(self.whole);
        self.whole = self.header.len();
        Ok(Some(Part {
            data: data.into(),
            records,
            line,
        }))
    }

    /// Reads at most `most` bytes, and not beyond the limit.
    async fn fill(&mut self, most: usize) -> Result<()> {
        let room = self.limit.max(BOM.len()) - self.data.len();
        let mut reader = (&mut self.reader).take(most.min(room) as u64);
        let read = reader.read_buf(&mut self.data).await;
        self.over = read.map_err(|error| Error::io("read the CSV", error))? == 0;
        Ok(())
    }
}

fn wrong(line: u64, what: String) -> Error {
    Error::Csv { line, what }
}

/// Each column has a name, and no name comes twice. Salesforce would take the last of two.
fn check_header(header: &[u8], delimiter: u8) -> Result<()> {
    let text = std::str::from_utf8(header).map_err(|_| wrong(1, "the header is not UTF-8".to_owned()))?;
    let mut names = std::collections::BTreeSet::new();
    for name in text.trim_end_matches(['\r', '\n']).split(char::from(delimiter)) {
        let name = name.trim_matches('"');
        if name.is_empty() || name.contains(['\r', '\n', '"']) {
            return Err(wrong(1, format!("`{name}` in the header is no field name")));
        }
        if !names.insert(name.to_lowercase()) {
            return Err(wrong(1, format!("the header names {name} twice")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cut(csv: &[u8], limit: usize) -> Result<Vec<Part>> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut parts = Parts::read(csv, Delimiter::Comma, limit).await?;
            let mut all = Vec::new();
            while let Some(part) = parts.next().await? {
                all.push(part);
            }
            Ok(all)
        })
    }

    fn texts(parts: &[Part]) -> Vec<(&str, u64, u64)> {
        parts
            .iter()
            .map(|part| (std::str::from_utf8(&part.data).unwrap(), part.records, part.line))
            .collect()
    }

    #[test]
    fn parts_end_on_records_and_begin_with_the_header() {
        let parts = cut(b"A,B\n1,2\n\"3\n3\",4\n5,6\n", 14).unwrap();
        let expected = [("A,B\n1,2\n", 1, 2), ("A,B\n\"3\n3\",4\n", 1, 3), ("A,B\n5,6\n", 1, 5)];
        assert_eq!(texts(&parts), expected);
        let parts = cut(b"\xef\xbb\xbfA\r\n1\r\n2", 100).unwrap();
        assert_eq!(texts(&parts), [("A\r\n1\r\n2", 2, 2)]);
        assert!(cut(b"A,B\n", 100).unwrap().is_empty());
        assert!(cut(b"A,B", 100).unwrap().is_empty());
    }

    #[test]
    fn what_is_wrong_has_its_line() {
        let check = |csv: &[u8], limit: usize, expect: &str| {
            let error = cut(csv, limit).unwrap_err();
            assert_eq!((error.code(), error.to_string().as_str()), ("bad_csv", expect));
        };
        check(
            b"",
            100,
            "line 1 of the CSV: it is empty; the first line has to name the fields",
        );
        check(
            b"\xef\xbb\xbf",
            100,
            "line 1 of the CSV: it is empty; the first line has to name the fields",
        );
        check(b"A,a\n1,2\n", 100, "line 1 of the CSV: the header names a twice");
        check(
            b"A,\n1,2\n",
            100,
            "line 1 of the CSV: `` in the header is no field name",
        );
        check(
            b"A\n1\n12345678\n",
            8,
            "line 3 of the CSV: the record is longer than an upload may be, 8 bytes",
        );
        check(
            b"AAAAAAAAAAAAAAAA\n1\n",
            8,
            "line 1 of the CSV: the header is longer than 8 bytes",
        );
        check(
            b"A,B\n1,2\n3,4\n5\n",
            8,
            "line 4 of the CSV: the record has 1 fields, the header 2",
        );
    }

    fn records(csv: &[u8]) -> Vec<csv::ByteRecord> {
        csv::Reader::from_reader(csv)
            .into_byte_records()
            .collect::<Result<_, _>>()
            .unwrap()
    }

    proptest! {
        /// Whatever the rows and the limit, the parts hold the rows of the input in their order, read by another parser.
        #[test]
        fn no_record_is_lost_or_doubled(
            rows in prop::collection::vec(prop::collection::vec("[a-c,\"\n\r é]{0,6}", 2), 0..30),
            limit in 40usize..200,
            crlf: bool,
        ) {
            let ending = if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
            let mut writer = csv::WriterBuilder::new().terminator(ending).from_writer(Vec::new());
            writer.write_record(["First", "Second"]).unwrap();
            for row in &rows {
                writer.write_record(row).unwrap();
            }
            let input = writer.into_inner().unwrap();
            let parts = cut(&input, limit).unwrap();
            let header = "First,Second".len() + if crlf { 2 } else { 1 };
            let mut at = header;
            let mut found = Vec::new();
            for part in &parts {
                prop_assert!(part.data.len() <= limit);
                let of_part = records(&part.data);
                prop_assert_eq!(of_part.len() as u64, part.records);
                prop_assert_eq!(part.line, 1 + memchr::memchr_iter(b'\n', &input[..at]).count() as u64);
                at += part.data.len() - header;
                found.extend(of_part);
            }
            prop_assert_eq!(found, records(&input));
        }
    }
}
