//! A query of the REST API: the first page, and what is needed for the next ones.

use super::ast::{Condition, Expr, Query};
use super::children::order_sql;
use super::cursor;
use super::fault::{Text, malformed};
use super::filter::Filter;
use super::hooks;
use super::load;
use super::parser::parse;
use super::plan::{Entry, Plan};
use super::scope::{Context, Scope, key_column};
use super::{aggregate, is_aggregate, is_count};
use crate::error::ApiError;
use crate::http::Call;
use crate::schema::Kind;
use rusqlite::types::Value;
use serde_json::{Map, Value as Json, json};
use std::collections::HashMap;

/// Greatest number of records of a page.
pub const PAGE: usize = 2000;
/// Smallest page that can be asked for.
const SMALLEST: usize = 200;
/// Columns of a row from which on pages get smaller.
const WIDE: usize = 100;
/// Greatest `OFFSET`.
const OFFSET: u64 = 2000;

/// How a query is to be answered.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Deleted rows too (`queryAll`).
    pub all_rows: bool,
    /// Records a page, as the client would like them; taken as 200 to 2000.
    pub batch_size: Option<usize>,
}

impl Options {
    pub(super) fn page_size(self) -> usize {
        self.batch_size.unwrap_or(PAGE).clamp(SMALLEST, PAGE)
    }
}

/// One page of an answer.
#[derive(Debug, Clone)]
pub struct QueryResult {
    /// Rows of all pages.
    pub total: u64,
    /// The records of this page.
    pub records: Vec<Json>,
    /// `01g…-2000`, when there are more.
    pub next: Option<String>,
    /// Object of the records; `AggregateResult` for groups.
    pub entity: String,
}

impl QueryResult {
    /// The answer's body, with what the Tooling API adds.
    pub fn body(&self, call: &Call<'_>) -> Json {
        let tooling = if call.tooling { "tooling/" } else { "" };
        let next = self
            .next
            .as_ref()
            .map(|next| format!("/services/data/v{}.0/{tooling}query/{next}", call.version));
        let mut body = Map::new();
        if call.tooling {
            body.insert("size".to_owned(), self.records.len().into());
        }
        body.insert("totalSize".to_owned(), self.total.into());
        body.insert("done".to_owned(), next.is_none().into());
        if call.tooling {
            body.insert("queryLocator".to_owned(), json!(self.next));
            body.insert("entityTypeName".to_owned(), self.entity.as_str().into());
        }
        if let Some(next) = next {
            body.insert("nextRecordsUrl".to_owned(), next.into());
        }
        body.insert("records".to_owned(), Json::Array(self.records.clone()));
        Json::Object(body)
    }
}

/// Answers a query: its first page.
///
/// # Errors
/// `MALFORMED_QUERY`, `INVALID_FIELD`, `INVALID_TYPE`, `INVALID_QUERY_FILTER_OPERATOR` and others with status 400.
pub fn run(call: &Call<'_>, text: &str, options: Options) -> Result<QueryResult, ApiError> {
    let query = parse(Text(text))?;
    answer(call, text, &query, options)
}

/// Answers a query that has been read.
pub fn answer(call: &Call<'_>, text: &str, query: &Query, options: Options) -> Result<QueryResult, ApiError> {
    let all_rows = options.all_rows || query.all_rows;
    let context = Context::new(call, Text(text), all_rows);
    let scope = root(&context, query)?;
    if is_count(query) {
        return aggregate::count(&scope, query);
    }
    if is_aggregate(query) {
        return aggregate::run(&scope, query);
    }
    let select = root(&context, query)?;
    let plan = Plan::of(&select, query)?;
    let page = options.page_size().min(widest_page(&plan));
    let keys = Keys::of(&scope, query, page)?;
    check_size(call, &plan, keys.total)?;
    let records = page_of(&select, &plan, &keys.first, true)?;
    let next = if keys.total > page as u64 {
        let locator = cursor::open(call, text, all_rows, &keys.all)?;
        Some(format!("{locator}-{page}"))
    } else {
        None
    };
    Ok(QueryResult {
        total: keys.total,
        records,
        next,
        entity: scope.object.name.clone(),
    })
}

/// The scope of a query's `FROM`, after what its object refuses.
pub fn root<'a, 'c>(context: &'a Context<'c>, query: &Query) -> Result<Scope<'a, 'c>, ApiError> {
    let object = context.object(&query.from.parts.join("."), query.from.at)?;
    if let Some(rule) = hooks::rule(&object.name) {
        let refuse = |what: &str| Err(malformed(format!("{} does not support {what}", object.name)));
        if rule.no_order && !query.order.is_empty() {
            return refuse("ORDER BY");
        }
        if rule.no_aggregate && is_aggregate(query) {
            return refuse("aggregate functions and GROUP BY");
        }
        if !rule.must_filter.is_empty() && !query.filter.as_ref().is_some_and(|c| names_one(c, rule.must_filter)) {
            return Err(malformed(format!(
                "{}: a filter on a reified column is required [{}]",
                object.name,
                rule.must_filter.join(",")
            )));
        }
    }
    if query.offset.is_some_and(|offset| offset > OFFSET) {
        return Err(ApiError::new(
            "NUMBER_OUTSIDE_VALID_RANGE",
            format!("Maximum SOQL offset allowed is {OFFSET}"),
        ));
    }
    Scope::new(context, object, query.alias.clone().into_iter().collect())
}

/// Whether a condition says something about one of the fields.
fn names_one(condition: &Condition, fields: &[&str]) -> bool {
    let named = |expr: &Expr| matches!(expr, Expr::Path(path) if path.parts.iter().any(|part| fields.iter().any(|f| f.eq_ignore_ascii_case(part))));
    match condition {
        Condition::All(all) | Condition::Any(all) => all.iter().any(|each| names_one(each, fields)),
        Condition::Not(_) | Condition::Found(..) => false,
        Condition::Compare(left, ..) | Condition::In(left, ..) | Condition::InQuery(left, ..) => named(left),
        Condition::Includes(left, ..) => named(left),
    }
}

fn check_size(call: &Call<'_>, plan: &Plan, total: u64) -> Result<(), ApiError> {
    let name = &plan.object.name;
    let most = match hooks::rule(name).and_then(|rule| rule.most_rows) {
        None if plan.object.key_prefix.is_none() => Some(PAGE as u64),
        most => most,
    };
    if most.is_some_and(|most| total > most) {
        return Err(ApiError::new(
            "EXCEEDED_ID_LIMIT",
            format!("{name} does not support queryMore(), use LIMIT to restrict the results to a single batch"),
        ));
    }
    let whole = |entry: &Entry| matches!(entry, Entry::Value { key, .. } if key == "Metadata" || key == "FullName");
    if call.tooling && total > 1 && plan.entries.iter().any(whole) {
        return Err(malformed(format!(
            "When retrieving results with Metadata or FullName fields, the query qualifications must specify no more than one \
             row for retrieval. Result size: {total}"
        )));
    }
    Ok(())
}

/// Rows with many columns come in smaller pages; a blob counts as a wide row.
pub fn widest_page(plan: &Plan) -> usize {
    let blobs = plan
        .entries
        .iter()
        .filter(|entry| matches!(entry, Entry::Value { field, .. } if field.kind == Kind::Base64))
        .count();
    let columns = plan.columns.len() + WIDE * blobs;
    if columns > WIDE {
        (PAGE * WIDE / columns).max(SMALLEST)
    } else {
        PAGE
    }
}

/// The keys of the rows that are in, in order.
struct Keys {
    /// Those of the first page.
    first: Vec<String>,
    /// All of them, one after the other, if they are ids.
    all: Vec<u8>,
    total: u64,
}

impl Keys {
    fn of(scope: &Scope<'_, '_>, query: &Query, page: usize) -> Result<Self, ApiError> {
        let mut params = Vec::new();
        let sql = format!("{}.\"{}\"", scope.table, key_column(&scope.object));
        let sql = rows_sql(scope, query, &sql, &mut params)?;
        let mut keys = Self {
            first: Vec::new(),
            all: Vec::new(),
            total: 0,
        };
        let mut statement = scope.context.call.db.prepare(&sql)?;
        let mut rows = statement.query(rusqlite::params_from_iter(params))?;
        while let Some(row) = rows.next()? {
            let key = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
            keys.all.extend_from_slice(key.as_bytes());
            keys.total += 1;
            if keys.first.len() < page {
                keys.first.push(key.to_owned());
            }
        }
        Ok(keys)
    }
}

/// `SELECT what FROM … WHERE … ORDER BY … LIMIT …` with the indexes it wants.
pub fn rows_sql(scope: &Scope<'_, '_>, query: &Query, what: &str, params: &mut Vec<Value>) -> Result<String, ApiError> {
    let rows = Filter::of(scope, params).rows(query)?;
    let order = order_sql(scope, &query.order, false)?;
    scope.context.make_indexes()?;
    Ok(format!(
        "SELECT {what} FROM {} WHERE {rows}{order}{}",
        scope.tables_sql(),
        limit_sql(query)
    ))
}

/// ` LIMIT … OFFSET …`, or nothing.
pub fn limit_sql(query: &Query) -> String {
    match (query.limit, query.offset) {
        (None, None) => String::new(),
        (limit, offset) => {
            let limit = limit.and_then(|limit| i64::try_from(limit).ok()).unwrap_or(-1);
            format!(" LIMIT {limit} OFFSET {}", offset.unwrap_or(0))
        }
    }
}

/// The records of these keys in their order. What is gone or deleted by now is left out, unless `deleted` is wanted.
pub fn page_of(select: &Scope<'_, '_>, plan: &Plan, keys: &[String], deleted: bool) -> Result<Vec<Json>, ApiError> {
    select.context.make_indexes()?;
    let key = format!("{}.\"{}\"", select.table, key_column(&select.object));
    let live = if deleted || select.object.field("IsDeleted").is_none() {
        String::new()
    } else {
        format!(" AND {}.\"IsDeleted\" IS NOT 1", select.table)
    };
    let sql = format!(
        "SELECT {} FROM {} WHERE {key} IN (SELECT value FROM json_each(?)){live}",
        plan.columns.join(", "),
        select.tables_sql()
    );
    let params = vec![Value::Text(json!(keys).to_string())];
    let mut found: HashMap<String, Map<String, Json>> = load::load(select.context.call, plan, &sql, params, |_| true)?
        .into_iter()
        .map(|each| (super::render::text(&each.row[plan.key]).to_owned(), each.record))
        .collect();
    Ok(keys
        .iter()
        .filter_map(|key| found.remove(key))
        .map(Json::Object)
        .collect())
}

/// The body of a query with `columns=true`.
pub fn column_metadata(call: &Call<'_>, text: &str) -> Result<Json, ApiError> {
    let query = parse(Text(text))?;
    let context = Context::new(call, Text(text), false);
    let scope = root(&context, &query)?;
    super::column_metadata::of(&scope, &query)
}
