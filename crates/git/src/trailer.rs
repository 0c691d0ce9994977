//! Trailers: the block of `Key: value` lines that ends a commit message.
//!
//! Source of the rules: `git help interpret-trailers`. The block is the last paragraph, never the first; all its lines
//! are trailers, or at least a quarter and one of them is made by git itself (`Signed-off-by`, cherry-pick notes).

/// One trailer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Trailer {
    /// Letters, digits and `-`.
    pub key: String,
    /// One line.
    pub value: String,
}

/// A trailer cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrailerError {
    /// The key has other signs than letters, digits and `-`.
    #[error("`{key}` cannot be the key of a trailer: letters, digits and `-` are allowed")]
    Key {
        /// The key.
        key: String,
    },
    /// The value has several lines.
    #[error("the value of trailer `{key}` has a line break")]
    Value {
        /// The key.
        key: String,
    },
}

/// The message with the trailers at its end: joined to the trailer block it has, else after an empty line. A trailer
/// that equals the last one before it is not repeated.
pub fn append_trailers(message: &str, trailers: &[Trailer]) -> Result<String, TrailerError> {
    let message = message.trim_end();
    let (start, mut last) = (block_start(message), last_line_trailer(message));
    let mut lines = String::new();
    for trailer in trailers {
        let key = || trailer.key.clone();
        if trailer.key.is_empty()
            || !trailer
                .key
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        {
            return Err(TrailerError::Key { key: key() });
        }
        if trailer.value.contains(['\n', '\r', '\0']) {
            return Err(TrailerError::Value { key: key() });
        }
        let trailer = Trailer {
            key: key(),
            value: trailer.value.trim().to_owned(),
        };
        if last
            .as_ref()
            .is_some_and(|last| last.key.eq_ignore_ascii_case(&trailer.key) && last.value == trailer.value)
        {
            continue;
        }
        lines.push_str(format!("{}: {}", trailer.key, trailer.value).trim_end());
        lines.push('\n');
        last = Some(trailer);
    }
    let gap = match (lines.is_empty(), start) {
        (true, _) | (false, Some(_)) => "\n",
        (false, None) => "\n\n",
    };
    Ok(format!("{message}{gap}{lines}"))
}

/// The trailers of a message, in order; values that go on in indented lines are joined with a space.
pub fn parse_trailers(message: &str) -> Vec<Trailer> {
    block(message).into_iter().flatten().collect()
}

/// The trailer that the message ends with, if its last line belongs to one.
fn last_line_trailer(message: &str) -> Option<Trailer> {
    block(message).pop().flatten()
}

/// The items of the trailer block; `None` for lines among them that are no trailers.
fn block(message: &str) -> Vec<Option<Trailer>> {
    let message = message.trim_end();
    let Some(start) = block_start(message) else {
        return Vec::new();
    };
    let mut items: Vec<Option<Trailer>> = Vec::new();
    for line in message[start..].lines().filter(|line| !line.starts_with('#')) {
        match separator(line) {
            _ if line.starts_with(char::is_whitespace) => {
                if let Some(Some(last)) = items.last_mut() {
                    last.value = format!("{} {}", last.value, line.trim()).trim().to_owned();
                }
            }
            Some(at) if at > 0 => {
                let (key, value) = (line[..at].trim(), line[at + 1..].trim());
                items.push(Some(Trailer {
                    key: key.to_owned(),
                    value: value.to_owned(),
                }));
            }
            _ => items.push(None),
        }
    }
    items
}

const MADE_BY_GIT: [&str; 2] = ["Signed-off-by: ", "(cherry picked from commit "];

/// Where the trailer block begins, if the message (without empty lines at its end) has one.
fn block_start(message: &str) -> Option<usize> {
    let title_end = lines_with_offsets(message)
        .filter(|(_, line)| !line.starts_with('#'))
        .find(|(_, line)| line.trim().is_empty())
        .map(|(offset, _)| offset)?;
    let (mut trailers, mut others, mut continued, mut by_git) = (0, 0, 0, false);
    let mut start = message.len();
    let lines: Vec<_> = lines_with_offsets(message)
        .filter(|(offset, _)| *offset >= title_end)
        .collect();
    for (offset, line) in lines.into_iter().rev() {
        if line.starts_with('#') {
            others += std::mem::take(&mut continued);
        } else if line.trim().is_empty() {
            others += continued;
            let is_block = (by_git && trailers * 3 >= others) || (trailers > 0 && others == 0);
            return is_block.then_some(start);
        } else if MADE_BY_GIT.iter().any(|made| line.starts_with(made)) {
            (trailers, continued, by_git) = (trailers + 1, 0, true);
        } else if line.starts_with(char::is_whitespace) {
            continued += 1;
        } else if separator(line).is_some_and(|at| at > 0) {
            (trailers, continued) = (trailers + 1, 0);
        } else {
            others += 1 + std::mem::take(&mut continued);
        }
        start = offset;
    }
    None
}

fn lines_with_offsets(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split_inclusive('\n').scan(0, |offset, line| {
        let start = *offset;
        *offset += line.len();
        Some((start, line.trim_end_matches(['\n', '\r'])))
    })
}

/// Where the `:` of a trailer stands: after a key of letters, digits and `-`, perhaps with spaces before the colon.
fn separator(line: &str) -> Option<usize> {
    let mut space = false;
    for (at, byte) in line.bytes().enumerate() {
        match byte {
            b':' => return Some(at),
            b'-' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' if !space => {}
            b' ' | b'\t' if at > 0 => space = true,
            _ => return None,
        }
    }
    None
}
