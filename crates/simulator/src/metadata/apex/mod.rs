//! Apex as far as the simulator goes: which methods are tests, what they and their coverage are declared to be.

mod runs;
mod scan;
mod types;

pub(crate) use runs::{asynchronous, finish, synchronous};
pub(crate) use types::needed as needed_types;

use super::store;
use crate::error::ApiError;
use crate::http::Call;
use serde_json::{Value, json};
use syncline_metadata::component::ComponentId;

/// Milliseconds that every test takes.
const TIME: u32 = 10;

/// A class with tests.
#[derive(Debug, Clone)]
pub(crate) struct TestClass {
    /// Record id.
    pub record_id: String,
    /// Name.
    pub name: String,
    /// Namespace of a managed package.
    pub namespace: Option<String>,
    /// Source.
    pub body: String,
    /// Test methods.
    pub methods: Vec<String>,
}

/// What a test method gave.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    /// Class.
    pub class: String,
    /// Record id of the class.
    pub class_id: String,
    /// Method.
    pub method: String,
    /// `pass`, `fail`, `skip`.
    pub outcome: String,
    /// Message of a failure.
    pub message: String,
    /// Milliseconds.
    pub time: u32,
}

impl Outcome {
    /// Whether it failed.
    pub(crate) fn is_failure(&self) -> bool {
        self.outcome == "fail"
    }

    /// The place in the code of a failure.
    pub(crate) fn stack(&self) -> String {
        format!("Class.{}.{}: line 1, column 1", self.class, self.method)
    }

    /// A `RunTestSuccess` or `RunTestFailure`.
    pub(crate) fn json(&self) -> Value {
        let mut out = json!({
            "id": self.class_id,
            "methodName": self.method,
            "name": self.class,
            "namespace": null,
            "seeAllData": false,
            "time": self.time,
        });
        if self.is_failure() {
            out["message"] = json!(self.message);
            out["packageName"] = json!(self.class);
            out["stackTrace"] = json!(self.stack());
            out["type"] = json!("Class");
        }
        out
    }
}

/// How far tests cover a class or trigger.
#[derive(Debug, Clone)]
pub(crate) struct Coverage {
    /// Record id.
    pub record_id: String,
    /// Name.
    pub name: String,
    /// A trigger.
    pub trigger: bool,
    /// Lines reached.
    pub covered: u32,
    /// Lines there are.
    pub lines: u32,
}

impl Coverage {
    /// Percent reached; all of nothing.
    pub(crate) fn percent(&self) -> f64 {
        average(std::slice::from_ref(self))
    }

    /// A `CodeCoverageResult`.
    pub(crate) fn json(&self) -> Value {
        let missed: Vec<Value> = (self.covered + 1..=self.lines)
            .map(|line| json!({ "column": 0, "line": line, "numExecutions": 0, "time": -1.0 }))
            .collect();
        json!({
            "id": self.record_id,
            "locationsNotCovered": missed,
            "name": self.name,
            "namespace": null,
            "numLocations": self.lines,
            "numLocationsNotCovered": self.lines - self.covered,
            "type": if self.trigger { "Trigger" } else { "Class" },
        })
    }
}

/// Percent of all lines that tests reach.
pub(crate) fn average(coverage: &[Coverage]) -> f64 {
    let lines: u32 = coverage.iter().map(|one| one.lines).sum();
    let covered: u32 = coverage.iter().map(|one| one.covered).sum();
    if lines == 0 {
        return 100.0;
    }
    f64::from(covered) * 100.0 / f64::from(lines)
}

/// The source of a class or trigger.
pub(crate) fn body(call: &Call<'_>, id: &ComponentId) -> Result<String, ApiError> {
    let files = store::files(call.db, id)?;
    let code = files.iter().find(|file| !file.path.ends_with("-meta.xml"));
    Ok(code.map_or_else(String::new, |file| String::from_utf8_lossy(&file.content).into_owned()))
}

/// The classes with tests.
pub(crate) fn test_classes(call: &Call<'_>) -> Result<Vec<TestClass>, ApiError> {
    let mut found = Vec::new();
    for class in store::list(call.db, "ApexClass")? {
        let body = body(call, &class.id)?;
        if let Some(methods) = scan::test_methods(&body) {
            found.push(TestClass {
                record_id: class.record_id,
                name: class.id.full_name.to_string(),
                namespace: class.namespace,
                body,
                methods,
            });
        }
    }
    Ok(found)
}

/// Runs the tests of a class: these methods, or all. What is not declared passes.
pub(crate) fn run_class(call: &Call<'_>, class: &TestClass, methods: &[String]) -> Vec<Outcome> {
    let declared = &call.world.config.apex.tests;
    class
        .methods
        .iter()
        .filter(|method| methods.is_empty() || methods.iter().any(|name| name.eq_ignore_ascii_case(method)))
        .map(|method| {
            let known = declared
                .iter()
                .find(|test| test.class.eq_ignore_ascii_case(&class.name) && test.method.eq_ignore_ascii_case(method));
            Outcome {
                class: class.name.clone(),
                class_id: class.record_id.clone(),
                method: method.clone(),
                outcome: known.map_or_else(|| "pass".to_owned(), |test| test.outcome.clone()),
                message: known.map(|test| test.message.clone()).unwrap_or_default(),
                time: TIME,
            }
        })
        .collect()
}

/// The coverage of all classes and triggers that are no tests. What is not declared is covered whole.
pub(crate) fn coverage(call: &Call<'_>) -> Result<Vec<Coverage>, ApiError> {
    let mut found = Vec::new();
    for kind in ["ApexClass", "ApexTrigger"] {
        for component in store::list(call.db, kind)?
            .into_iter()
            .filter(|c| c.namespace.is_none())
        {
            let body = body(call, &component.id)?;
            if scan::test_methods(&body).is_some() {
                continue;
            }
            let name = component.id.full_name.to_string();
            let declared = call
                .world
                .config
                .apex
                .coverage
                .iter()
                .find(|one| one.class.eq_ignore_ascii_case(&name));
            let lines = declared.map_or_else(|| scan::lines(&body), |one| one.lines);
            let covered = declared.map_or(lines, |one| one.covered.min(one.lines));
            found.push(Coverage {
                record_id: component.record_id,
                name,
                trigger: kind == "ApexTrigger",
                covered,
                lines,
            });
        }
    }
    Ok(found)
}
