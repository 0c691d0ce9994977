//! From the text of a formula to a tree.

/// A node of a formula.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Number(String),
    Text(String),
    Boolean(bool),
    Null,
    /// `Account.Name`, `Owner:User.Name`, `$User.Id`.
    Field(Vec<String>),
    /// Name in upper case and arguments.
    Call(String, Vec<Node>),
    /// `-` or `!`.
    Unary(char, Box<Node>),
    Binary(&'static str, Box<Node>, Box<Node>),
}

/// Operators by how loosely they bind; those of a row bind alike, from the left.
const LEVELS: &[&[(&str, &str)]] = &[
    &[("||", "OR")],
    &[("&&", "AND")],
    &[
        ("<>", "<>"),
        ("!=", "<>"),
        ("==", "="),
        ("=", "="),
        ("<=", "<="),
        (">=", ">="),
        ("<", "<"),
        (">", ">"),
    ],
    &[("&", "&")],
    &[("+", "+"), ("-", "-")],
    &[("*", "*"), ("/", "/")],
    &[("^", "^")],
];
/// How deep a formula may be.
const DEPTH: usize = 100;

pub(super) fn parse(text: &str) -> Result<Node, String> {
    let mut parser = Parser { rest: text, depth: 0 };
    let node = parser.level(0)?;
    parser.blanks()?;
    if parser.rest.is_empty() {
        Ok(node)
    } else {
        Err(format!("Syntax error. Extra {}", parser.rest.trim_end()))
    }
}

struct Parser<'a> {
    rest: &'a str,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn blanks(&mut self) -> Result<(), String> {
        loop {
            self.rest = self.rest.trim_start();
            match self.rest.strip_prefix("/*") {
                None => return Ok(()),
                Some(comment) => {
                    let (_, after) = comment
                        .split_once("*/")
                        .ok_or("Syntax error. A comment is not closed")?;
                    self.rest = after;
                }
            }
        }
    }

    fn level(&mut self, level: usize) -> Result<Node, String> {
        let Some(operators) = LEVELS.get(level) else {
            return self.unary();
        };
        let mut left = self.level(level + 1)?;
        loop {
            self.blanks()?;
            let found = operators.iter().find(|(sign, _)| {
                // `&` is no half of `&&`.
                self.rest.starts_with(sign) && !(*sign == "&" && self.rest.starts_with("&&"))
            });
            let Some((sign, operator)) = found else {
                return Ok(left);
            };
            self.rest = &self.rest[sign.len()..];
            let right = self.level(level + 1)?;
            left = Node::Binary(operator, Box::new(left), Box::new(right));
        }
    }

    fn unary(&mut self) -> Result<Node, String> {
        self.blanks()?;
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(format!("the formula is nested more than {DEPTH} deep"));
        }
        let node = match self.rest.chars().next() {
            Some(sign @ ('-' | '!')) => {
                self.rest = &self.rest[1..];
                Node::Unary(sign, Box::new(self.unary()?))
            }
            Some('+') => {
                self.rest = &self.rest[1..];
                self.unary()?
            }
            _ => self.primary()?,
        };
        self.depth -= 1;
        Ok(node)
    }

    fn primary(&mut self) -> Result<Node, String> {
        let first = self
            .rest
            .chars()
            .next()
            .ok_or("Syntax error. The formula ends too early")?;
        match first {
            '(' => {
                self.rest = &self.rest[1..];
                let node = self.level(0)?;
                self.close()?;
                Ok(node)
            }
            '"' | '\'' => self.text(first),
            '0'..='9' | '.' => {
                let number = self.take(|c| c.is_ascii_digit() || c == '.');
                number
                    .parse::<f64>()
                    .map_err(|_| format!("Syntax error. {number} is no number"))?;
                Ok(Node::Number(number.to_owned()))
            }
            c if c.is_alphabetic() || c == '$' || c == '_' => self.name(),
            c => Err(format!("Syntax error. Found '{c}'")),
        }
    }

    fn name(&mut self) -> Result<Node, String> {
        let name = self.take(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | ':' | '$'));
        self.blanks()?;
        if let Some(rest) = self.rest.strip_prefix('(') {
            self.rest = rest;
            return Ok(Node::Call(name.to_ascii_uppercase(), self.arguments()?));
        }
        Ok(match name.to_ascii_uppercase().as_str() {
            "TRUE" => Node::Boolean(true),
            "FALSE" => Node::Boolean(false),
            "NULL" => Node::Null,
            _ => Node::Field(name.split('.').map(str::to_owned).collect()),
        })
    }

    fn arguments(&mut self) -> Result<Vec<Node>, String> {
        let mut arguments = Vec::new();
        self.blanks()?;
        if let Some(rest) = self.rest.strip_prefix(')') {
            self.rest = rest;
            return Ok(arguments);
        }
        loop {
            arguments.push(self.level(0)?);
            self.blanks()?;
            match self.rest.strip_prefix(',') {
                Some(rest) => self.rest = rest,
                None => {
                    self.close()?;
                    return Ok(arguments);
                }
            }
        }
    }

    fn close(&mut self) -> Result<(), String> {
        self.blanks()?;
        self.rest = self.rest.strip_prefix(')').ok_or("Syntax error. Missing ')'")?;
        Ok(())
    }

    fn text(&mut self, quote: char) -> Result<Node, String> {
        let mut text = String::new();
        let mut chars = self.rest.char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' => match chars.next() {
                    Some((_, 'n')) => text.push('\n'),
                    Some((_, 't')) => text.push('\t'),
                    Some((_, c)) => text.push(c),
                    None => break,
                },
                c if c == quote => {
                    self.rest = &self.rest[at + 1..];
                    return Ok(Node::Text(text));
                }
                c => text.push(c),
            }
        }
        Err("Syntax error. Missing closing quote".to_owned())
    }

    fn take(&mut self, fits: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !fits(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }
}
