//! How values of the other crates are written in JSON and TOML: as the text that people see.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
pub(crate) use syncline_domain::wire::{hex, shown, shown_list};

/// Bytes of a file or an element: a string when they are UTF-8, else `{"hex": "…"}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text(pub Vec<u8>);

impl Text {
    /// The text for people; bytes that are not UTF-8 are replaced.
    pub fn lossy(&self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Form {
    Plain(String),
    Bytes { hex: String },
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(&self.0) {
            Ok(text) => serializer.serialize_str(text),
            Err(_) => Form::Bytes { hex: hex(&self.0) }.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Form::deserialize(deserializer)? {
            Form::Plain(text) => Ok(Self(text.into_bytes())),
            Form::Bytes { hex } => unhex(&hex)
                .map(Self)
                .ok_or_else(|| serde::de::Error::custom("`hex` needs pairs of hexadecimal digits")),
        }
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text.chars().map(|c| c.to_digit(16).map(|d| d as u8)).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_survive() {
        let check = |bytes: &[u8], json: &str| {
            let text = Text(bytes.to_vec());
            assert_eq!(serde_json::to_string(&text).unwrap(), json);
            assert_eq!(serde_json::from_str::<Text>(json).unwrap(), text);
        };
        check(b"<a>\r\n</a>", r#""<a>\r\n</a>""#);
        check(b"", r#""""#);
        check(b"\xff\x00", r#"{"hex":"ff00"}"#);
        assert!(serde_json::from_str::<Text>(r#"{"hex":"f"}"#).is_err());
    }
}
