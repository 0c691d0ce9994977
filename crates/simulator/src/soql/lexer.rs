//! A query in words, numbers, texts and signs.

use super::ast::Given;
use super::fault::Text;
use crate::dates;
use crate::error::ApiError;

/// What stands somewhere.
#[derive(Debug, Clone, PartialEq)]
pub enum Token {
    /// A name or keyword, with dots: `Account.Name`.
    Word(String),
    /// A value that needs no looking up.
    Value(Given),
    /// `(`, `,`, `!=`…
    Sign(&'static str),
    /// The end of the query.
    End,
}

/// A token, where it stands and how it was written.
#[derive(Debug, Clone)]
pub struct Spot {
    /// What.
    pub token: Token,
    /// Offset in characters.
    pub at: usize,
    /// As written.
    pub written: String,
}

/// Two-character signs before their beginnings.
const SIGNS: &[&str] = &["!=", "<>", "<=", ">=", "=", "<", ">", "(", ")", ",", "*"];

/// Cuts a query into tokens; the last one is [`Token::End`].
pub fn lex(text: Text<'_>) -> Result<Vec<Spot>, ApiError> {
    let chars: Vec<char> = text.0.chars().collect();
    let mut spots = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let c = chars[at];
        if c.is_whitespace() {
            at += 1;
            continue;
        }
        let (token, end) = if c == '\'' {
            quoted(text, &chars, at)?
        } else if c.is_ascii_digit()
            || (matches!(c, '-' | '+' | '.') && chars.get(at + 1).is_some_and(char::is_ascii_digit))
        {
            number(text, &chars, at)?
        } else if c.is_alphabetic() || c == '_' {
            word(&chars, at)
        } else if let Some(sign) = SIGNS
            .iter()
            .find(|sign| sign.chars().eq(chars[at..].iter().copied().take(sign.len())))
        {
            (Token::Sign(sign), at + sign.len())
        } else if c == ':' {
            return Err(text.fail(at, "MALFORMED_QUERY", "Bind variables only allowed in Apex code"));
        } else {
            return Err(text.unexpected(at, &c.to_string()));
        };
        spots.push(Spot {
            token,
            at,
            written: chars[at..end].iter().collect(),
        });
        at = end;
    }
    spots.push(Spot {
        token: Token::End,
        at: chars.len(),
        written: "<EOF>".to_owned(),
    });
    Ok(spots)
}

fn run(chars: &[char], from: usize, fits: impl Fn(char) -> bool) -> usize {
    chars[from..]
        .iter()
        .position(|c| !fits(*c))
        .map_or(chars.len(), |n| from + n)
}

/// A name, or a named span of days with its number: `LAST_N_DAYS:3`.
fn word(chars: &[char], at: usize) -> (Token, usize) {
    let end = run(chars, at, |c| c.is_alphanumeric() || matches!(c, '_' | '.'));
    let word: String = chars[at..end].iter().collect();
    if chars.get(end) == Some(&':') {
        let after = run(chars, end + 1, |c| c.is_ascii_digit());
        let digits: String = chars[end + 1..after].iter().collect();
        if let Ok(n) = digits.parse() {
            return (Token::Value(Given::Named(word.to_ascii_uppercase(), Some(n))), after);
        }
    }
    (Token::Word(word), end)
}

/// A number, date, moment or time of day.
fn number(text: Text<'_>, chars: &[char], at: usize) -> Result<(Token, usize), ApiError> {
    let end = run(chars, at, |c| c.is_alphanumeric() || matches!(c, '.' | ':' | '-' | '+'));
    let written: String = chars[at..end].iter().collect();
    let given = if let Ok(n) = written.parse::<i64>() {
        Some(Given::Integer(n))
    } else if written.contains(':') && !written.contains(['T', 't']) {
        let clock = written.trim_end_matches(['Z', 'z']);
        dates::read_clock(clock).map(|_| Given::Time(clock.to_owned()))
    } else if dates::read_day(&written).is_some() {
        Some(Given::Date(written.clone()))
    } else if let Some(moment) = dates::read_moment(&written) {
        Some(Given::Moment(moment))
    } else {
        written.parse::<f64>().ok().filter(|n| n.is_finite()).map(Given::Real)
    };
    given
        .map(|given| (Token::Value(given), end))
        .ok_or_else(|| text.unexpected(at, &written))
}

/// A text in quotes with its escapes.
fn quoted(text: Text<'_>, chars: &[char], at: usize) -> Result<(Token, usize), ApiError> {
    let (mut value, mut pattern) = (String::new(), String::new());
    let mut next = at + 1;
    loop {
        match chars.get(next) {
            None => {
                return Err(text.fail(
                    at,
                    "MALFORMED_QUERY",
                    "unexpected token: '<EOF>' (the quote is not closed)",
                ));
            }
            Some('\'') => break,
            Some('\\') => {
                let meant = match chars.get(next + 1) {
                    Some('n' | 'N') => '\n',
                    Some('r' | 'R') => '\r',
                    Some('t' | 'T') => '\t',
                    Some('b' | 'B') => '\u{8}',
                    Some('f' | 'F') => '\u{c}',
                    Some(c @ ('\'' | '"' | '\\' | '%' | '_')) => *c,
                    other => {
                        let shown = other.map_or(String::new(), char::to_string);
                        return Err(text.fail(
                            next,
                            "MALFORMED_QUERY",
                            &format!("Illegal character sequence '\\{shown}' in string literal"),
                        ));
                    }
                };
                value.push(meant);
                if matches!(meant, '%' | '_' | '\\') {
                    pattern.push('\\');
                }
                pattern.push(meant);
                next += 2;
            }
            Some(c) => {
                value.push(*c);
                pattern.push(*c);
                next += 1;
            }
        }
    }
    Ok((Token::Value(Given::Text { value, pattern }), next + 1))
}
