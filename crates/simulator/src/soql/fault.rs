//! Errors of a query in Salesforce's wording: a piece of the query, a caret, the place, the reason.

use crate::error::ApiError;

/// Characters of the query shown before and after the caret.
const AROUND: usize = 40;

/// A query's text, which can tell where something in it is wrong.
#[derive(Debug, Clone, Copy)]
pub struct Text<'a>(pub &'a str);

impl Text<'_> {
    /// The error `code` with the piece of the query around character `at`.
    pub fn fail(self, at: usize, code: &str, reason: &str) -> ApiError {
        let chars: Vec<char> = self.0.chars().collect();
        let at = at.min(chars.len());
        let row = 1 + chars[..at].iter().filter(|c| **c == '\n').count();
        let line_start = chars[..at].iter().rposition(|c| *c == '\n').map_or(0, |n| n + 1);
        // Not cut inside a word.
        let start = (at > AROUND)
            .then(|| (at - AROUND..at).find(|n| chars[*n].is_whitespace()).map(|n| n + 1))
            .flatten()
            .unwrap_or(0);
        let end = chars.len().min(at + AROUND);
        let piece: String = chars[start..end]
            .iter()
            .map(|c| if c.is_whitespace() { ' ' } else { *c })
            .collect();
        ApiError::new(
            code,
            format!(
                "\n{piece}\n{caret:>width$}\nERROR at Row:{row}:Column:{column}\n{reason}",
                caret = '^',
                width = at - start + 1,
                column = at - line_start + 1,
            ),
        )
    }

    /// `MALFORMED_QUERY` because of something that should not stand here.
    pub fn unexpected(self, at: usize, token: &str) -> ApiError {
        self.fail(at, "MALFORMED_QUERY", &format!("unexpected token: '{token}'"))
    }

    /// `INVALID_FIELD`, there is no such field.
    pub fn no_column(self, at: usize, name: &str, entity: &str) -> ApiError {
        self.fail(
            at,
            "INVALID_FIELD",
            &format!(
                "No such column '{name}' on entity '{entity}'. If you are attempting to use a custom field, be sure to append \
                 the '__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate names."
            ),
        )
    }

    /// `INVALID_FIELD`, there is no such way to a parent.
    pub fn no_parent(self, at: usize, name: &str) -> ApiError {
        self.fail(at, "INVALID_FIELD", &no_relationship(name, "field path"))
    }

    /// `INVALID_TYPE`, there is no such way to children.
    pub fn no_children(self, at: usize, name: &str) -> ApiError {
        self.fail(at, "INVALID_TYPE", &no_relationship(name, "FROM part of query call"))
    }

    /// `INVALID_TYPE`, there is no such object.
    pub fn no_object(self, at: usize, name: &str) -> ApiError {
        self.fail(
            at,
            "INVALID_TYPE",
            &format!(
                "sObject type '{name}' is not supported. If you are attempting to use a custom object, be sure to append the \
                 '__c' after the entity name. Please reference your WSDL or the describe call for the appropriate names."
            ),
        )
    }
}

fn no_relationship(name: &str, place: &str) -> String {
    format!(
        "Didn't understand relationship '{name}' in {place}. If you are attempting to use a custom relationship, be sure to \
         append the '__r' after the custom relationship name. Please reference your WSDL or the describe call for the \
         appropriate names."
    )
}

/// `MALFORMED_QUERY` about the query as a whole, without a place.
pub fn malformed(reason: impl Into<String>) -> ApiError {
    ApiError::new("MALFORMED_QUERY", reason)
}
