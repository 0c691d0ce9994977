//! SOSL: `FIND {acme*} IN NAME FIELDS RETURNING Account(Id, Name WHERE … LIMIT 10), Contact`.
//!
//! Words are found whole, in any case; `*` and `?` are wildcards, quotes make a phrase, `AND`, `OR` and `NOT` join words.
//! Every object is asked with a query of its own, so its fields and conditions mean what they mean in SOQL.

use super::ast::{Condition, Expr, Path, Query, Selected};
use super::fault::Text;
use super::lexer::Token;
use super::parser::Parser;
use super::query::{Options, PAGE, answer};
use crate::error::ApiError;
use crate::http::Call;
use crate::schema::{Api, Field, Kind, Object};
use serde_json::Value as Json;

fn malformed(reason: impl Into<String>) -> ApiError {
    ApiError::new("MALFORMED_SEARCH", reason)
}

/// The records a search finds, object by object in the order of `RETURNING`; at most 2000.
///
/// # Errors
/// `MALFORMED_SEARCH`, and those of queries for unknown objects and fields.
pub fn run(call: &Call<'_>, text: &str) -> Result<Vec<Json>, ApiError> {
    let (term, rest) = cut(text)?;
    let words = condition_of(&term)?;
    let search = read(Text(&rest)).map_err(|error| ApiError {
        code: "MALFORMED_SEARCH".to_owned(),
        ..error
    })?;
    let objects = if search.objects.is_empty() {
        everything(call)
    } else {
        search.objects
    };
    let mut records = Vec::new();
    for mut query in objects {
        let room = search.limit.min(PAGE as u64) - records.len() as u64;
        let schema = call.schema();
        let Some(object) = schema.object(query.from.last()) else {
            return Err(Text(&rest).no_object(query.from.at, query.from.last()));
        };
        let fields = searched(object, &search.fields, query.from.at);
        if room == 0 || fields.is_empty() {
            continue;
        }
        let found = words.clone().in_fields(&fields);
        query.filter = Some(match query.filter.take() {
            Some(filter) => Condition::All(vec![filter, found]),
            None => found,
        });
        query.limit = Some(query.limit.unwrap_or(room).min(room));
        records.extend(answer(call, &rest, &query, Options::default())?.records);
    }
    Ok(records)
}

/// Takes the words out of the braces; the rest keeps its places.
fn cut(text: &str) -> Result<(String, String), ApiError> {
    let begins = |c: &str| c.eq_ignore_ascii_case("FIND");
    let start = text.find('{').filter(|at| begins(text[..*at].trim()));
    let start = start.ok_or_else(|| malformed("a search begins with FIND {words}"))?;
    let mut escaped = false;
    let end = text[start + 1..].find(|c: char| {
        let ends = c == '}' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    });
    let end = end.ok_or_else(|| malformed("the braces around the words are not closed"))? + start + 1;
    let blank = " ".repeat(text[..=end].chars().count());
    Ok((text[start + 1..end].to_owned(), blank + &text[end + 1..]))
}

/// Words joined by operators.
#[derive(Debug, Clone)]
enum Words {
    One(String),
    Not(Box<Words>),
    All(Vec<Words>),
    Any(Vec<Words>),
}

impl Words {
    fn in_fields(self, fields: &[Path]) -> Condition {
        let each = |all: Vec<Words>| all.into_iter().map(|words| words.in_fields(fields)).collect();
        match self {
            Self::One(word) => Condition::Found(fields.to_vec(), vec![word]),
            Self::Not(words) => Condition::Not(Box::new(words.in_fields(fields))),
            Self::All(all) => Condition::All(each(all)),
            Self::Any(any) => Condition::Any(each(any)),
        }
    }
}

fn condition_of(term: &str) -> Result<Words, ApiError> {
    let (mut any, mut all, mut not) = (Vec::new(), Vec::new(), false);
    for (word, quoted) in split(term) {
        match word.as_str() {
            "AND" if !quoted => {}
            "NOT" if !quoted => not = true,
            "OR" if !quoted => any.push(Words::All(std::mem::take(&mut all))),
            _ => {
                if word.chars().filter(|c| !matches!(c, '*' | '?')).count() < 2 {
                    return Err(malformed(format!(
                        "search term must be longer than one character: {word}"
                    )));
                }
                let word = Words::One(word);
                all.push(if std::mem::take(&mut not) {
                    Words::Not(Box::new(word))
                } else {
                    word
                });
            }
        }
    }
    any.push(Words::All(all));
    let empty = |words: &Words| matches!(words, Words::All(all) if all.is_empty());
    if not || any.iter().any(empty) {
        return Err(malformed("a search needs words on both sides of its operators"));
    }
    Ok(Words::Any(any))
}

/// Words and phrases; true for phrases.
fn split(term: &str) -> Vec<(String, bool)> {
    let (mut all, mut word, mut quoted) = (Vec::new(), String::new(), false);
    let mut chars = term.chars();
    let mut end = |word: &mut String, quoted| {
        if !word.is_empty() {
            all.push((std::mem::take(word), quoted));
        }
    };
    while let Some(c) = chars.next() {
        match c {
            '\\' => word.extend(chars.next()),
            '"' => {
                end(&mut word, quoted);
                quoted = !quoted;
            }
            c if c.is_whitespace() && !quoted => end(&mut word, false),
            c => word.push(c),
        }
    }
    end(&mut word, quoted);
    all
}

/// What stands behind the words.
struct Search {
    /// `ALL`, `NAME`, `EMAIL`, `PHONE` or `SIDEBAR`.
    fields: String,
    objects: Vec<Query>,
    limit: u64,
}

fn read(text: Text<'_>) -> Result<Search, ApiError> {
    let mut parser = Parser::new(text)?;
    let mut search = Search {
        fields: "ALL".to_owned(),
        objects: Vec::new(),
        limit: PAGE as u64,
    };
    if parser.take("IN") {
        let which = parser.path()?;
        search.fields = which.last().to_ascii_uppercase();
        if !["ALL", "NAME", "EMAIL", "PHONE", "SIDEBAR"].contains(&search.fields.as_str()) {
            return Err(text.unexpected(which.at, which.last()));
        }
        parser.expect("FIELDS")?;
    }
    if parser.take("RETURNING") {
        search.objects = parser.list(returned)?;
    }
    // What follows the objects is read as a query's end: only LIMIT means something here.
    let mut end = empty(Path {
        parts: Vec::new(),
        at: 0,
    });
    parser.clauses(&mut end)?;
    search.limit = end.limit.unwrap_or(search.limit);
    match parser.peek() {
        Token::End if end.filter.is_none() && end.group.is_empty() && end.order.is_empty() => Ok(search),
        _ => Err(parser.unexpected()),
    }
}

fn empty(from: Path) -> Query {
    Query {
        select: vec![Selected::Expr(id(from.at), None)],
        from,
        alias: None,
        scope: None,
        filter: None,
        group: Vec::new(),
        having: None,
        order: Vec::new(),
        limit: None,
        offset: None,
        all_rows: false,
    }
}

fn id(at: usize) -> Expr {
    Expr::Path(Path {
        parts: vec!["Id".to_owned()],
        at,
    })
}

fn returned(parser: &mut Parser<'_>) -> Result<Query, ApiError> {
    let mut query = empty(parser.path()?);
    if parser.take_sign("(") {
        query.select = parser.list(|p| Ok(Selected::Expr(p.expr()?, None)))?;
        parser.clauses(&mut query)?;
        parser.expect_sign(")")?;
    }
    Ok(query)
}

/// Every object of the data API that has named records.
fn everything(call: &Call<'_>) -> Vec<Query> {
    call.schema()
        .objects()
        .filter(|object| object.api != Api::Tooling && object.key_prefix.is_some() && object.name_field().is_some())
        .map(|object| {
            empty(Path {
                parts: vec![object.name.clone()],
                at: 0,
            })
        })
        .collect()
}

fn searched(object: &Object, which: &str, at: usize) -> Vec<Path> {
    let fits = |field: &&Field| match which {
        "NAME" => field.name_field,
        "EMAIL" => field.kind == Kind::Email,
        "PHONE" => field.kind == Kind::Phone,
        _ => matches!(
            field.kind,
            Kind::String | Kind::Textarea | Kind::Email | Kind::Phone | Kind::Url | Kind::Picklist
        ),
    };
    let path = |field: &Field| Path {
        parts: vec![field.name.clone()],
        at,
    };
    object.fields.iter().filter(fits).map(path).collect()
}
