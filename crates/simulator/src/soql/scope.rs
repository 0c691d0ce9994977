//! Looks up the names of a query: fields, ways to parents, and the joins they need.

use super::ast::Path;
use super::fault::Text;
use super::hooks;
use crate::error::ApiError;
use crate::formula;
use crate::http::Call;
use crate::schema::{Api, Field, Kind, Object, Schema};
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Parents of parents: so many levels up.
const LEVELS: usize = 5;

/// What all parts of one query share.
pub struct Context<'a> {
    /// The call.
    pub call: &'a Call<'a>,
    /// The schema.
    pub schema: Arc<Schema>,
    /// The query's text.
    pub text: Text<'a>,
    /// Deleted rows too.
    pub all_rows: bool,
    tables: Cell<usize>,
    read: RefCell<BTreeSet<String>>,
    indexes: RefCell<BTreeSet<(String, String, bool)>>,
}

impl<'a> Context<'a> {
    /// For a query of a call.
    pub fn new(call: &'a Call<'a>, text: Text<'a>, all_rows: bool) -> Self {
        Self {
            call,
            schema: call.schema(),
            text,
            all_rows,
            tables: Cell::new(0),
            read: RefCell::default(),
            indexes: RefCell::default(),
        }
    }

    fn next_table(&self) -> String {
        let n = self.tables.replace(self.tables.get() + 1);
        format!("t{n}")
    }

    /// An object of the API called.
    pub fn object(&self, name: &str, at: usize) -> Result<Arc<Object>, ApiError> {
        let answers = |object: &Object| match object.api {
            Api::Both => true,
            Api::Data => !self.call.tooling,
            Api::Tooling => self.call.tooling,
        };
        self.schema
            .object(name)
            .filter(|object| answers(object))
            .cloned()
            .ok_or_else(|| self.text.no_object(at, name))
    }

    /// Sees to it that the rows of an object are up to date.
    pub fn before_read(&self, object: &Object) -> Result<(), ApiError> {
        if self.read.borrow_mut().insert(object.name.clone())
            && let Some(run) = hooks::before_read(&object.name)
        {
            run(self.call)?;
        }
        Ok(())
    }

    /// Says that rows of an object will be looked up by this field.
    pub fn wants_index(&self, object: &Object, field: &Field, any_case: bool) {
        if object.key_prefix.is_some() && field.name != "Id" {
            self.indexes
                .borrow_mut()
                .insert((object.name.clone(), field.name.clone(), any_case));
        }
    }

    /// Makes the indexes that were wanted. They stay, so a lookup is slow only the first time.
    pub fn make_indexes(&self) -> Result<(), ApiError> {
        for (object, field, any_case) in self.indexes.take() {
            self.call
                .db
                .execute_batch(&crate::org::index(&object, &field, any_case))?;
        }
        Ok(())
    }
}

/// The column by which rows of an object are told apart: ids, or for rows made from the schema the durable id.
pub fn key_column(object: &Object) -> &'static str {
    if object.key_prefix.is_none() && object.field("DurableId").is_some() {
        "DurableId"
    } else {
        "Id"
    }
}

/// `Owner` for `OwnerId`, `Boss__r` for `Boss__c`.
pub fn parent_name(field: &Field) -> Option<String> {
    match (field.name.strip_suffix("__c"), &field.relationship) {
        (Some(stem), _) if field.kind == Kind::Reference => Some(format!("{stem}__r")),
        (_, way) => way.clone(),
    }
}

/// `Contacts`, `Widgets__r`.
pub fn children_name(field: &Field) -> Option<String> {
    let way = field.children.as_ref()?;
    if field.custom && !way.ends_with("__r") {
        Some(format!("{way}__r"))
    } else {
        Some(way.clone())
    }
}

/// A table that may be where a name is looked up.
#[derive(Debug, Clone)]
pub struct Place {
    /// The object.
    pub object: Arc<Object>,
    /// The table's alias in SQL.
    pub table: String,
}

/// A way up to a parent: several places when the parent may be of several objects.
#[derive(Debug, Clone)]
pub struct Parent {
    /// Key in the result, `Owner`.
    pub key: String,
    /// Where its fields are.
    pub places: Vec<Place>,
    /// The field that points there may point to several objects.
    pub any: bool,
}

impl Parent {
    /// SQL of the parent's id; null when there is none.
    pub fn key_sql(&self) -> String {
        one_of(&self.places, |object| key_column(object))
    }

    /// SQL of the parent's object name.
    pub fn type_sql(&self) -> String {
        let whens: String = self
            .places
            .iter()
            .map(|p| {
                format!(
                    " WHEN {}.\"{}\" IS NOT NULL THEN '{}'",
                    p.table,
                    key_column(&p.object),
                    p.object.name
                )
            })
            .collect();
        format!("CASE{whens} END")
    }
}

fn one_of<'p>(places: &'p [Place], column: impl Fn(&'p Object) -> &'p str) -> String {
    let columns: Vec<String> = places
        .iter()
        .map(|p| format!("{}.\"{}\"", p.table, column(&p.object)))
        .collect();
    match columns.as_slice() {
        [one] => one.clone(),
        several => format!("COALESCE({})", several.join(", ")),
    }
}

/// A field that was looked up.
#[derive(Debug, Clone)]
pub struct Found {
    /// SQL of its value.
    pub sql: String,
    /// The object it stands in; the first one if it may be several.
    pub object: Arc<Object>,
    /// The field.
    pub field: Field,
    /// The parents on the way.
    pub parents: Vec<Parent>,
}

/// A `LEFT JOIN` of a parent's table.
struct Join {
    from: String,
    field: String,
    object: Arc<Object>,
    table: String,
}

/// The tables of one `FROM`.
pub struct Scope<'a, 'c> {
    /// What the query shares.
    pub context: &'a Context<'c>,
    /// The object.
    pub object: Arc<Object>,
    /// Its table's alias in SQL.
    pub table: String,
    /// The names by which the query calls the object.
    names: Vec<String>,
    /// The parents' tables.
    joins: RefCell<Vec<Join>>,
}

impl<'a, 'c> Scope<'a, 'c> {
    /// For an object that the query may also call `names`.
    pub fn new(context: &'a Context<'c>, object: Arc<Object>, names: Vec<String>) -> Result<Self, ApiError> {
        context.before_read(&object)?;
        let names = names.into_iter().chain([object.name.clone()]).collect();
        Ok(Self {
            context,
            object,
            table: context.next_table(),
            names,
            joins: RefCell::default(),
        })
    }

    /// `FROM` with the joins asked for so far.
    pub fn tables_sql(&self) -> String {
        let mut sql = format!("\"{}\" {}", self.object.name, self.table);
        for Join {
            from,
            field,
            object,
            table,
        } in self.joins.borrow().iter()
        {
            let key = key_column(object);
            sql.push_str(&format!(
                " LEFT JOIN \"{}\" {table} ON {table}.\"{key}\" = {from}.\"{field}\"",
                object.name
            ));
        }
        sql
    }

    /// The place of the object itself.
    pub fn place(&self) -> Place {
        Place {
            object: Arc::clone(&self.object),
            table: self.table.clone(),
        }
    }

    /// The words of a path without the object's own name in front.
    fn words<'p>(&self, path: &'p Path) -> &'p [String] {
        match path.parts.as_slice() {
            [first, rest @ ..] if !rest.is_empty() && self.names.iter().any(|n| n.eq_ignore_ascii_case(first)) => rest,
            all => all,
        }
    }

    /// Looks up a path that ends in a field.
    pub fn field(&self, path: &Path) -> Result<Found, ApiError> {
        let words = self.words(path);
        let (last, ways) = words
            .split_last()
            .ok_or_else(|| self.context.text.unexpected(path.at, ""))?;
        let parents = self.parents(ways, path.at)?;
        self.field_of(parents, last, path.at)
    }

    /// SQL of a field in one of several places; a formula is computed on the way.
    fn value_sql(&self, places: &[Place], name: &str) -> Result<String, ApiError> {
        let call = self.context.call;
        let context = formula::Context::reading(&self.context.schema, call.now, &call.user);
        let mut values = Vec::new();
        for place in places {
            let Some(field) = place.object.field(name) else {
                continue;
            };
            values.push(match field.formula {
                None => format!("{}.\"{}\"", place.table, field.name),
                Some(_) => formula::value(&context, &place.object, &place.table, field).map_err(|problem| {
                    ApiError::new("UNKNOWN_EXCEPTION", format!("{}.{name}: {problem}", place.object.name)).status(500)
                })?,
            });
        }
        Ok(match values.as_slice() {
            [one] => one.clone(),
            several => format!("COALESCE({})", several.join(", ")),
        })
    }

    /// Looks up the last word of a path in its last parent.
    pub fn field_of(&self, parents: Vec<Parent>, last: &str, at: usize) -> Result<Found, ApiError> {
        let here = [self.place()];
        let places = parents.last().map_or(here.as_slice(), |p| p.places.as_slice());
        let with: Vec<Place> = places
            .iter()
            .filter(|p| p.object.field(last).is_some())
            .cloned()
            .collect();
        let any = parents.last().filter(|p| p.any);
        // A parent of several objects is a `Name`, whose `Type` tells what it is, whatever the objects call so.
        let of_what = any.filter(|_| last.eq_ignore_ascii_case("Type"));
        match (with.first(), of_what) {
            (Some(first), None) => {
                let field = first
                    .object
                    .field(last)
                    .cloned()
                    .unwrap_or_else(|| Field::new(last, Kind::String));
                Ok(Found {
                    sql: self.value_sql(&with, last)?,
                    object: Arc::clone(&first.object),
                    field,
                    parents,
                })
            }
            (_, Some(parent)) => Ok(Found {
                sql: parent.type_sql(),
                object: Arc::clone(&parent.places[0].object),
                field: Field::new("Type", Kind::Picklist),
                parents,
            }),
            (None, None) => {
                let entity = if any.is_some() {
                    "Name"
                } else {
                    places[0].object.name.as_str()
                };
                Err(self.context.text.no_column(at, last, entity))
            }
        }
    }

    /// Looks up a path that ends in a parent.
    pub fn parent(&self, path: &Path) -> Result<Vec<Parent>, ApiError> {
        self.parents(self.words(path), path.at)
    }

    fn parents(&self, ways: &[String], at: usize) -> Result<Vec<Parent>, ApiError> {
        if ways.len() > LEVELS {
            let reason = format!("a relationship path cannot have more than {LEVELS} levels");
            return Err(self.context.text.fail(at, "MALFORMED_QUERY", &reason));
        }
        let mut parents: Vec<Parent> = Vec::new();
        for way in ways {
            let here = [self.place()];
            let from = parents.last().map_or(here.as_slice(), |p| p.places.as_slice());
            let parent = self.step(from, way, at)?;
            parents.push(parent);
        }
        Ok(parents)
    }

    fn step(&self, from: &[Place], way: &str, at: usize) -> Result<Parent, ApiError> {
        let (mut key, mut places, mut any) = (String::new(), Vec::new(), false);
        for place in from {
            let fits = |field: &&Field| parent_name(field).is_some_and(|name| name.eq_ignore_ascii_case(way));
            let Some(field) = place.object.fields.iter().find(fits) else {
                continue;
            };
            key = parent_name(field).unwrap_or_default();
            any |= field.reference_to.len() > 1;
            for target in field
                .reference_to
                .iter()
                .filter_map(|name| self.context.schema.object(name))
            {
                places.push(self.join(place, field, target)?);
            }
        }
        if places.is_empty() {
            return Err(self.context.text.no_parent(at, way));
        }
        Ok(Parent { key, places, any })
    }

    fn join(&self, from: &Place, field: &Field, target: &Arc<Object>) -> Result<Place, ApiError> {
        let known = self
            .joins
            .borrow()
            .iter()
            .find(|j| j.from == from.table && j.field == field.name && j.object.name == target.name)
            .map(|join| join.table.clone());
        let table = match known {
            Some(alias) => alias,
            None => {
                self.context.before_read(target)?;
                let alias = self.context.next_table();
                self.joins.borrow_mut().push(Join {
                    from: from.table.clone(),
                    field: field.name.clone(),
                    object: Arc::clone(target),
                    table: alias.clone(),
                });
                alias
            }
        };
        Ok(Place {
            object: Arc::clone(target),
            table,
        })
    }
}
