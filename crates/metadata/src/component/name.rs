//! Names in files and manifests: what the platform percent-escapes there, components carry plainly.

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

/// What the platform escapes: punctuation except `-`, `_`, `.`, `~`, `$` and the blank.
/// Seen in real repositories: `Account-Account %28Sales%29 Layout`, `Custom%3A Support Profile`.
const ESCAPED: &AsciiSet = &CONTROLS
    .add(b'!')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'&')
    .add(b'\'')
    .add(b'(')
    .add(b')')
    .add(b'*')
    .add(b'+')
    .add(b',')
    .add(b'/')
    .add(b':')
    .add(b';')
    .add(b'<')
    .add(b'=')
    .add(b'>')
    .add(b'?')
    .add(b'@')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// `#` parts a version type's name from its number (`Agent#1`) and stays there.
const ESCAPED_BUT_HASH: &AsciiSet = &ESCAPED.remove(b'#');

/// A name as the Metadata API knows it: `%28` stands for `(`. What does not decode stays as it is.
pub fn decode(name: &str) -> Box<str> {
    match percent_decode_str(name).decode_utf8() {
        Ok(decoded) => decoded.into(),
        Err(_) => name.into(),
    }
}

/// The name as one part of a path.
pub(crate) fn escape(name: &str) -> String {
    utf8_percent_encode(name, ESCAPED).to_string()
}

/// A name whose `/` part folders.
pub(crate) fn escape_segments(name: &str) -> String {
    name.split('/').map(escape).collect::<Vec<_>>().join("/")
}

/// The name as a member of package.xml; `versioned` for a type whose names carry `#`.
pub(crate) fn escape_member(name: &str, versioned: bool) -> String {
    if name == "*" {
        return name.to_owned();
    }
    let set = if versioned { ESCAPED_BUT_HASH } else { ESCAPED };
    let parts: Vec<String> = name
        .split('/')
        .map(|part| utf8_percent_encode(part, set).to_string())
        .collect();
    parts.join("/")
}
