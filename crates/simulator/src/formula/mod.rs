//! Formulas of fields and validation rules, turned into SQL over the org's tables.
//!
//! What is not known here is refused when it is deployed, never guessed when it runs.

mod functions;
mod parse;
mod sql;

use crate::clock::Millis;
use crate::schema::{Field, Kind, Object, Schema};
use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;

/// Gives a database the arithmetic that SQLite may lack.
pub(crate) fn register(db: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    db.create_scalar_function("floor", 1, flags, |c| Ok(c.get::<f64>(0)?.floor()))?;
    db.create_scalar_function("ceil", 1, flags, |c| Ok(c.get::<f64>(0)?.ceil()))?;
    db.create_scalar_function("pow", 2, flags, |c| Ok(c.get::<f64>(0)?.powf(c.get(1)?)))?;
    db.create_scalar_function("mod", 2, flags, |c| Ok(c.get::<f64>(0)?.rem_euclid(c.get(1)?)))?;
    Ok(())
}

/// What a formula is compiled for.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// Objects and fields.
    pub schema: &'a Schema,
    /// The time of `NOW()` and `TODAY()`.
    pub now: Millis,
    /// The user of `$User`, 18 characters.
    pub user: &'a str,
    /// The record is new: `ISNEW()`.
    pub new: bool,
    /// Alias of a row with the values before the change, for `PRIORVALUE` and `ISCHANGED`.
    pub old: Option<&'a str>,
}

impl<'a> Context<'a> {
    /// Outside of any change.
    pub fn reading(schema: &'a Schema, now: Millis, user: &'a str) -> Self {
        Self {
            schema,
            now,
            user,
            new: false,
            old: None,
        }
    }
}

/// The SQL of a condition over the row `alias`: 1 or 0.
pub fn condition(context: &Context<'_>, object: &Object, alias: &str, formula: &str) -> Result<String, String> {
    let node = parse::parse(formula)?;
    let compiled = sql::Compiler::new(context, object, alias).compile(&node)?;
    compiled.boolean()
}

/// The SQL of the value of a formula field over the row `alias`, as the field's kind is stored.
pub fn value(context: &Context<'_>, object: &Object, alias: &str, field: &Field) -> Result<String, String> {
    let text = field.formula.as_deref().unwrap_or_default();
    let node = parse::parse(text)?;
    let compiled = sql::Compiler::new(context, object, alias).compile(&node)?;
    match field.kind {
        Kind::Boolean => compiled.boolean(),
        Kind::Double | Kind::Currency | Kind::Percent | Kind::Int => compiled.number(),
        Kind::Date => compiled.date(),
        Kind::Datetime => compiled.moment(),
        _ => Ok(format!("NULLIF({}, '')", compiled.text())),
    }
}

/// Says why a formula cannot be evaluated, if so: an unknown function, field or sign.
/// `field` is the formula field, none for a condition.
pub fn check(schema: &Schema, object: &Object, formula: &str, field: Option<&Field>) -> Result<(), String> {
    let context = Context {
        old: Some("o"),
        ..Context::reading(schema, 0, "")
    };
    match field {
        Some(field) => {
            let field = Field {
                formula: Some(formula.to_owned()),
                ..field.clone()
            };
            value(&context, object, "r", &field).map(|_| ())
        }
        None => condition(&context, object, "r", formula).map(|_| ()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(formula: &str, expect: &str) {
        let schema = crate::schema::standard().expect("model");
        let object = schema.object("Contact").expect("Contact");
        let context = Context {
            old: Some("o"),
            ..Context::reading(&schema, 1_772_446_530_000, "005000000000001AAA")
        };
        let result = parse::parse(formula)
            .and_then(|node| sql::Compiler::new(&context, object, "r").compile(&node))
            .map(|compiled| compiled.text());
        let got = match result {
            Err(problem) => problem,
            Ok(sql) => {
                let db = Connection::open_in_memory().expect("db");
                register(&db).expect("functions");
                db.execute_batch(
                    "CREATE TABLE Contact (Id, LastName, FirstName, AccountId, DoNotCall, Birthdate, LeadSource);
                     INSERT INTO Contact VALUES ('003', 'Ito', NULL, '001', 0, '1990-05-04', 'Web');
                     CREATE TABLE Account (Id, Name, NumberOfEmployees, AnnualRevenue);
                     INSERT INTO Account VALUES ('001', 'Acme', 12, NULL);",
                )
                .expect("tables");
                db.query_row(
                    &format!("SELECT CAST({sql} AS TEXT) FROM Contact r, (SELECT 'Old' AS LastName) o"),
                    [],
                    |row| row.get(0),
                )
                .unwrap_or_else(|error| format!("{error}"))
            }
        };
        assert_eq!(got, expect, "{formula}");
    }

    #[test]
    fn formulas_are_evaluated_by_the_database() {
        check("LastName & ', ' & FirstName", "Ito, ");
        check("IF(ISBLANK(FirstName), \"none\", FirstName)", "none");
        check("TEXT(Account.NumberOfEmployees * 2 + 1)", "25");
        check("Account.AnnualRevenue + 1", "1");
        check("TEXT(AND(LEN(LastName) = 3, NOT(DoNotCall)))", "1");
        check("IF(ISPICKVAL(LeadSource, 'Web') && TODAY() > Birthdate, 'a', 'b')", "a");
        check("TEXT(TODAY())", "2026-03-02");
        check("TEXT(DATE(2026, 3, 10) - TODAY())", "8");
        check("CASE(LeadSource, 'Phone', 1, 'Web', 2, 3)", "2");
        check("IF(ISCHANGED(LastName), PRIORVALUE(LastName), '')", "Old");
        check("IF(CONTAINS(Account.Name, 'cm') /* a comment */, 'yes', 'no')", "yes");
        check("1 + 2 * 3 - 4 / 2", "5");
        check("FLOOR(2.5) + 2 ^ 3", "10");
        check("IF(OR(1 <> 1, !(2 >= 3)), \"it's\", 'x')", "it's");
    }

    #[test]
    fn what_is_not_known_is_said() {
        check("REGEX(LastName, '[A-Z]*')", "the function REGEX is not known here");
        check("Nope__c = 1", "Field Nope__c does not exist. Check spelling.");
        check("Nope__r.Name", "Field Nope__r does not exist. Check spelling.");
        check("LEN(LastName", "Syntax error. Missing ')'");
        check("LEN(1, 2)", "LEN takes 1 value, not 2");
        check("1 +", "Syntax error. The formula ends too early");
        check("'a' * 2", "'a' is no number");
    }
}
