//! Which fields can be filtered, sorted, grouped and added up. Describe says the same.

use crate::schema::{Field, Kind};

/// Greatest length of a text area that can be filtered; longer ones are long text areas.
const LONG_TEXT: u32 = 255;

fn plain(field: &Field) -> bool {
    match field.kind {
        Kind::Base64 | Kind::EncryptedString | Kind::Complexvalue | Kind::Address | Kind::Location => false,
        Kind::Textarea => field.length <= LONG_TEXT,
        _ => true,
    }
}

/// May stand in `WHERE`.
pub fn filterable(field: &Field) -> bool {
    plain(field)
}

/// May stand in `ORDER BY`.
pub fn sortable(field: &Field) -> bool {
    plain(field) && field.kind != Kind::Multipicklist
}

/// May stand in `GROUP BY`.
pub fn groupable(field: &Field) -> bool {
    plain(field)
        && !matches!(
            field.kind,
            Kind::Multipicklist | Kind::Double | Kind::Currency | Kind::Percent | Kind::Datetime | Kind::Time
        )
        && field.auto_number.is_none()
}

/// Whether the values are numbers.
pub fn is_number(kind: Kind) -> bool {
    matches!(kind, Kind::Int | Kind::Double | Kind::Currency | Kind::Percent)
}

/// Whether the aggregate function `name` takes values of this field.
pub fn aggregates(field: &Field, name: &str) -> bool {
    match name {
        "SUM" | "AVG" => is_number(field.kind),
        "MIN" | "MAX" => plain(field) && !matches!(field.kind, Kind::Boolean | Kind::Multipicklist | Kind::Time),
        _ => plain(field),
    }
}
