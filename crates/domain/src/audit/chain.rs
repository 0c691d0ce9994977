//! One entry and its place in the chain.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::time::Millis;
use crate::wire::{hex, shown};

/// A SHA-256, in texts as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest(pub [u8; 32]);

/// What the first entry names as the digest of the one before.
pub const GENESIS: Digest = Digest([0; 32]);

/// The text is no digest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no SHA-256; it has 64 hexadecimal digits in lower case")]
pub struct DigestError(String);

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || DigestError(text.to_owned());
        let digits: Vec<u8> = text
            .bytes()
            .map(|byte| match byte {
                b'0'..=b'9' => Ok(byte - b'0'),
                b'a'..=b'f' => Ok(byte - b'a' + 10),
                _ => Err(error()),
            })
            .collect::<Result<_, _>>()?;
        let bytes: Vec<u8> = digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
        match bytes.try_into() {
            Ok(bytes) if digits.len() == 64 => Ok(Self(bytes)),
            _ => Err(error()),
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What is to be written: who did what to what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// When.
    pub at: Millis,
    /// The name of the actor.
    pub actor: String,
    /// What was done, `promote`.
    pub action: String,
    /// To what, `env:uat` or `operation:0199…`.
    pub subject: String,
    /// How it ended: `opened` before the effect, then `succeeded`, `failed`, `refused`.
    pub outcome: String,
    /// More, as JSON.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub details: Value,
}

/// An entry of the trail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its number, from 1 without gaps.
    pub seq: u64,
    /// What happened.
    #[serde(flatten)]
    pub draft: Draft,
    /// The digest of the entry before; [`GENESIS`] for the first.
    #[serde(with = "shown")]
    pub previous: Digest,
    /// The digest of all of the above.
    #[serde(with = "shown")]
    pub hash: Digest,
}

/// Stands in front of what is digested, so that no other use of SHA-256 gives the same digest.
const DOMAIN: &[u8] = b"syncline audit entry 1\n";

impl Entry {
    /// The entry behind `last`; the first where there is none.
    pub fn after(last: Option<(u64, Digest)>, draft: Draft) -> Self {
        let (seq, previous) = last.map_or((1, GENESIS), |(seq, hash)| (seq + 1, hash));
        let mut entry = Self {
            seq,
            draft,
            previous,
            hash: GENESIS,
        };
        entry.hash = entry.digest();
        entry
    }

    /// The digest that the entry should have.
    pub fn digest(&self) -> Digest {
        let mut sha = Sha256::new();
        sha.update(DOMAIN);
        sha.update(self.seq.to_be_bytes());
        sha.update(self.previous.0);
        sha.update(self.draft.at.to_be_bytes());
        for text in [
            &self.draft.actor,
            &self.draft.action,
            &self.draft.subject,
            &self.draft.outcome,
            &canonical(&self.draft.details),
        ] {
            sha.update((text.len() as u64).to_be_bytes());
            sha.update(text.as_bytes());
        }
        Digest(sha.finalize().into())
    }
}

/// JSON in one form: keys in the order of their bytes, no white space. A database may keep it in another.
pub(super) fn canonical(value: &Value) -> String {
    let mut out = String::new();
    write(value, &mut out);
    out
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort_unstable();
            out.push('{');
            for (n, key) in keys.into_iter().enumerate() {
                if n > 0 {
                    out.push(',');
                }
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push(':');
                write(&map[key], out);
            }
            out.push('}');
        }
        Value::Array(list) => {
            out.push('[');
            for (n, item) in list.iter().enumerate() {
                if n > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        plain => out.push_str(&plain.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_have_one_form() {
        let check = |json: &str, expect: &str| {
            assert_eq!(canonical(&serde_json::from_str(json).unwrap()), expect);
        };
        check(
            r#"{ "b": [1, {"z": null, "a": "é\n"}], "a": true }"#,
            "{\"a\":true,\"b\":[1,{\"a\":\"é\\n\",\"z\":null}]}",
        );
        check("1.50", "1.5");
        check("null", "null");
    }

    #[test]
    fn digests_are_stable() {
        let draft = Draft {
            at: 1_767_225_600_000,
            actor: "kim".to_owned(),
            action: "promote".to_owned(),
            subject: "env:uat".to_owned(),
            outcome: "opened".to_owned(),
            details: serde_json::json!({"way": "dev1 → uat"}),
        };
        let first = Entry::after(None, draft.clone());
        assert_eq!((first.seq, first.previous), (1, GENESIS));
        assert_eq!(
            first.hash.to_string(),
            "794c3ce76caca1a981ec65bda5b3bebda2d5425c96d853ef13ee43c40470589e"
        );
        let second = Entry::after(Some((first.seq, first.hash)), draft);
        assert_eq!((second.seq, second.previous), (2, first.hash));
        assert_eq!(second.hash.to_string().parse(), Ok(second.hash));
        let json = serde_json::to_string(&second).unwrap();
        assert_eq!(serde_json::from_str::<Entry>(&json).unwrap(), second);
        assert!("AB".repeat(32).parse::<Digest>().is_err());
        assert!("ab".parse::<Digest>().is_err());
    }
}
