//! Metadata documents and edits of them, steered by bytes: the same bytes give the same documents.
//!
//! The property tests and the fuzz targets share it. Fewer and smaller bytes give smaller documents, so
//! that shrinking the bytes shrinks what is wrong.

mod build;
mod edit;
mod print;
mod reformat;

use syncline_metadata::table::Type;

/// Decisions, one byte each; when the bytes are used up every decision is the first choice.
pub struct Choices<'a>(&'a [u8]);

impl<'a> Choices<'a> {
    /// Decisions from bytes.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// A number below `n`, 0 when there is no choice.
    pub fn below(&mut self, n: usize) -> usize {
        if n < 2 {
            return 0;
        }
        match self.0.split_first() {
            None => 0,
            Some((byte, rest)) => {
                self.0 = rest;
                usize::from(*byte) % n
            }
        }
    }

    /// True once in `n` times.
    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == n - 1
    }

    /// One of several.
    pub fn pick<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())].clone()
    }
}

/// Values that occur once: each begins with `v<tag><number>;`, so that they can be counted in any text.
pub struct Tokens {
    tag: char,
    next: u32,
    keys: u32,
}

impl Tokens {
    /// Values of one version, told from those of others by the tag.
    pub fn new(tag: char) -> Self {
        // Keys that edits add are the same on both sides, so that sides meet.
        let keys = if tag == 'b' { 0 } else { 100 };
        Self { tag, next: 0, keys }
    }

    fn fresh(&mut self) -> String {
        self.next += 1;
        format!("v{}{};", self.tag, self.next)
    }

    /// A key; most occur once in a version.
    fn key(&mut self, choices: &mut Choices<'_>) -> String {
        match choices.below(40) {
            39 => "A & B".to_owned(),
            38 => "é[1]/x=y,#".to_owned(),
            37 => String::new(),
            n if n > 28 => format!("K{}", n % 6),
            _ => {
                self.keys += 1;
                format!("K{}", self.keys)
            }
        }
    }
}

/// A document before it is printed.
#[derive(Clone, Debug)]
pub struct Model {
    /// The root element.
    pub root: Element,
    style: Style,
    /// A comment in front of the root.
    before: Option<String>,
}

/// How the whole document is laid out.
#[derive(Clone, Copy, Debug, Default)]
struct Style {
    indent: Indent,
    crlf: bool,
    bom: bool,
    single_quotes: bool,
    no_declaration: bool,
    no_last_break: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Indent {
    #[default]
    Four,
    Two,
    Tab,
    OneLine,
}

/// An element.
#[derive(Clone, Debug)]
pub struct Element {
    name: String,
    /// What the table knows of its content.
    ty: Option<&'static Type>,
    attributes: Vec<(String, String)>,
    body: Body,
    gap: Gap,
}

#[derive(Clone, Debug)]
enum Body {
    Leaf(String, Form),
    Items(Vec<Item>),
}

#[derive(Clone, Debug)]
enum Item {
    Element(Element),
    Comment(String),
    Text(String),
}

/// How a text is written.
#[derive(Clone, Copy, Debug, Default)]
enum Form {
    #[default]
    Named,
    Numbers,
    Cdata,
}

/// The white space in front of an element.
#[derive(Clone, Copy, Debug, Default)]
enum Gap {
    #[default]
    Usual,
    EmptyLine,
    None,
    Deeper,
}

impl Element {
    fn leaf(name: &str, text: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            ty: None,
            attributes: Vec::new(),
            body: Body::Leaf(text.into(), Form::default()),
            gap: Gap::default(),
        }
    }

    fn elements(&self) -> impl Iterator<Item = &Element> {
        let items = match &self.body {
            Body::Items(items) => items.as_slice(),
            Body::Leaf(..) => &[],
        };
        items.iter().filter_map(|item| match item {
            Item::Element(element) => Some(element),
            Item::Comment(_) | Item::Text(_) => None,
        })
    }

    /// Whether text or comments stand where formatting would count as content.
    fn is_mixed(&self) -> bool {
        let Body::Items(items) = &self.body else { return false };
        let has = |wanted: fn(&Item) -> bool| items.iter().any(wanted);
        has(|item| matches!(item, Item::Text(_)))
            || has(|item| matches!(item, Item::Comment(_))) && !has(|item| matches!(item, Item::Element(_)))
            || self.elements().any(Element::is_mixed)
    }

    /// Whether a comment stands anywhere.
    fn has_comments(&self) -> bool {
        matches!(&self.body, Body::Items(items) if items.iter().any(|item| matches!(item, Item::Comment(_))))
            || self.elements().any(Element::has_comments)
    }
}

impl Model {
    /// Name of the root element.
    pub fn type_name(&self) -> &str {
        &self.root.name
    }

    /// Whether text or comments stand where formatting would count as content.
    pub fn is_mixed(&self) -> bool {
        self.root.is_mixed()
    }

    /// Whether a comment stands anywhere.
    pub fn has_comments(&self) -> bool {
        self.root.has_comments() || self.before.is_some()
    }
}
