//! Reads a query: what stands where, not what the names mean.

use super::ast::{Expr, Function, Order, Path, Query, Selected, TypeOf};
use super::fault::Text;
use super::lexer::{Spot, Token, lex};
use crate::error::ApiError;

/// Greatest number of characters of a query.
const LONGEST: usize = 100_000;
/// How deep parentheses may go.
const DEEPEST: usize = 100;

/// Words that end a list, so they are no aliases.
const CLAUSES: &[&str] = &[
    "FROM", "USING", "WHERE", "WITH", "GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "FOR", "UPDATE", "ALL",
];

/// Words that cannot be names. `Group` and `Order` can: they are objects.
const RESERVED: &[&str] = &["SELECT", "FROM", "WHERE", "LIMIT", "AND", "OR", "NOT"];

/// Reads a whole query.
pub fn parse(text: Text<'_>) -> Result<Query, ApiError> {
    if text.0.chars().count() > LONGEST {
        return Err(super::fault::malformed(
            "SOQL statements cannot be longer than 100000 characters.",
        ));
    }
    let mut parser = Parser::new(text)?;
    let query = parser.query()?;
    match parser.peek() {
        Token::End => Ok(query),
        _ => Err(parser.unexpected()),
    }
}

/// A place in the tokens of a text.
pub struct Parser<'a> {
    pub(super) text: Text<'a>,
    spots: Vec<Spot>,
    next: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    /// At the beginning of a text.
    pub fn new(text: Text<'a>) -> Result<Self, ApiError> {
        Ok(Self {
            text,
            spots: lex(text)?,
            next: 0,
            depth: 0,
        })
    }

    pub(super) fn spot(&self) -> &Spot {
        &self.spots[self.next.min(self.spots.len() - 1)]
    }

    pub(super) fn peek(&self) -> &Token {
        &self.spot().token
    }

    pub(super) fn at(&self) -> usize {
        self.spot().at
    }

    pub(super) fn advance(&mut self) -> Spot {
        let spot = self.spot().clone();
        self.next += 1;
        spot
    }

    pub(super) fn unexpected(&self) -> ApiError {
        self.text.unexpected(self.at(), &self.spot().written)
    }

    /// Whether the next token is this keyword.
    pub(super) fn is(&self, keyword: &str) -> bool {
        self.is_ahead(0, keyword)
    }

    fn is_ahead(&self, ahead: usize, keyword: &str) -> bool {
        matches!(self.spots.get(self.next + ahead).map(|s| &s.token), Some(Token::Word(w)) if w.eq_ignore_ascii_case(keyword))
    }

    /// Takes this keyword if it comes next.
    pub(super) fn take(&mut self, keyword: &str) -> bool {
        let is = self.is(keyword);
        self.next += usize::from(is);
        is
    }

    pub(super) fn expect(&mut self, keyword: &str) -> Result<(), ApiError> {
        if self.take(keyword) {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    pub(super) fn take_sign(&mut self, sign: &str) -> bool {
        let is = matches!(self.peek(), Token::Sign(s) if *s == sign);
        self.next += usize::from(is);
        is
    }

    pub(super) fn expect_sign(&mut self, sign: &str) -> Result<(), ApiError> {
        if self.take_sign(sign) {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    /// Runs `read` one level deeper, up to a limit.
    pub(super) fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, ApiError>) -> Result<T, ApiError> {
        if self.depth == DEEPEST {
            return Err(self
                .text
                .fail(self.at(), "MALFORMED_QUERY", "the query is nested too deeply"));
        }
        self.depth += 1;
        let read = read(self);
        self.depth -= 1;
        read
    }

    pub(super) fn list<T>(
        &mut self,
        mut one: impl FnMut(&mut Self) -> Result<T, ApiError>,
    ) -> Result<Vec<T>, ApiError> {
        let mut all = vec![one(self)?];
        while self.take_sign(",") {
            all.push(one(self)?);
        }
        Ok(all)
    }

    pub(super) fn query(&mut self) -> Result<Query, ApiError> {
        self.expect("SELECT")?;
        let select = self.list(Self::selected)?;
        self.expect("FROM")?;
        let from = self.path()?;
        let alias = self.alias()?;
        let mut query = Query {
            select,
            from,
            alias,
            scope: None,
            filter: None,
            group: Vec::new(),
            having: None,
            order: Vec::new(),
            limit: None,
            offset: None,
            all_rows: false,
        };
        if self.take("USING") {
            self.expect("SCOPE")?;
            query.scope = Some(self.path()?.last().to_ascii_lowercase());
        }
        self.clauses(&mut query)?;
        Ok(query)
    }

    /// All that may follow `FROM`; also what stands in the parentheses of a search's `RETURNING`.
    pub(super) fn clauses(&mut self, query: &mut Query) -> Result<(), ApiError> {
        if self.take("WHERE") {
            query.filter = Some(self.condition()?);
        }
        if self.take("WITH")
            && !["SECURITY_ENFORCED", "USER_MODE", "SYSTEM_MODE"]
                .iter()
                .any(|mode| self.take(mode))
        {
            return Err(self.unexpected());
        }
        if self.take("GROUP") {
            self.expect("BY")?;
            query.group = self.list(Self::expr)?;
        }
        if self.take("HAVING") {
            query.having = Some(self.condition()?);
        }
        if self.take("ORDER") {
            self.expect("BY")?;
            query.order = self.list(Self::order)?;
        }
        if self.take("LIMIT") {
            query.limit = Some(self.count()?);
        }
        if self.take("OFFSET") {
            query.offset = Some(self.count()?);
        }
        while self.take("FOR") {
            self.one_of(&["VIEW", "REFERENCE", "UPDATE"])?;
        }
        if self.take("UPDATE") {
            self.list(|p| p.one_of(&["TRACKING", "VIEWSTAT"]))?;
        }
        if self.is("ALL") && self.is_ahead(1, "ROWS") {
            self.next += 2;
            query.all_rows = true;
        }
        Ok(())
    }

    fn one_of(&mut self, words: &[&str]) -> Result<(), ApiError> {
        if words.iter().any(|word| self.take(word)) {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    fn selected(&mut self) -> Result<Selected, ApiError> {
        if self.take_sign("(") {
            let query = self.nested(Self::query)?;
            self.expect_sign(")")?;
            return Ok(Selected::Children(Box::new(query)));
        }
        if self.take("TYPEOF") {
            return self.type_of();
        }
        let expr = self.expr()?;
        Ok(Selected::Expr(expr, self.alias()?))
    }

    fn type_of(&mut self) -> Result<Selected, ApiError> {
        let mut type_of = TypeOf {
            parent: self.path()?,
            branches: Vec::new(),
            other: Vec::new(),
        };
        while self.take("WHEN") {
            let object = self.path()?;
            self.expect("THEN")?;
            type_of.branches.push((object, self.list(Self::path)?));
        }
        if type_of.branches.is_empty() {
            return Err(self.unexpected());
        }
        if self.take("ELSE") {
            type_of.other = self.list(Self::path)?;
        }
        self.expect("END")?;
        Ok(Selected::TypeOf(type_of))
    }

    /// A field or a function.
    pub(super) fn expr(&mut self) -> Result<Expr, ApiError> {
        let path = self.path()?;
        if !self.take_sign("(") {
            return Ok(Expr::Path(path));
        }
        let args = if matches!(self.peek(), Token::Sign(")")) {
            Vec::new()
        } else {
            self.nested(|p| p.list(Self::expr))?
        };
        self.expect_sign(")")?;
        Ok(Expr::Call(Function {
            name: path.parts.join(".").to_ascii_uppercase(),
            args,
            at: path.at,
        }))
    }

    /// A name with dots.
    pub(super) fn path(&mut self) -> Result<Path, ApiError> {
        let Token::Word(word) = self.peek() else {
            return Err(self.unexpected());
        };
        let parts: Vec<String> = word.split('.').map(str::to_owned).collect();
        if parts.iter().any(String::is_empty) || RESERVED.iter().any(|c| word.eq_ignore_ascii_case(c)) {
            return Err(self.unexpected());
        }
        let at = self.advance().at;
        Ok(Path { parts, at })
    }

    fn alias(&mut self) -> Result<Option<String>, ApiError> {
        match self.peek() {
            Token::Word(word) if !CLAUSES.iter().any(|c| word.eq_ignore_ascii_case(c)) => {
                let path = self.path()?;
                match path.parts.as_slice() {
                    [alias] => Ok(Some(alias.clone())),
                    _ => Err(self.text.unexpected(path.at, &path.parts.join("."))),
                }
            }
            _ => Ok(None),
        }
    }

    fn order(&mut self) -> Result<Order, ApiError> {
        let by = self.expr()?;
        let descending = !self.take("ASC") && self.take("DESC");
        let nulls_last = self.take("NULLS") && {
            let last = self.is("LAST");
            self.one_of(&["FIRST", "LAST"])?;
            last
        };
        Ok(Order {
            by,
            descending,
            nulls_last,
        })
    }

    fn count(&mut self) -> Result<u64, ApiError> {
        match *self.peek() {
            Token::Value(super::ast::Given::Integer(n)) if n >= 0 => {
                self.next += 1;
                Ok(n.unsigned_abs())
            }
            _ => Err(self.unexpected()),
        }
    }
}
