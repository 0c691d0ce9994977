//! A downloaded body that is kept until it is whole, so that a lost connection neither doubles nor loses rows.

use std::io::SeekFrom;

use bytes::Bytes;
use reqwest::header::HeaderMap;
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWrite, AsyncWriteExt};

use crate::connection::Connection;
use crate::error::{Error, Result};
use crate::request::Request;

/// What stays in memory; the rest goes to a file without a name, which the system deletes.
const IN_MEMORY: usize = 32 * 1024 * 1024;
const COPY: usize = 256 * 1024;

/// A whole body.
pub(super) struct Spool {
    pieces: Vec<Bytes>,
    length: usize,
    file: Option<File>,
    /// The last byte, if any.
    last: Option<u8>,
}

impl Spool {
    fn new() -> Self {
        Self {
            pieces: Vec::new(),
            length: 0,
            file: None,
            last: None,
        }
    }

    async fn push(&mut self, piece: Bytes) -> Result<()> {
        self.last = piece.last().copied().or(self.last);
        self.length += piece.len();
        if self.length <= IN_MEMORY {
            self.pieces.push(piece);
            return Ok(());
        }
        let file = match &mut self.file {
            Some(file) => file,
            empty => {
                let file = tempfile::tempfile().map_err(|error| Error::io("make a temporary file", error))?;
                empty.insert(File::from_std(file))
            }
        };
        let written = file.write_all(&piece).await;
        written.map_err(|error| Error::io("write a temporary file", error))
    }

    /// Appends the body to CSV that `to` got before. The header is taken over from the first body only, and has to be the same
    /// in the others.
    pub(super) async fn append(mut self, csv: &mut Csv, to: &mut (impl AsyncWrite + Unpin), what: &str) -> Result<()> {
        let io = |error| Error::io(format!("write the result of: {what}"), error);
        let mut header = csv.begin();
        if self.length > 0 && csv.needs_line_end() {
            to.write_all(b"\n").await.map_err(io)?;
        }
        for piece in std::mem::take(&mut self.pieces) {
            to.write_all(header.rest_of(&piece, what)?).await.map_err(io)?;
        }
        if let Some(mut file) = self.file.take() {
            file.seek(SeekFrom::Start(0)).await.map_err(io)?;
            let mut buffer = vec![0; COPY];
            loop {
                let read = file.read(&mut buffer).await.map_err(io)?;
                if read == 0 {
                    break;
                }
                to.write_all(header.rest_of(&buffer[..read], what)?).await.map_err(io)?;
            }
        }
        let seen = header.finish();
        csv.end(seen, self.last);
        Ok(())
    }
}

/// What is known of CSV that is written body by body.
#[derive(Default)]
pub(super) struct Csv {
    header: Option<Vec<u8>>,
    last: Option<u8>,
}

impl Csv {
    fn begin(&self) -> Header<'_> {
        Header {
            known: self.header.as_deref(),
            seen: Vec::new(),
            over: false,
        }
    }

    fn needs_line_end(&self) -> bool {
        self.last.is_some_and(|last| last != b'\n')
    }

    fn end(&mut self, seen: Vec<u8>, last: Option<u8>) {
        self.last = last.or(self.last);
        // Empty results are a blank line at times.
        if self.header.is_none() && !seen.trim_ascii().is_empty() {
            self.header = Some(seen);
        }
    }
}

/// The first line of a body. Field names hold no line ends.
struct Header<'a> {
    known: Option<&'a [u8]>,
    seen: Vec<u8>,
    over: bool,
}

impl Header<'_> {
    /// What of a piece is to be written.
    fn rest_of<'a>(&mut self, piece: &'a [u8], what: &str) -> Result<&'a [u8]> {
        if self.over {
            return Ok(piece);
        }
        let line = memchr::memchr(b'\n', piece);
        let end = line.map_or(piece.len(), |at| at + 1);
        self.seen.extend_from_slice(&piece[..end]);
        self.over = line.is_some();
        match self.known {
            None => Ok(piece),
            Some(known) => {
                if self.over && self.seen.trim_ascii() != known.trim_ascii() && !self.seen.trim_ascii().is_empty() {
                    return Err(Error::unexpected(
                        what,
                        "the header differs from that of the page before",
                    ));
                }
                Ok(&piece[end..])
            }
        }
    }

    fn finish(self) -> Vec<u8> {
        self.seen
    }
}

impl Connection {
    /// Downloads a whole body; when the connection is lost in it, again from its start.
    pub(super) async fn spool(&self, request: Request) -> Result<(HeaderMap, Spool)> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            let mut download = self.download(request.clone()).await?.not_json().await?;
            let mut spool = Spool::new();
            let lost = loop {
                match download.chunk().await {
                    Ok(Some(piece)) => spool.push(piece).await?,
                    Ok(None) => return Ok((download.headers, spool)),
                    Err(error) => break error,
                }
            };
            let wait = self.inner.options.retry.wait(attempt, None).ok_or(lost)?;
            tracing::debug!(attempt, "{}: the answer broke off, once more", request.what);
            self.clock().sleep(wait).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(bodies: &[&[&str]]) -> Result<String> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (mut csv, mut to) = (Csv::default(), Vec::new());
            for body in bodies {
                let mut spool = Spool::new();
                for piece in *body {
                    spool.push(Bytes::copy_from_slice(piece.as_bytes())).await?;
                }
                spool.append(&mut csv, &mut to, "x").await?;
            }
            Ok(String::from_utf8(to).unwrap())
        })
    }

    #[test]
    fn the_header_comes_once() {
        let check = |bodies: &[&[&str]], expect: &str| assert_eq!(joined(bodies).unwrap(), expect, "{bodies:?}");
        check(&[&["Id\n1\n"], &["Id\n2\n"]], "Id\n1\n2\n");
        check(&[&["I", "d\n1", "\n"], &["I", "d", "\n", "2\n"]], "Id\n1\n2\n");
        check(&[&["Id\n1"], &["Id\n2"]], "Id\n1\n2");
        check(&[&["\"Id\"\r\n1\r\n"], &["\"Id\"\r\n2\r\n"]], "\"Id\"\r\n1\r\n2\r\n");
        check(&[&["Id\n"]], "Id\n");
        check(&[&["\n"]], "\n");
        check(&[&[], &["Id\n1\n"]], "Id\n1\n");
        check(&[&["Id\n1\n"], &[]], "Id\n1\n");
        assert!(joined(&[&["Id\n1\n"], &["Name\n2\n"]]).is_err());
    }

    #[test]
    fn a_body_beyond_the_memory_goes_through_a_file() {
        let row = "x".repeat(1024 * 1024 - 1) + "\n";
        let mut body = vec!["Id\n"];
        body.resize(42, &row);
        let text = joined(&[&["Id\n1\n"], &body]).unwrap();
        assert_eq!(text.len(), 5 + 41 * 1024 * 1024);
        assert!(text.starts_with("Id\n1\nxxx"));
        assert_eq!(text.matches("Id").count(), 1);
    }
}
