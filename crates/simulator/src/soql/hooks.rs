//! What single objects want of a query: to be brought up to date before they are read, codes in filters, refusals.
//! Three tables; a line each.

use crate::error::ApiError;
use crate::http::Call;

/// Brings an object's rows up to date.
pub type BeforeRead = fn(&Call<'_>) -> Result<(), ApiError>;

/// What runs before an object is read, once a query.
const BEFORE_READ: &[(&str, BeforeRead)] = &[
    ("EntityDefinition", super::virtual_objects::entities),
    ("FieldDefinition", super::virtual_objects::fields),
    #[cfg(test)]
    ("Account", tests::settle),
];

/// Turns what a filter writes into what is stored; none: nothing is equal to it.
pub type Stored = fn(&str) -> Option<&'static str>;

/// Object, field and how filters write its values.
const FILTER_CODES: &[(&str, &str, Stored)] = &[
    ("SandboxProcess", "Status", crate::sandbox::status::stored),
    #[cfg(test)]
    ("Account", "Industry", tests::code),
];

/// What an object refuses. A list of fields that holds `*` means every field.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// The object.
    pub object: &'static str,
    /// Fields that cannot stand in `WHERE`.
    pub no_filter: &'static [&'static str],
    /// If not empty, the only fields that can stand in `WHERE`.
    pub only_filter: &'static [&'static str],
    /// Only `=`, `!=`, `AND` and `OR` are allowed.
    pub only_equality: bool,
    /// `ORDER BY` is refused.
    pub no_order: bool,
    /// `COUNT()`, aggregates and `GROUP BY` are refused.
    pub no_aggregate: bool,
    /// `WHERE` must name one of these fields, unless empty.
    pub must_filter: &'static [&'static str],
    /// Greatest number of rows over REST; more are refused, there is no next page.
    pub most_rows: Option<u64>,
    /// Greatest number of rows of a Bulk query.
    pub most_bulk_rows: Option<u64>,
}

impl Rule {
    /// An object with no refusals yet.
    pub const fn of(object: &'static str) -> Self {
        Self {
            object,
            no_filter: &[],
            only_filter: &[],
            only_equality: false,
            no_order: false,
            no_aggregate: false,
            must_filter: &[],
            most_rows: None,
            most_bulk_rows: None,
        }
    }
}

/// Salesforce API reference, "MetadataComponentDependency", "SetupAuditTrail", "FlowVersionView", "FieldDefinition".
const RULES: &[Rule] = &[
    Rule {
        no_filter: &["Section", "Display"],
        ..Rule::of("SetupAuditTrail")
    },
    Rule {
        no_filter: &[
            "Status",
            "Application",
            "Browser",
            "Platform",
            "ApiType",
            "ApiVersion",
            "ClientVersion",
        ],
        ..Rule::of("LoginHistory")
    },
    Rule {
        only_filter: &[
            "MetadataComponentId",
            "MetadataComponentType",
            "RefMetadataComponentId",
            "RefMetadataComponentType",
        ],
        only_equality: true,
        no_order: true,
        no_aggregate: true,
        most_rows: Some(2000),
        most_bulk_rows: Some(100_000),
        ..Rule::of("MetadataComponentDependency")
    },
    Rule {
        must_filter: &["DurableId", "FlowDefinitionViewId"],
        ..Rule::of("FlowVersionView")
    },
    Rule {
        most_rows: Some(2000),
        no_aggregate: true,
        ..Rule::of("EntityDefinition")
    },
    Rule {
        most_rows: Some(2000),
        no_aggregate: true,
        must_filter: &["EntityDefinitionId", "EntityDefinition", "DurableId"],
        ..Rule::of("FieldDefinition")
    },
];

/// What runs before an object is read.
pub fn before_read(object: &str) -> Option<BeforeRead> {
    BEFORE_READ
        .iter()
        .find(|(name, _)| *name == object)
        .map(|(_, run)| *run)
}

/// How filters write the values of a field, if not as they are stored.
pub fn stored(object: &str, field: &str) -> Option<Stored> {
    let fits = |(o, f, _): &&(&str, &str, Stored)| *o == object && f.eq_ignore_ascii_case(field);
    FILTER_CODES.iter().find(fits).map(|(.., stored)| *stored)
}

/// What an object refuses.
pub fn rule(object: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.object == object)
}

#[cfg(test)]
mod tests {
    use super::super::{Options, run};
    use crate::config::Config;
    use crate::error::ApiError;
    use crate::http::{Call, in_call};
    use crate::org::{OrgKind, Origin, records};
    use crate::world::World;
    use rusqlite::types::Value;
    use std::sync::Arc;

    /// What is under way becomes what is done.
    pub(super) fn settle(call: &Call<'_>) -> Result<(), ApiError> {
        call.db.execute(
            "UPDATE Account SET Industry = 'Education' WHERE Industry = 'Banking'",
            [],
        )?;
        Ok(())
    }

    pub(super) fn code(written: &str) -> Option<&'static str> {
        [("1", "Energy"), ("2", "Education")]
            .iter()
            .find(|(code, _)| *code == written)
            .map(|(_, label)| *label)
    }

    #[test]
    fn rows_are_settled_and_filters_take_codes() {
        let config = Config {
            orgs: Vec::new(),
            ..Config::default()
        };
        let world = Arc::new(World::new(config, None).expect("world"));
        let origin = Origin {
            http: String::new(),
            https: None,
        };
        let org = world.add_org("prod", OrgKind::Production, origin).expect("org");
        let names = |condition: &str| {
            let work = |call: &mut Call<'_>| {
                let text = format!("SELECT Name, Industry FROM Account WHERE {condition} ORDER BY Name");
                let records = run(call, &text, Options::default())?.records;
                let brief = |r: &serde_json::Value| format!("{}{}", r["Name"], r["Industry"]).replace('"', "");
                Ok(records.iter().map(brief).collect::<Vec<_>>().join(" "))
            };
            in_call(&world, &org, &mut org.lock(), None, work).expect("rows")
        };
        {
            let state = org.lock();
            let account = state.schema.object("Account").expect("Account");
            for (name, industry) in [("a", "Energy"), ("b", "Banking")] {
                let values = [
                    ("Name", Value::Text(name.to_owned())),
                    ("Industry", Value::Text(industry.to_owned())),
                ];
                records::insert(&org, &state.db, account, &values, "", 0).expect("insert");
            }
        }
        assert_eq!(names("Industry != null"), "aEnergy bEducation");
        assert_eq!(names("Industry = '2'"), "bEducation");
        assert_eq!(names("Industry = 'Energy'"), "");
        assert_eq!(names("Industry != '1'"), "bEducation");
        assert_eq!(names("Industry NOT IN ('1', 'Education')"), "bEducation");
    }
}
