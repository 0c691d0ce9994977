//! Reads the conditions of `WHERE` and `HAVING`.

use super::ast::{Condition, Expr, Given, Literal, Op};
use super::lexer::Token;
use super::parser::Parser;
use crate::error::ApiError;

impl Parser<'_> {
    /// Conditions joined by `AND` or by `OR`; Salesforce wants parentheses where both are used.
    pub(super) fn condition(&mut self) -> Result<Condition, ApiError> {
        let first = self.operand()?;
        let (word, other) = match (self.is("AND"), self.is("OR")) {
            (true, _) => ("AND", "OR"),
            (_, true) => ("OR", "AND"),
            _ => return Ok(first),
        };
        let mut all = vec![first];
        while self.take(word) {
            all.push(self.operand()?);
        }
        if self.is(other) {
            return Err(self.unexpected());
        }
        Ok(if word == "AND" {
            Condition::All(all)
        } else {
            Condition::Any(all)
        })
    }

    fn operand(&mut self) -> Result<Condition, ApiError> {
        if self.take("NOT") {
            return Ok(Condition::Not(Box::new(self.nested(Self::operand)?)));
        }
        if self.take_sign("(") {
            let condition = self.nested(Self::condition)?;
            self.expect_sign(")")?;
            return Ok(condition);
        }
        let left = self.expr()?;
        self.comparison(left)
    }

    fn comparison(&mut self, left: Expr) -> Result<Condition, ApiError> {
        let not = self.take("NOT");
        if self.take("IN") {
            return self.membership(left, not);
        }
        if not {
            return Err(self.unexpected());
        }
        if self.take("LIKE") {
            return Ok(Condition::Compare(left, Op::Like, self.literal()?));
        }
        let excludes = self.is("EXCLUDES");
        if self.take("INCLUDES") || self.take("EXCLUDES") {
            self.expect_sign("(")?;
            let values = self.list(Self::literal)?;
            self.expect_sign(")")?;
            return Ok(Condition::Includes(left, excludes, values));
        }
        let op = match self.peek() {
            Token::Sign("=") => Op::Equal,
            Token::Sign("!=" | "<>") => Op::NotEqual,
            Token::Sign("<") => Op::Less,
            Token::Sign("<=") => Op::LessOrEqual,
            Token::Sign(">") => Op::Greater,
            Token::Sign(">=") => Op::GreaterOrEqual,
            _ => return Err(self.unexpected()),
        };
        self.advance();
        Ok(Condition::Compare(left, op, self.literal()?))
    }

    fn membership(&mut self, left: Expr, not: bool) -> Result<Condition, ApiError> {
        self.expect_sign("(")?;
        let condition = if self.is("SELECT") {
            Condition::InQuery(left, not, Box::new(self.nested(Self::query)?))
        } else {
            Condition::In(left, not, self.list(Self::literal)?)
        };
        self.expect_sign(")")?;
        Ok(condition)
    }

    /// A value; a bare word is null, a boolean or a named span of days.
    fn literal(&mut self) -> Result<Literal, ApiError> {
        let value = match self.peek() {
            Token::Value(value) => value.clone(),
            Token::Word(word) => match word.to_ascii_uppercase().as_str() {
                "NULL" => Given::Null,
                "TRUE" => Given::Boolean(true),
                "FALSE" => Given::Boolean(false),
                word if super::spans::is_named(word) => Given::Named(word.to_owned(), None),
                _ => return Err(self.unexpected()),
            },
            _ => return Err(self.unexpected()),
        };
        Ok(Literal {
            value,
            at: self.advance().at,
        })
    }
}
