//! What is read of each row and how it becomes a record: the select list with its names looked up.

use super::ast::{Expr, Function, Path, Query, Selected, TypeOf};
use super::children::Children;
use super::fault::malformed;
use super::render::Show;
use super::scope::{Found, Parent, Scope, key_column};
use super::terms;
use crate::error::ApiError;
use crate::schema::{Field, Kind, Object};
use std::sync::Arc;

/// Greatest `LIMIT` with `FIELDS(ALL)` and `FIELDS(CUSTOM)`.
const FIELDS_LIMIT: u64 = 200;

/// Part of a record.
#[derive(Debug)]
pub enum Entry {
    /// A value from a column.
    Value {
        /// Key in the record.
        key: String,
        /// The column.
        at: usize,
        /// How it is shown.
        show: Show,
        /// The field.
        field: Box<Field>,
    },
    /// A parent record, or null.
    Parent {
        /// Key in the record.
        key: String,
        /// Column of the parent's id.
        id: usize,
        /// Object of the parent.
        object: ParentObject,
        /// What is shown of it, by object; the last one without a name is for all others.
        branches: Vec<(Option<String>, Vec<Entry>)>,
    },
    /// Records below.
    Children(Children),
}

/// What a parent is.
#[derive(Debug)]
pub enum ParentObject {
    /// Always of this object.
    One(String),
    /// The column says it; shown as that object, or as `Name`.
    Any {
        /// The column.
        at: usize,
        /// Shown as `Name`.
        as_name: bool,
    },
}

/// What is read of each row.
#[derive(Debug)]
pub struct Plan {
    /// The object of the rows.
    pub object: Arc<Object>,
    /// SQL of the columns.
    pub columns: Vec<String>,
    /// The record.
    pub entries: Vec<Entry>,
    /// Column of the row's key.
    pub key: usize,
}

impl Plan {
    /// Looks up a select list.
    pub fn of(scope: &Scope<'_, '_>, query: &Query) -> Result<Self, ApiError> {
        let mut plan = Self {
            object: Arc::clone(&scope.object),
            columns: Vec::new(),
            entries: Vec::new(),
            key: 0,
        };
        plan.key = plan.column(format!("{}.\"{}\"", scope.table, key_column(&scope.object)));
        for selected in &query.select {
            match selected {
                Selected::Expr(Expr::Path(path), None) => plan.add(scope, scope.field(path)?, path.at)?,
                Selected::Expr(Expr::Call(call), alias) => plan.call(scope, query, call, alias.as_deref())?,
                Selected::Expr(Expr::Path(path), Some(_)) => {
                    let reason = "only aggregate expressions use field aliasing";
                    return Err(scope.context.text.fail(path.at, "MALFORMED_QUERY", reason));
                }
                Selected::Children(query) => {
                    let children = Children::of(scope, query)?;
                    plan.entries.push(Entry::Children(children));
                }
                Selected::TypeOf(type_of) => plan.type_of(scope, type_of)?,
            }
        }
        Ok(plan)
    }

    /// The number of a column, added if it is new.
    fn column(&mut self, sql: String) -> usize {
        self.columns.iter().position(|known| *known == sql).unwrap_or_else(|| {
            self.columns.push(sql);
            self.columns.len() - 1
        })
    }

    fn call(
        &mut self,
        scope: &Scope<'_, '_>,
        query: &Query,
        call: &Function,
        alias: Option<&str>,
    ) -> Result<(), ApiError> {
        match call.name.as_str() {
            "FIELDS" => self.fields(scope, query, call),
            "TOLABEL" | "FORMAT" | "CONVERTCURRENCY" => {
                let found = terms::field_argument(scope, call)?;
                let show = match call.name.as_str() {
                    "TOLABEL" => Show::Label(found.field.picklist.clone()),
                    "FORMAT" => Show::Formatted(found.field.kind, found.field.scale),
                    _ => Show::Plain(found.field.kind),
                };
                let key = alias.unwrap_or(&found.field.name).to_owned();
                self.put(scope, found, key, Some(show), call.at)
            }
            _ => Err(scope.context.text.unexpected(call.at, &call.name)),
        }
    }

    fn fields(&mut self, scope: &Scope<'_, '_>, query: &Query, call: &Function) -> Result<(), ApiError> {
        let unexpected = || scope.context.text.unexpected(call.at, &call.name);
        let [Expr::Path(which)] = call.args.as_slice() else {
            return Err(unexpected());
        };
        let custom = match which.last().to_ascii_uppercase().as_str() {
            "ALL" => None,
            "STANDARD" => Some(false),
            "CUSTOM" => Some(true),
            _ => return Err(unexpected()),
        };
        if custom != Some(false) && query.limit.is_none_or(|limit| limit > FIELDS_LIMIT) {
            return Err(malformed("The SOQL FIELDS function must have a LIMIT of at most 200"));
        }
        let object = Arc::clone(&scope.object);
        for field in &object.fields {
            if field.kind != Kind::Complexvalue && custom.is_none_or(|custom| field.custom == custom) {
                self.add(scope, scope.field_of(Vec::new(), &field.name, call.at)?, call.at)?;
            }
        }
        Ok(())
    }

    fn add(&mut self, scope: &Scope<'_, '_>, found: Found, at: usize) -> Result<(), ApiError> {
        let key = found.field.name.clone();
        self.put(scope, found, key, None, at)
    }

    fn put(
        &mut self,
        scope: &Scope<'_, '_>,
        found: Found,
        key: String,
        show: Option<Show>,
        at: usize,
    ) -> Result<(), ApiError> {
        let mut levels = Vec::new();
        for parent in &found.parents {
            levels.push((
                parent.key.clone(),
                self.column(parent.key_sql()),
                self.parent_object(parent, true),
            ));
        }
        let value = self.value(scope, &found, key.clone(), show);
        if insert(&mut self.entries, &mut levels.into_iter(), value) {
            return Ok(());
        }
        let reason = format!("duplicate field selected: {key}");
        Err(scope.context.text.fail(at, "MALFORMED_QUERY", &reason))
    }

    fn parent_object(&mut self, parent: &Parent, as_name: bool) -> ParentObject {
        match parent.places.as_slice() {
            [one] if !parent.any => ParentObject::One(one.object.name.clone()),
            _ => ParentObject::Any {
                at: self.column(parent.type_sql()),
                as_name,
            },
        }
    }

    fn value(&mut self, scope: &Scope<'_, '_>, found: &Found, key: String, show: Option<Show>) -> Entry {
        let field = &found.field;
        let key_sql = found.parents.last().map_or_else(
            || format!("{}.\"{}\"", scope.table, key_column(&scope.object)),
            Parent::key_sql,
        );
        let (at, kind_show) = match field.kind {
            Kind::Base64 => {
                let id = self.column(key_sql);
                let show = Show::Blob(found.object.name.clone(), field.name.clone(), id);
                (self.column(format!("{} IS NOT NULL", found.sql)), show)
            }
            Kind::Address | Kind::Location => (self.column(key_sql), Show::Parts(self.parts(scope, found))),
            kind => (self.column(found.sql.clone()), Show::Plain(kind)),
        };
        Entry::Value {
            key,
            at,
            show: show.unwrap_or(kind_show),
            field: Box::new(field.clone()),
        }
    }

    /// The parts of a compound field: `BillingAddress` → `BillingCity`, `Place__c` → `Place__Latitude__s`.
    fn parts(&mut self, scope: &Scope<'_, '_>, found: &Found) -> Vec<(&'static str, usize)> {
        let name = &found.field.name;
        let names: Vec<(&'static str, String)> = if found.field.kind == Kind::Location {
            let stem = name.strip_suffix("__c").unwrap_or(name);
            LOCATION
                .iter()
                .map(|(key, part)| (*key, format!("{stem}__{part}__s")))
                .collect()
        } else {
            let stem = name.strip_suffix("Address").unwrap_or(name);
            ADDRESS
                .iter()
                .map(|(key, part)| (*key, format!("{stem}{part}")))
                .collect()
        };
        names
            .into_iter()
            .filter_map(|(key, part)| {
                let part = scope.field_of(found.parents.clone(), &part, 0).ok()?;
                Some((key, self.column(part.sql)))
            })
            .collect()
    }

    fn type_of(&mut self, scope: &Scope<'_, '_>, type_of: &TypeOf) -> Result<(), ApiError> {
        let text = scope.context.text;
        let parents = scope.parent(&type_of.parent)?;
        let Some((parent, above)) = parents.split_last() else {
            return Err(text.unexpected(type_of.parent.at, type_of.parent.last()));
        };
        if !above.is_empty() || !parent.any {
            let reason = format!("TYPEOF needs a polymorphic relationship, which '{}' is not", parent.key);
            return Err(text.fail(type_of.parent.at, "MALFORMED_QUERY", &reason));
        }
        let mut branches = Vec::new();
        for (object, paths) in &type_of.branches {
            let known = |p: &&super::scope::Place| p.object.name.eq_ignore_ascii_case(object.last());
            let place = parent.places.iter().find(known).cloned();
            let place = place.ok_or_else(|| text.no_object(object.at, object.last()))?;
            let name = place.object.name.clone();
            let only = Parent {
                places: vec![place],
                any: false,
                ..parent.clone()
            };
            branches.push((Some(name), self.branch(scope, &only, paths)?));
        }
        branches.push((None, self.branch(scope, parent, &type_of.other)?));
        let id = self.column(parent.key_sql());
        let object = self.parent_object(parent, false);
        let key = parent.key.clone();
        self.entries.push(Entry::Parent {
            key,
            id,
            object,
            branches,
        });
        Ok(())
    }

    fn branch(&mut self, scope: &Scope<'_, '_>, parent: &Parent, paths: &[Path]) -> Result<Vec<Entry>, ApiError> {
        let mut entries = Vec::new();
        for path in paths {
            let found = scope.field_of(vec![parent.clone()], path.last(), path.at)?;
            let key = found.field.name.clone();
            entries.push(self.value(scope, &found, key, None));
        }
        Ok(entries)
    }
}

const LOCATION: &[(&str, &str)] = &[("latitude", "Latitude"), ("longitude", "Longitude")];
const ADDRESS: &[(&str, &str)] = &[
    ("city", "City"),
    ("country", "Country"),
    ("countryCode", "CountryCode"),
    ("geocodeAccuracy", "GeocodeAccuracy"),
    ("latitude", "Latitude"),
    ("longitude", "Longitude"),
    ("postalCode", "PostalCode"),
    ("state", "State"),
    ("stateCode", "StateCode"),
    ("street", "Street"),
];

/// A level above the row: key, column of the id, object.
type Level = (String, usize, ParentObject);

/// Puts a value where it belongs, below these levels; false if its key is taken.
fn insert(entries: &mut Vec<Entry>, levels: &mut std::vec::IntoIter<Level>, value: Entry) -> bool {
    let Some((wanted, id, object)) = levels.next() else {
        let key = |entry: &Entry| match entry {
            Entry::Value { key, .. } => Some(key.clone()),
            _ => None,
        };
        let free = !entries.iter().any(|entry| key(entry) == key(&value));
        entries.push(value);
        return free;
    };
    for entry in entries.iter_mut() {
        if let Entry::Parent { key, branches, .. } = entry
            && *key == wanted
            && let Some((_, inner)) = branches.last_mut()
        {
            return insert(inner, levels, value);
        }
    }
    let mut inner = Vec::new();
    let free = insert(&mut inner, levels, value);
    entries.push(Entry::Parent {
        key: wanted,
        id,
        object,
        branches: vec![(None, inner)],
    });
    free
}
