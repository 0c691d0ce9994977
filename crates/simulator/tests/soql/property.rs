//! `WHERE` against a second way to tell which rows are in: row by row, in the test.

use crate::org::{Asked, text};
use proptest::prelude::*;
use rusqlite::types::Value;

const DAY: i64 = 86_400_000;
/// 2026-03-02
const TODAY: i64 = 20_514;
const NAMES: &[&str] = &["", "a", "A", "ab", "Ä", "ä", "b%", "b_", "É b"];
const CHOICES: &[&str] = &["", "x", "x;y", "y", "z;x"];

#[derive(Debug, Clone)]
struct Row {
    name: Option<&'static str>,
    code: Option<&'static str>,
    count: Option<i64>,
    price: Option<f64>,
    active: bool,
    due: Option<i64>,
    seen: Option<i64>,
    colours: Option<&'static str>,
    account: Option<&'static str>,
}

#[derive(Debug, Clone)]
enum Condition {
    Text(&'static str, Compared, Option<&'static str>),
    Like(&'static str),
    TextIn(bool, Vec<Option<&'static str>>),
    Number(&'static str, Compared, Option<i64>),
    NumberIn(bool, Vec<i64>),
    Active(bool, bool),
    Day(&'static str, Compared, Option<i64>),
    Span(&'static str, Compared, i64, i64, String),
    Includes(bool, Vec<&'static str>),
    Not(Box<Condition>),
    All(Vec<Condition>),
    Any(Vec<Condition>),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Compared {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

use Compared::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};

impl Compared {
    fn sign(self) -> &'static str {
        match self {
            Equal => "=",
            NotEqual => "!=",
            Less => "<",
            LessOrEqual => "<=",
            Greater => ">",
            GreaterOrEqual => ">=",
        }
    }

    fn holds<T: PartialOrd>(self, left: Option<T>, right: Option<T>) -> bool {
        match (left, right, self) {
            (left, right, Equal) => left == right,
            (left, right, NotEqual) => left != right,
            (Some(left), Some(right), Less) => left < right,
            (Some(left), Some(right), LessOrEqual) => left <= right,
            (Some(left), Some(right), Greater) => left > right,
            (Some(left), Some(right), GreaterOrEqual) => left >= right,
            _ => false,
        }
    }
}

fn quoted(value: Option<&str>) -> String {
    value.map_or("null".to_owned(), |text| format!("'{text}'"))
}

fn day(day: i64) -> String {
    syncline_simulator::dates::write_day(day)
}

fn joined(all: &[Condition], with: &str) -> String {
    let all: Vec<String> = all.iter().map(|each| format!("({})", each.soql())).collect();
    all.join(with)
}

/// `%` any, `_` one, `\` before what is meant as it stands.
fn like(pattern: &[char], text: &[char]) -> bool {
    match pattern {
        [] => text.is_empty(),
        ['%', rest @ ..] => (0..=text.len()).any(|skip| like(rest, &text[skip..])),
        ['\\', c, rest @ ..] => text.first() == Some(c) && like(rest, &text[1..]),
        ['_', rest @ ..] => !text.is_empty() && like(rest, &text[1..]),
        [c, rest @ ..] => text.first() == Some(c) && like(rest, &text[1..]),
    }
}

impl Condition {
    fn soql(&self) -> String {
        let not = |not: &bool| if *not { "NOT " } else { "" };
        match self {
            Self::Text(field, compared, value) => format!("{field} {} {}", compared.sign(), quoted(*value)),
            Self::Like(pattern) => format!("Name LIKE '{pattern}'"),
            Self::TextIn(n, list) => {
                let list: Vec<String> = list.iter().map(|value| quoted(*value)).collect();
                format!("Name {}IN ({})", not(n), list.join(", "))
            }
            Self::Number(field, compared, n) => {
                format!(
                    "{field} {} {}",
                    compared.sign(),
                    n.map_or("null".to_owned(), |n| n.to_string())
                )
            }
            Self::NumberIn(n, list) => {
                let list: Vec<String> = list.iter().map(i64::to_string).collect();
                format!("Count__c {}IN ({})", not(n), list.join(", "))
            }
            Self::Active(equal, value) => format!("Active__c {} {value}", if *equal { "=" } else { "<>" }),
            Self::Day(field, compared, n) => {
                let zone = if *field == "Seen__c" { "T00:00:00Z" } else { "" };
                let value = n.map_or("null".to_owned(), |n| format!("{}{zone}", day(n)));
                format!("{field} {} {value}", compared.sign())
            }
            Self::Span(field, compared, _, _, word) => format!("{field} {} {word}", compared.sign()),
            Self::Includes(includes, list) => {
                let list: Vec<String> = list.iter().map(|value| format!("'{value}'")).collect();
                format!(
                    "Colours__c {} ({})",
                    if *includes { "INCLUDES" } else { "EXCLUDES" },
                    list.join(", ")
                )
            }
            Self::Not(inner) => format!("NOT ({})", inner.soql()),
            Self::All(all) => joined(all, " AND "),
            Self::Any(any) => joined(any, " OR "),
        }
    }

    fn holds(&self, row: &Row) -> bool {
        let fold = |text: Option<&str>| text.filter(|t| !t.is_empty()).map(str::to_lowercase);
        match self {
            Self::Text("Code__c", compared, value) => compared.holds(row.code, *value),
            Self::Text("Account__r.Name", compared, value) => compared.holds(fold(row.account), fold(*value)),
            Self::Text(_, compared, value) => compared.holds(fold(row.name), fold(*value)),
            Self::Like(pattern) => fold(row.name).is_some_and(|name| {
                let pattern: Vec<char> = pattern.to_lowercase().chars().collect();
                like(&pattern, &name.chars().collect::<Vec<_>>())
            }),
            Self::TextIn(not, list) => list.iter().any(|value| fold(*value) == fold(row.name)) != *not,
            Self::Number("Price__c", compared, n) => {
                #[allow(clippy::cast_precision_loss)]
                let n = n.map(|n| n as f64);
                compared.holds(row.price, n)
            }
            Self::Number(_, compared, n) => compared.holds(row.count, *n),
            Self::NumberIn(not, list) => row.count.is_some_and(|count| list.contains(&count)) != *not,
            Self::Active(equal, value) => (row.active == *value) == *equal,
            Self::Day("Due__c", compared, n) => compared.holds(row.due, *n),
            Self::Day(_, compared, n) => compared.holds(row.seen, n.map(|n| n * DAY)),
            Self::Span(field, compared, start, end, _) => {
                let value = if *field == "Due__c" {
                    row.due
                } else {
                    row.seen.map(|seen| seen.div_euclid(DAY))
                };
                let inside = |value: i64| (*start..*end).contains(&value);
                match compared {
                    Equal => value.is_some_and(inside),
                    NotEqual => !value.is_some_and(inside),
                    Less => value.is_some_and(|v| v < *start),
                    LessOrEqual => value.is_some_and(|v| v < *end),
                    Greater => value.is_some_and(|v| v >= *end),
                    GreaterOrEqual => value.is_some_and(|v| v >= *start),
                }
            }
            Self::Includes(includes, list) => {
                let own: Vec<&str> = row.colours.unwrap_or_default().split(';').collect();
                list.iter()
                    .any(|value| value.split(';').all(|choice| own.contains(&choice)))
                    == *includes
            }
            Self::Not(inner) => !inner.holds(row),
            Self::All(all) => all.iter().all(|each| each.holds(row)),
            Self::Any(any) => any.iter().any(|each| each.holds(row)),
        }
    }
}

fn some_name() -> impl Strategy<Value = Option<&'static str>> {
    prop::sample::select(NAMES).prop_map(|name| Some(name).filter(|name| !name.is_empty()))
}

fn plain_name() -> impl Strategy<Value = Option<&'static str>> {
    some_name().prop_map(|name| name.filter(|name| !name.contains(['%', '_'])))
}

fn row() -> impl Strategy<Value = Row> {
    (
        some_name(),
        some_name(),
        prop::option::of(-2..3_i64),
        prop::option::of(prop::sample::select(vec![-1.0, 0.5, 1.0])),
        any::<bool>(),
        prop::option::of(TODAY - 40..TODAY + 40),
        prop::option::of((TODAY - 2) * DAY..(TODAY + 2) * DAY),
        prop::sample::select(CHOICES),
        plain_name(),
    )
        .prop_map(|(name, code, count, price, active, due, seen, colours, account)| Row {
            name,
            code,
            count,
            price,
            active,
            due,
            seen,
            colours: Some(colours).filter(|c| !c.is_empty()),
            account,
        })
}

fn compared() -> impl Strategy<Value = Compared> {
    prop::sample::select(vec![Equal, NotEqual, Less, LessOrEqual, Greater, GreaterOrEqual])
}

/// A span with its first day and the day after its last, on a Monday.
fn span() -> impl Strategy<Value = (i64, i64, String)> {
    prop_oneof![
        Just((TODAY, TODAY + 1, "TODAY".to_owned())),
        Just((TODAY - 1, TODAY, "yesterday".to_owned())),
        Just((TODAY - 1, TODAY + 6, "THIS_WEEK".to_owned())),
        Just((TODAY - 1, TODAY + 30, "THIS_MONTH".to_owned())),
        (0..50_i64).prop_map(|n| (TODAY - n, TODAY + 1, format!("LAST_N_DAYS:{n}"))),
        (0..50_i64).prop_map(|n| (TODAY + 1, TODAY + 1 + n, format!("NEXT_N_DAYS:{n}"))),
        (0..5_i64).prop_map(|n| (TODAY - 1 - 7 * n, TODAY - 1, format!("LAST_N_WEEKS:{n}"))),
    ]
}

fn condition() -> impl Strategy<Value = Condition> {
    let equality = prop::sample::select(vec![Equal, NotEqual]);
    let texts = prop::sample::select(vec!["Name", "Code__c", "Account__r.Name"]);
    let numbers = prop::sample::select(vec!["Count__c", "Price__c"]);
    let days = prop::sample::select(vec!["Due__c", "Seen__c"]);
    let patterns = prop::sample::select(vec!["%", "a%", "%B", "_", "Ä", r"b\%", r"%\_", "É%", "__"]);
    let leaf = prop_oneof![
        (texts, equality, plain_name()).prop_map(|(field, c, value)| Condition::Text(field, c, value)),
        patterns.prop_map(Condition::Like),
        (any::<bool>(), prop::collection::vec(plain_name(), 1..4)).prop_map(|(not, list)| Condition::TextIn(not, list)),
        (numbers, compared(), prop::option::of(-2..3_i64)).prop_map(|(field, c, n)| Condition::Number(field, c, n)),
        (any::<bool>(), prop::collection::vec(-2..3_i64, 1..3)).prop_map(|(not, list)| Condition::NumberIn(not, list)),
        (any::<bool>(), any::<bool>()).prop_map(|(equal, value)| Condition::Active(equal, value)),
        (days.clone(), compared(), prop::option::of(TODAY - 3..TODAY + 3))
            .prop_map(|(field, c, n)| Condition::Day(field, c, n)),
        (days, compared(), span())
            .prop_map(|(field, c, (start, end, word))| Condition::Span(field, c, start, end, word)),
        (
            any::<bool>(),
            prop::collection::vec(prop::sample::select(vec!["x", "y", "x;y", "w"]), 1..3)
        )
            .prop_map(|(includes, list)| Condition::Includes(includes, list)),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|c| Condition::Not(Box::new(c))),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Condition::All),
            prop::collection::vec(inner, 2..4).prop_map(Condition::Any),
        ]
    })
}

fn fill(asked: &Asked, rows: &[Row]) {
    asked.sql("DELETE FROM Widget__c; DELETE FROM Account");
    for (n, row) in rows.iter().enumerate() {
        let or_null = |value: Option<Value>| value.unwrap_or(Value::Null);
        let account = row
            .account
            .map(|name| text(&asked.insert("Account", &[("Name", text(name))])));
        asked.insert(
            "Widget__c",
            &[
                ("Notes__c", text(&n.to_string())),
                ("Name", or_null(row.name.map(text))),
                ("Code__c", or_null(row.code.map(text))),
                ("Count__c", or_null(row.count.map(Value::Integer))),
                ("Price__c", or_null(row.price.map(Value::Real))),
                ("Active__c", Value::Integer(row.active.into())),
                ("Due__c", or_null(row.due.map(|due| text(&day(due))))),
                ("Seen__c", or_null(row.seen.map(Value::Integer))),
                ("Colours__c", or_null(row.colours.map(text))),
                ("Account__c", or_null(account)),
            ],
        );
    }
}

/// Cases of a property; a long run asks for more of them, in hundredths of the usual number.
fn cases(usual: u32) -> u32 {
    let percent = std::env::var("PROOF_QUERIES").map_or(100, |text| text.parse().expect("a number"));
    usual * percent / 100
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(40), failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn the_same_rows_are_in(
        rows in prop::collection::vec(row(), 1..20),
        conditions in prop::collection::vec(condition(), 30),
    ) {
        let asked = Asked::new();
        fill(&asked, &rows);
        for condition in conditions {
            let soql = format!("SELECT Notes__c FROM Widget__c WHERE {}", condition.soql());
            let expected: Vec<String> = rows
                .iter()
                .enumerate()
                .filter(|(_, row)| condition.holds(row))
                .map(|(n, _)| format!("[\"{n}\"]"))
                .collect();
            prop_assert_eq!(asked.rows(&soql), format!("[{}]", expected.join(",")), "{}", soql);
        }
    }
}

const PIECES: &[&str] = &[
    "SELECT",
    "Id",
    "Name",
    ",",
    "FROM",
    "Account",
    "Widget__c",
    "WHERE",
    "(",
    ")",
    "=",
    "!=",
    "<",
    "LIKE",
    "IN",
    "NOT",
    "AND",
    "OR",
    "'a'",
    "'%'",
    "null",
    "true",
    "1",
    "1.5",
    "2026-03-02",
    "2026-03-02T10:00:00Z",
    "TODAY",
    "LAST_N_DAYS:2",
    "ORDER BY",
    "GROUP BY",
    "HAVING",
    "LIMIT",
    "OFFSET",
    "COUNT",
    "COUNT()",
    "MAX(Name)",
    "COUNT(Id)",
    "About__r.Name",
    "About__r.Type",
    "Account__r",
    "Account__r.Owner.Name",
    "Place__c",
    "Colours__c",
    "INCLUDES",
    "FIELDS(ALL)",
    "toLabel(State__c)",
    "CALENDAR_YEAR(Seen__c)",
    "(SELECT Id FROM Widgets__r)",
    "(SELECT Account__c FROM Widget__c)",
    "TYPEOF About__r WHEN Account THEN Name END",
    "DESC",
    "NULLS LAST",
    "FOR VIEW",
    "USING SCOPE",
    "mine",
    "x",
    "EntityDefinition",
    "DurableId",
    "Fields",
    "FieldDefinition",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(100), failure_persistence: None, ..ProptestConfig::default() })]
    /// Whatever is asked, the answer is rows or a refusal, never a failure of the simulator.
    #[test]
    fn nonsense_is_refused(
        pieces in prop::collection::vec(prop::collection::vec(prop::sample::select(PIECES), 0..12), 40),
    ) {
        let asked = Asked::new();
        for pieces in pieces {
            for begin in ["", "SELECT Id FROM Widget__c", "SELECT Name, COUNT(Id) FROM Widget__c GROUP BY Name", "SELECT"] {
                let soql = format!("{begin} {}", pieces.join(" "));
                let (status, body) = asked.get("query", &[("q", &soql)], &[]);
                prop_assert!(status == 200 || status == 400, "{}: {}", soql, body);
            }
        }
    }

    #[test]
    fn noise_is_refused(noise in prop::collection::vec("\\PC{0,30}", 40)) {
        let asked = Asked::new();
        for noise in noise {
            for soql in [noise.clone(), format!("SELECT Id FROM Account WHERE Name = '{noise}'"), format!("SELECT {noise} FROM Account")] {
                let (status, body) = asked.get("query", &[("q", &soql)], &[]);
                prop_assert!(status == 200 || status == 400, "{}: {}", soql, body);
                let (status, body) = asked.get("search", &[("q", &format!("FIND {{{noise}}} RETURNING Account"))], &[]);
                prop_assert!(status == 200 || status == 400, "{}: {}", noise, body);
            }
        }
    }
}
