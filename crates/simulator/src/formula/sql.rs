//! From the tree of a formula to SQL.

use super::functions;
use super::parse::{Node, parse};
use super::{Context, Kind, Object};
use crate::schema::Field;

/// What a piece of SQL gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gives {
    Text,
    Number,
    Boolean,
    /// ISO text.
    Date,
    /// Milliseconds since 1970.
    Moment,
    Null,
}

/// SQL that may give null, and what else it gives.
#[derive(Debug, Clone)]
pub(super) struct Sql {
    pub(super) raw: String,
    pub(super) gives: Gives,
    /// How errors call it.
    name: String,
}

impl Sql {
    pub(super) fn new(gives: Gives, raw: impl Into<String>) -> Self {
        let raw = raw.into();
        Self {
            name: raw.clone(),
            raw,
            gives,
        }
    }

    fn is_not(&self, what: &str) -> String {
        format!("{} is no {what}", self.name)
    }

    /// Never null: no text is empty text.
    pub(super) fn text(&self) -> String {
        match self.gives {
            Gives::Number => format!("COALESCE(printf('%.15g', {}), '')", self.raw),
            Gives::Moment => format!(
                "COALESCE(strftime('%Y-%m-%d %H:%M:%SZ', {} / 1000, 'unixepoch'), '')",
                self.raw
            ),
            _ => format!("COALESCE({}, '')", self.raw),
        }
    }

    /// Never null: no number is 0.
    pub(super) fn number(&self) -> Result<String, String> {
        match self.gives {
            Gives::Number | Gives::Null => Ok(format!("COALESCE({}, 0)", self.raw)),
            _ => Err(self.is_not("number")),
        }
    }

    /// 1 or 0.
    pub(super) fn boolean(&self) -> Result<String, String> {
        match self.gives {
            Gives::Boolean | Gives::Null => Ok(format!("COALESCE({}, 0)", self.raw)),
            _ => Err(self.is_not("condition")),
        }
    }

    /// ISO text or null.
    pub(super) fn date(&self) -> Result<String, String> {
        match self.gives {
            Gives::Date | Gives::Null => Ok(self.raw.clone()),
            _ => Err(self.is_not("date")),
        }
    }

    /// Milliseconds or null.
    pub(super) fn moment(&self) -> Result<String, String> {
        match self.gives {
            Gives::Moment | Gives::Null => Ok(self.raw.clone()),
            _ => Err(self.is_not("date and time")),
        }
    }
}

/// SQL text literal.
pub(super) fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Greatest depth of parents and of formulas in formulas.
const DEPTH: usize = 10;

pub(super) struct Compiler<'a> {
    pub(super) context: &'a Context<'a>,
    object: &'a Object,
    alias: String,
    depth: usize,
}

impl<'a> Compiler<'a> {
    pub(super) fn new(context: &'a Context<'a>, object: &'a Object, alias: &str) -> Self {
        Self {
            context,
            object,
            alias: alias.to_owned(),
            depth: 0,
        }
    }

    pub(super) fn compile(&self, node: &Node) -> Result<Sql, String> {
        match node {
            Node::Number(number) => Ok(Sql::new(Gives::Number, number)),
            Node::Text(text) => Ok(Sql::new(Gives::Text, quote(text))),
            Node::Boolean(value) => Ok(Sql::new(Gives::Boolean, if *value { "1" } else { "0" })),
            Node::Null => Ok(Sql::new(Gives::Null, "NULL")),
            Node::Field(path) => self.path(path),
            Node::Unary('!', of) => Ok(Sql::new(
                Gives::Boolean,
                format!("(NOT {})", self.compile(of)?.boolean()?),
            )),
            Node::Unary(_, of) => Ok(Sql::new(Gives::Number, format!("(- {})", self.compile(of)?.number()?))),
            Node::Binary(operator, left, right) => self.binary(operator, &self.compile(left)?, &self.compile(right)?),
            Node::Call(name, arguments) => functions::call(self, name, arguments),
        }
    }

    fn binary(&self, operator: &str, left: &Sql, right: &Sql) -> Result<Sql, String> {
        use Gives::{Boolean, Date, Moment, Number, Text};
        Ok(match (operator, left.gives, right.gives) {
            ("OR" | "AND", ..) => Sql::new(
                Boolean,
                format!("({} {operator} {})", left.boolean()?, right.boolean()?),
            ),
            ("&", ..) | ("+", Text, _) | ("+", _, Text) => {
                Sql::new(Text, format!("({} || {})", left.text(), right.text()))
            }
            ("-", Date, Date) => Sql::new(Number, format!("(julianday({}) - julianday({}))", left.raw, right.raw)),
            ("-", Moment, Moment) => Sql::new(Number, format!("(({} - {}) / 86400000.0)", left.raw, right.raw)),
            ("+" | "-", Date, _) => Sql::new(
                Date,
                format!("date({}, ({operator} {}) || ' days')", left.raw, right.number()?),
            ),
            ("+" | "-", Moment, _) => Sql::new(
                Moment,
                format!(
                    "CAST({} {operator} {} * 86400000 AS INTEGER)",
                    left.raw,
                    right.number()?
                ),
            ),
            ("/", ..) => Sql::new(
                Number,
                format!("(CAST({} AS REAL) / NULLIF({}, 0))", left.number()?, right.number()?),
            ),
            ("^", ..) => Sql::new(Number, format!("pow({}, {})", left.number()?, right.number()?)),
            ("+" | "-" | "*", ..) => Sql::new(Number, format!("({} {operator} {})", left.number()?, right.number()?)),
            (_, Text, _) | (_, _, Text) => Sql::new(Boolean, format!("({} {operator} {})", left.text(), right.text())),
            ("=", ..) => Sql::new(Boolean, format!("({} IS {})", left.raw, right.raw)),
            ("<>", ..) => Sql::new(Boolean, format!("({} IS NOT {})", left.raw, right.raw)),
            _ => Sql::new(Boolean, format!("COALESCE({} {operator} {}, 0)", left.raw, right.raw)),
        })
    }

    /// The same field in the row before the change.
    pub(super) fn before(&self, node: &Node) -> Result<Option<Sql>, String> {
        let (Node::Field(path), Some(old)) = (node, self.context.old) else {
            return Ok(None);
        };
        match path.as_slice() {
            [name] => Ok(Some(self.at(self.object, old).column(name)?)),
            _ => Err("only a field of the record itself has a prior value".to_owned()),
        }
    }

    fn at(&self, object: &'a Object, alias: &str) -> Self {
        Self {
            context: self.context,
            object,
            alias: alias.to_owned(),
            depth: self.depth + 1,
        }
    }

    fn path(&self, path: &[String]) -> Result<Sql, String> {
        if self.depth > DEPTH {
            return Err(format!(
                "the formula leads through more than {DEPTH} parents or other formulas"
            ));
        }
        match path {
            [] => Err("Syntax error. Empty name".to_owned()),
            [name] => self.column(name),
            [global, rest @ ..] if global.starts_with('$') => self.global(global, rest),
            [way, rest @ ..] => {
                let (field, object) = self.parent(way)?;
                let key = format!("{}.\"{}\"", self.alias, field.name);
                self.looked_up(object, &key, rest)
            }
        }
    }

    fn looked_up(&self, object: &'a Object, key: &str, rest: &[String]) -> Result<Sql, String> {
        let alias = format!("f{}", self.depth + 1);
        let inner = self.at(object, &alias).path(rest)?;
        Ok(Sql::new(
            inner.gives,
            format!(
                "(SELECT {} FROM \"{}\" {alias} WHERE {alias}.\"Id\" = {key})",
                inner.raw, object.name
            ),
        ))
    }

    fn global(&self, global: &str, rest: &[String]) -> Result<Sql, String> {
        let of = |name: &str| {
            self.context
                .schema
                .object(name)
                .ok_or(format!("the model has no {name}"))
        };
        let user = quote(self.context.user);
        match global.to_ascii_lowercase().as_str() {
            "$user" => self.looked_up(of("User")?, &user, rest),
            "$profile" => {
                let key = format!("(SELECT u.\"ProfileId\" FROM \"User\" u WHERE u.\"Id\" = {user})");
                self.looked_up(of("Profile")?, &key, rest)
            }
            "$organization" => self.looked_up(of("Organization")?, "(SELECT o.\"Id\" FROM \"Organization\" o)", rest),
            _ => Err(format!("{global} is not known here")),
        }
    }

    /// `Account`, `Boss__r`, `Owner:User`; of several objects the user is meant.
    fn parent(&self, way: &str) -> Result<(&'a Field, &'a Object), String> {
        let missing = || format!("Field {way} does not exist. Check spelling.");
        let (way_name, wanted) = way.split_once(':').unwrap_or((way, "User"));
        let field = match way_name.strip_suffix("__r") {
            Some(stem) => self.object.field(&format!("{stem}__c")),
            None => self.object.parent(way_name),
        }
        .ok_or_else(missing)?;
        let target = match field.reference_to.as_slice() {
            [only] => only,
            several => several
                .iter()
                .find(|to| to.eq_ignore_ascii_case(wanted))
                .ok_or_else(missing)?,
        };
        let object = self.context.schema.object(target).ok_or_else(missing)?;
        Ok((field, object))
    }

    fn column(&self, name: &str) -> Result<Sql, String> {
        let field = self
            .object
            .field(name)
            .ok_or_else(|| format!("Field {name} does not exist. Check spelling."))?;
        let gives = match field.kind {
            Kind::Boolean => Gives::Boolean,
            Kind::Int | Kind::Double | Kind::Currency | Kind::Percent => Gives::Number,
            Kind::Date => Gives::Date,
            Kind::Datetime => Gives::Moment,
            Kind::Base64 | Kind::Complexvalue | Kind::Address | Kind::Location => {
                return Err(format!("{name} cannot be used in a formula"));
            }
            _ => Gives::Text,
        };
        let raw = match &field.formula {
            None => format!("{}.\"{}\"", self.alias, field.name),
            Some(formula) if self.depth <= DEPTH => self.at(self.object, &self.alias).compile(&parse(formula)?)?.raw,
            Some(_) => return Err(format!("{name} refers to itself")),
        };
        Ok(Sql {
            raw,
            gives,
            name: field.name.clone(),
        })
    }
}
