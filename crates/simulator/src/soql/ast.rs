//! What a query says, before its names are looked up. Every part knows where it stands, for the texts of errors.

/// `SELECT … FROM …` with all that may follow.
#[derive(Debug, Clone)]
pub struct Query {
    /// What is asked for.
    pub select: Vec<Selected>,
    /// The object, or in a sub-select the way to the children.
    pub from: Path,
    /// `FROM Account a`
    pub alias: Option<String>,
    /// `USING SCOPE mine`, in lower case.
    pub scope: Option<String>,
    /// `WHERE`
    pub filter: Option<Condition>,
    /// `GROUP BY`
    pub group: Vec<Expr>,
    /// `HAVING`
    pub having: Option<Condition>,
    /// `ORDER BY`
    pub order: Vec<Order>,
    /// `LIMIT`
    pub limit: Option<u64>,
    /// `OFFSET`
    pub offset: Option<u64>,
    /// `ALL ROWS`
    pub all_rows: bool,
}

/// `Account.Owner.Name`
#[derive(Debug, Clone)]
pub struct Path {
    /// The words between the dots, as written.
    pub parts: Vec<String>,
    /// Offset in characters.
    pub at: usize,
}

impl Path {
    /// The last word.
    pub fn last(&self) -> &str {
        self.parts.last().map_or("", String::as_str)
    }
}

/// A field or a function of fields.
#[derive(Debug, Clone)]
pub enum Expr {
    /// A field.
    Path(Path),
    /// `COUNT(Id)`, `CALENDAR_YEAR(CreatedDate)`, `FIELDS(ALL)`
    Call(Function),
}

impl Expr {
    /// Where it stands.
    pub fn at(&self) -> usize {
        match self {
            Self::Path(path) => path.at,
            Self::Call(call) => call.at,
        }
    }
}

/// A call of a function.
#[derive(Debug, Clone)]
pub struct Function {
    /// Name in upper case.
    pub name: String,
    /// What stands in the parentheses.
    pub args: Vec<Expr>,
    /// Offset in characters.
    pub at: usize,
}

/// One part of the select list.
#[derive(Debug, Clone)]
pub enum Selected {
    /// A field or function, with an alias.
    Expr(Expr, Option<String>),
    /// `(SELECT … FROM Contacts)`
    Children(Box<Query>),
    /// `TYPEOF What WHEN Account THEN Phone ELSE Name END`
    TypeOf(TypeOf),
}

/// What to read of a parent that depends on what it is.
#[derive(Debug, Clone)]
pub struct TypeOf {
    /// The way to the parent.
    pub parent: Path,
    /// Objects and what is read of each.
    pub branches: Vec<(Path, Vec<Path>)>,
    /// What is read of all others.
    pub other: Vec<Path>,
}

/// One part of `ORDER BY`.
#[derive(Debug, Clone)]
pub struct Order {
    /// By what.
    pub by: Expr,
    /// `DESC`
    pub descending: bool,
    /// `NULLS LAST`
    pub nulls_last: bool,
}

/// A condition of `WHERE` or `HAVING`.
#[derive(Debug, Clone)]
pub enum Condition {
    /// Joined by `AND`.
    All(Vec<Condition>),
    /// Joined by `OR`.
    Any(Vec<Condition>),
    /// `NOT`
    Not(Box<Condition>),
    /// `Name = 'x'`
    Compare(Expr, Op, Literal),
    /// `Name IN ('a', 'b')`, `NOT IN` when true.
    In(Expr, bool, Vec<Literal>),
    /// `Id IN (SELECT AccountId FROM Contact)`, `NOT IN` when true.
    InQuery(Expr, bool, Box<Query>),
    /// `Colours__c INCLUDES ('red;blue', 'green')`, `EXCLUDES` when true.
    Includes(Expr, bool, Vec<Literal>),
    /// Of a search: every word stands in one of these fields.
    Found(Vec<Path>, Vec<String>),
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Op {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Like,
}

/// A value as written.
#[derive(Debug, Clone)]
pub struct Literal {
    /// The value.
    pub value: Given,
    /// Offset in characters.
    pub at: usize,
}

/// The kinds of values.
#[derive(Debug, Clone, PartialEq)]
pub enum Given {
    /// `null`
    Null,
    /// `true`
    Boolean(bool),
    /// `12`
    Integer(i64),
    /// `12.5`
    Real(f64),
    /// In quotes.
    Text {
        /// The text meant.
        value: String,
        /// The same for `LIKE`: with `\` before what is no wildcard.
        pattern: String,
    },
    /// `2026-03-02`
    Date(String),
    /// `2026-03-02T10:15:30Z`, milliseconds since 1970.
    Moment(i64),
    /// `10:15:30Z`
    Time(String),
    /// `LAST_N_DAYS:3`: the word in upper case and the number.
    Named(String, Option<i64>),
}
