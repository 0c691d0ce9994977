//! What a deployment says about one component.

use crate::clock::Millis;
use crate::soap::date::iso;
use serde_json::{Map, Value, json};

/// A `DeployMessage`. Source: Metadata API Developer Guide, DeployMessage.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Message {
    /// Type as the deployment reports it: `AccountSettings`, empty for package.xml.
    pub kind: String,
    /// Full name.
    pub full_name: String,
    /// Path below the package's root.
    pub path: String,
    /// Record id.
    pub record_id: Option<String>,
    /// Made by this deployment.
    pub created: bool,
    /// Changed by it.
    pub changed: bool,
    /// Deleted by it.
    pub deleted: bool,
    /// `Error` or `Warning`, and the text.
    pub problem: Option<(&'static str, String)>,
    /// Line and column.
    pub place: Option<(u32, u32)>,
}

impl Message {
    /// An error.
    pub(crate) fn failure(kind: &str, full_name: &str, path: &str, problem: &str) -> Self {
        Self {
            problem: Some(("Error", problem.to_owned())),
            ..Self::success(kind, full_name, path)
        }
    }

    /// A success that warns.
    pub(crate) fn warning(kind: &str, full_name: &str, path: &str, problem: &str) -> Self {
        Self {
            problem: Some(("Warning", problem.to_owned())),
            ..Self::success(kind, full_name, path)
        }
    }

    /// A success without effect.
    pub(crate) fn success(kind: &str, full_name: &str, path: &str) -> Self {
        Self {
            kind: reported(kind, full_name),
            full_name: full_name.to_owned(),
            path: path.to_owned(),
            ..Self::default()
        }
    }

    /// The same with a place in its file.
    pub(crate) fn at(mut self, line: u32, column: u32) -> Self {
        self.place = Some((line, column));
        self
    }

    /// Whether it is an error.
    pub(crate) fn is_failure(&self) -> bool {
        matches!(self.problem, Some(("Error", _)))
    }

    /// Whether it warns.
    pub(crate) fn is_warning(&self) -> bool {
        matches!(self.problem, Some(("Warning", _)))
    }

    /// As in a result; paths get the zip's top folder in front.
    pub(crate) fn json(&self, prefix: &str, now: Millis) -> Value {
        let mut out = Map::new();
        let mut set = |name: &str, value: Value| {
            out.insert(name.to_owned(), value);
        };
        set("changed", json!(self.changed));
        if let Some((_, column)) = self.place {
            set("columnNumber", json!(column));
        }
        set("componentType", json!(self.kind));
        set("created", json!(self.created));
        set("createdDate", json!(iso(now)));
        set("deleted", json!(self.deleted));
        set("fileName", json!(format!("{prefix}{}", self.path)));
        set("fullName", json!(self.full_name));
        if let Some(id) = &self.record_id {
            set("id", json!(id));
        }
        if let Some((line, _)) = self.place {
            set("lineNumber", json!(line));
        }
        if let Some((kind, text)) = &self.problem {
            set("problem", json!(text));
            set("problemType", json!(kind));
        }
        set("success", json!(!self.is_failure()));
        Value::Object(out)
    }
}

/// Settings are reported by the type of the one group: `AccountSettings`.
fn reported(kind: &str, full_name: &str) -> String {
    if kind == "Settings" {
        format!("{full_name}Settings")
    } else {
        kind.to_owned()
    }
}
