//! Conditions in SQL. Values are bound, names come from the schema.
//!
//! A condition is true or false, never unknown: nothing is equal to null but null, and `!=`, `NOT IN`, `EXCLUDES` and
//! `NOT` hold for rows without a value.

use super::ast::{Condition, Expr, Given, Literal, Op, Path, Query, Selected};
use super::hooks;
use super::scope::{Scope, key_column};
use super::terms::{Term, any_case, is_text, term};
use super::values::{self, Bound};
use crate::error::ApiError;
use crate::schema::{Field, Kind};
use rusqlite::types::Value;

/// Writes conditions for one scope and collects what they bind.
pub struct Filter<'f, 'a, 'c> {
    scope: &'f Scope<'a, 'c>,
    params: &'f mut Vec<Value>,
    /// Inside `HAVING`: what the rows are grouped by.
    groups: Option<&'f [Term]>,
    /// Inside the query of an `IN`.
    inner: bool,
}

impl<'f, 'a, 'c> Filter<'f, 'a, 'c> {
    /// For `WHERE`.
    pub fn of(scope: &'f Scope<'a, 'c>, params: &'f mut Vec<Value>) -> Self {
        Self {
            scope,
            params,
            groups: None,
            inner: false,
        }
    }

    /// For `HAVING`, over these groups.
    pub fn having(scope: &'f Scope<'a, 'c>, params: &'f mut Vec<Value>, groups: &'f [Term]) -> Self {
        Self {
            groups: Some(groups),
            ..Self::of(scope, params)
        }
    }

    /// Everything that decides whether a row is in: `WHERE`, the scope, and that it is not deleted.
    pub fn rows(&mut self, query: &Query) -> Result<String, ApiError> {
        let scope = self.scope;
        if query.having.is_some() && !super::is_aggregate(query) {
            let reason = "HAVING needs GROUP BY";
            return Err(scope.context.text.fail(query.from.at, "MALFORMED_QUERY", reason));
        }
        let mut all = vec![deleted_sql(scope)];
        match query.scope.as_deref() {
            None | Some("everything") => {}
            Some("mine") if scope.object.field("OwnerId").is_some() => {
                all.push(format!("{}.\"OwnerId\" = ?", scope.table));
                self.params.push(Value::Text(scope.context.call.user.clone()));
            }
            Some(other) => {
                let reason = format!("scope '{other}' is not supported for {}", scope.object.name);
                return Err(scope.context.text.fail(query.from.at, "INVALID_QUERY_SCOPE", &reason));
            }
        }
        if let Some(condition) = &query.filter {
            all.push(self.condition(condition)?);
        }
        Ok(balanced(all, "AND"))
    }

    /// One condition.
    pub fn condition(&mut self, condition: &Condition) -> Result<String, ApiError> {
        match condition {
            Condition::All(all) => self.joined(all, "AND"),
            Condition::Any(any) => self.joined(any, "OR"),
            Condition::Not(inner) => Ok(format!("NOT IFNULL({}, 0)", self.condition(inner)?)),
            Condition::Compare(left, op, right) => self.compare(left, *op, right),
            Condition::In(left, not, values) => self.membership(left, *not, values),
            Condition::InQuery(left, not, query) => self.in_query(left, *not, query),
            Condition::Includes(left, not, values) => self.includes(left, *not, values),
            Condition::Found(paths, words) => self.found(paths, words),
        }
    }

    fn joined(&mut self, conditions: &[Condition], with: &str) -> Result<String, ApiError> {
        let parts = conditions.iter().map(|c| self.condition(c)).collect::<Result<_, _>>()?;
        Ok(balanced(parts, with))
    }

    /// The left side of a comparison, if the object allows it there.
    fn left(&self, expr: &Expr, equality: bool) -> Result<Term, ApiError> {
        let term = term(self.scope, expr)?;
        let text = self.scope.context.text;
        match self.groups {
            None if term.aggregate => return Err(text.unexpected(expr.at(), &term.name)),
            Some(groups) if !term.aggregate && !groups.iter().any(|group| group.sql == term.sql) => {
                let reason = format!("Field must be grouped or aggregated: {}", term.name);
                return Err(text.fail(expr.at(), "MALFORMED_QUERY", &reason));
            }
            _ => {}
        }
        if let Some(found) = &term.found {
            let rule = hooks::rule(&found.object.name).filter(|_| found.parents.is_empty());
            let named = |names: &[&str]| names.iter().any(|n| n.eq_ignore_ascii_case(&found.field.name));
            let refused =
                rule.is_some_and(|r| named(r.no_filter) || !r.only_filter.is_empty() && !named(r.only_filter));
            if refused || !super::field_rules::filterable(&found.field) {
                let reason = format!("field '{}' can not be filtered in a query call", found.field.name);
                return Err(text.fail(expr.at(), "INVALID_FIELD", &reason));
            }
            if rule.is_some_and(|r| r.only_equality) && !equality {
                let reason = format!("field '{}' can only be filtered with = and !=", found.field.name);
                return Err(text.fail(expr.at(), "INVALID_QUERY_FILTER_OPERATOR", &reason));
            }
        }
        Ok(term)
    }

    fn compare(&mut self, left: &Expr, op: Op, right: &Literal) -> Result<String, ApiError> {
        let equality = matches!(op, Op::Equal | Op::NotEqual);
        let term = self.left(left, equality)?;
        let text = self.scope.context.text;
        if !values::takes(term.kind, op) {
            let kind = if matches!(term.kind, Kind::Id | Kind::Reference) {
                "id"
            } else {
                values::soap_name(term.kind)
            };
            let reason = format!("invalid operator on {kind} field");
            return Err(text.fail(left.at(), "INVALID_QUERY_FILTER_OPERATOR", &reason));
        }
        let sql = &term.sql;
        match values::bind(text, &term, right, op, self.scope.context.call.now)? {
            Bound::Null if equality => Ok(null_sql(sql, op == Op::NotEqual)),
            // Nothing is less, greater or like null.
            Bound::Null => Ok("0".to_owned()),
            Bound::Span(start, end) => Ok(self.span(sql, op, start, end)),
            Bound::Value(value) if term.kind == Kind::Boolean => {
                self.params.push(value);
                Ok(format!(
                    "IFNULL({sql}, 0) {} ?",
                    if op == Op::Equal { "=" } else { "<>" }
                ))
            }
            Bound::Value(value) => {
                if op == Op::Equal {
                    self.wants_index(&term);
                }
                let (sql, value) = comparable(&term, sql, value);
                self.params.push(value);
                Ok(match op {
                    Op::NotEqual => format!("({sql} IS NULL OR {sql} <> ?)"),
                    Op::Like => format!("{sql} LIKE ? ESCAPE '\\'"),
                    _ => format!("{sql} {} ?", sign(op)),
                })
            }
        }
    }

    /// A comparison with a span of days: equal is inside, less is before.
    fn span(&mut self, sql: &str, op: Op, start: Value, end: Value) -> String {
        let (text, values) = match op {
            Op::Equal => (format!("({sql} >= ? AND {sql} < ?)"), vec![start, end]),
            Op::NotEqual => (format!("({sql} IS NULL OR {sql} < ? OR {sql} >= ?)"), vec![start, end]),
            Op::Less => (format!("{sql} < ?"), vec![start]),
            Op::LessOrEqual => (format!("{sql} < ?"), vec![end]),
            Op::Greater => (format!("{sql} >= ?"), vec![end]),
            Op::GreaterOrEqual | Op::Like => (format!("{sql} >= ?"), vec![start]),
        };
        self.params.extend(values);
        text
    }

    fn membership(&mut self, left: &Expr, not: bool, list: &[Literal]) -> Result<String, ApiError> {
        let term = self.left(left, false)?;
        let context = self.scope.context;
        let (mut spans, mut plain, mut folded, mut null) = (Vec::new(), Vec::new(), Vec::new(), false);
        for literal in list {
            match values::bind(context.text, &term, literal, Op::Equal, context.call.now)? {
                Bound::Null => null = true,
                Bound::Span(start, end) => spans.push((start, end)),
                Bound::Value(value) if any_case(&term) && values::needs_fold(&value) => {
                    folded.push(values::fold(value));
                }
                Bound::Value(value) => plain.push(value),
            }
        }
        let mut any = Vec::new();
        if null {
            any.push(null_sql(&term.sql, false));
        }
        for (start, end) in spans {
            any.push(self.span(&term.sql, Op::Equal, start, end));
        }
        if !plain.is_empty() {
            self.wants_index(&term);
            let (sql, _) = comparable(&term, &term.sql, Value::Null);
            any.push(self.in_values(&sql, plain));
        }
        if !folded.is_empty() {
            let sql = format!("soql_fold({})", term.sql);
            any.push(self.in_values(&sql, folded));
        }
        let sql = balanced(any, "OR");
        Ok(if not { format!("NOT IFNULL({sql}, 0)") } else { sql })
    }

    fn in_values(&mut self, sql: &str, list: Vec<Value>) -> String {
        let marks = vec!["?"; list.len()].join(", ");
        self.params.extend(list);
        format!("{sql} IN ({marks})")
    }

    fn wants_index(&self, term: &Term) {
        let Some(found) = term.found.as_ref().filter(|found| found.parents.is_empty()) else {
            return;
        };
        let field = &found.field;
        if field.kind == Kind::Reference {
            self.scope.context.wants_index(&found.object, field, false);
        } else if is_text(found) && (field.unique || field.external_id || field.name_field) {
            self.scope
                .context
                .wants_index(&found.object, field, !field.case_sensitive);
        }
    }

    fn in_query(&mut self, left: &Expr, not: bool, query: &Query) -> Result<String, ApiError> {
        let text = self.scope.context.text;
        if self.inner {
            return Err(text.fail(
                left.at(),
                "MALFORMED_QUERY",
                "Nesting of semi join sub-selects is not supported",
            ));
        }
        let term = self.left(left, false)?;
        let object = self.scope.context.object(&query.from.parts.join("."), query.from.at)?;
        let inner = Scope::new(self.scope.context, object, query.alias.clone().into_iter().collect())?;
        let [Selected::Expr(Expr::Path(path), None)] = query.select.as_slice() else {
            let reason = "A semi join sub-select must select exactly one id or reference field";
            return Err(text.fail(query.from.at, "MALFORMED_QUERY", reason));
        };
        let selected = inner.field(path)?;
        let outer = term.found.as_ref().map(|found| (&*found.object.name, &found.field));
        let targets = |object: &str, field: &Field| match field.kind {
            Kind::Id => vec![object.to_owned()],
            Kind::Reference => field.reference_to.clone(),
            _ => Vec::new(),
        };
        let left_targets = outer.map(|(object, field)| targets(object, field)).unwrap_or_default();
        let same = targets(&selected.object.name, &selected.field)
            .iter()
            .any(|target| left_targets.contains(target));
        if !same {
            let reason = format!(
                "The selected field '{}' in the subquery and the left operand field in the where expression in the outer query \
                 '{}' should point to the same object type",
                selected.field.name, term.name
            );
            return Err(text.fail(path.at, "MALFORMED_QUERY", &reason));
        }
        if query.limit.is_some() || query.offset.is_some() || !query.order.is_empty() || !query.group.is_empty() {
            let reason = "A semi join sub-select cannot have GROUP BY, ORDER BY, LIMIT or OFFSET";
            return Err(text.fail(query.from.at, "MALFORMED_QUERY", reason));
        }
        let rows = Filter {
            inner: true,
            ..Filter::of(&inner, self.params)
        }
        .rows(query)?;
        let sql = format!(
            "{} IN (SELECT {} FROM {} WHERE {rows} AND {} IS NOT NULL)",
            term.sql,
            selected.sql,
            inner.tables_sql(),
            selected.sql
        );
        Ok(if not { format!("NOT IFNULL({sql}, 0)") } else { sql })
    }

    fn includes(&mut self, left: &Expr, not: bool, list: &[Literal]) -> Result<String, ApiError> {
        let term = self.left(left, false)?;
        let text = self.scope.context.text;
        if term.kind != Kind::Multipicklist {
            let reason = format!("invalid operator on {} field", values::soap_name(term.kind));
            return Err(text.fail(left.at(), "INVALID_QUERY_FILTER_OPERATOR", &reason));
        }
        let mut any = Vec::new();
        for literal in list {
            let Given::Text { value, .. } = &literal.value else {
                return Err(values::wrong_type(text, &term, literal.at));
            };
            let mut all = Vec::new();
            for choice in value.split(';') {
                all.push(format!("instr(';' || soql_fold({}) || ';', ?)", term.sql));
                self.params.push(Value::Text(format!(";{};", choice.to_lowercase())));
            }
            any.push(balanced(all, "AND"));
        }
        let sql = balanced(any, "OR");
        Ok(if not { format!("NOT IFNULL({sql}, 0)") } else { sql })
    }

    fn found(&mut self, paths: &[Path], words: &[String]) -> Result<String, ApiError> {
        let fields = paths
            .iter()
            .map(|path| Ok(self.scope.field(path)?.sql))
            .collect::<Result<Vec<_>, ApiError>>()?;
        let mut all = Vec::new();
        for word in words {
            all.push(format!("soql_found(?, {})", fields.join(", ")));
            self.params.push(Value::Text(word.clone()));
        }
        Ok(balanced(all, "AND"))
    }
}

fn deleted_sql(scope: &Scope<'_, '_>) -> String {
    if scope.context.all_rows || scope.object.field("IsDeleted").is_none() {
        format!("{}.\"{}\" IS NOT NULL", scope.table, key_column(&scope.object))
    } else {
        format!("{}.\"IsDeleted\" IS NOT 1", scope.table)
    }
}

fn null_sql(sql: &str, not: bool) -> String {
    format!("{sql} IS {}NULL", if not { "NOT " } else { "" })
}

fn sign(op: Op) -> &'static str {
    match op {
        Op::Equal => "=",
        Op::NotEqual => "<>",
        Op::Less => "<",
        Op::LessOrEqual => "<=",
        Op::Greater => ">",
        Op::GreaterOrEqual => ">=",
        Op::Like => "LIKE",
    }
}

/// Both sides in a form in which SQLite compares them as Salesforce does.
fn comparable(term: &Term, sql: &str, value: Value) -> (String, Value) {
    if any_case(term) && values::needs_fold(&value) {
        (format!("soql_fold({sql})"), values::fold(value))
    } else if any_case(term) {
        (format!("{sql} COLLATE NOCASE"), value)
    } else if term.kind == Kind::Time {
        (format!("substr({sql}, 1, 12)"), value)
    } else {
        (sql.to_owned(), value)
    }
}

/// Joins conditions so that SQLite's tree of them stays shallow.
pub fn balanced(mut parts: Vec<String>, with: &str) -> String {
    while parts.len() > 1 {
        parts = parts
            .chunks(2)
            .map(|pair| match pair {
                [left, right] => format!("({left} {with} {right})"),
                _ => pair.concat(),
            })
            .collect();
    }
    parts.pop().unwrap_or_else(|| "1".to_owned())
}
