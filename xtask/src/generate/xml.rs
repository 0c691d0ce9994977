//! XML elements of generated metadata, written as the platform writes them: declaration, four spaces, escaped quotes.

use std::borrow::Cow;
use std::fmt::Display;

/// Namespace of all metadata files.
pub const NAMESPACE: &str = "http://soap.sforce.com/2006/04/metadata";

/// An element with text or with children, never both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    /// Name of the element; at the root the metadata type.
    pub name: Cow<'static, str>,
    /// Attributes in order of writing, the namespace of the root not among them.
    pub attributes: Vec<(Cow<'static, str>, String)>,
    /// Text or children.
    pub body: Body,
}

/// What an element holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// Text, not escaped.
    Text(String),
    /// Children; none gives `<name/>`.
    Children(Vec<Element>),
}

impl Element {
    /// An element without children.
    #[must_use]
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self {
            name: name.into(),
            attributes: Vec::new(),
            body: Body::Children(Vec::new()),
        }
    }

    /// An element with text.
    #[must_use]
    pub fn of(name: impl Into<Cow<'static, str>>, value: impl Display) -> Self {
        Self {
            name: name.into(),
            attributes: Vec::new(),
            body: Body::Text(value.to_string()),
        }
    }

    /// Adds an attribute.
    #[must_use]
    pub fn attribute(mut self, name: &'static str, value: impl Display) -> Self {
        self.attributes.push((name.into(), value.to_string()));
        self
    }

    /// Adds a child with text.
    #[must_use]
    pub fn leaf(self, name: &'static str, value: impl Display) -> Self {
        self.child(Self::of(name, value))
    }

    /// Adds a child with text where there is a value.
    #[must_use]
    pub fn maybe(self, name: &'static str, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.leaf(name, value),
            None => self,
        }
    }

    /// Adds a child.
    #[must_use]
    pub fn child(mut self, child: Self) -> Self {
        self.push(child);
        self
    }

    /// Adds children in the order given.
    #[must_use]
    pub fn all(mut self, children: impl IntoIterator<Item = Self>) -> Self {
        for child in children {
            self.push(child);
        }
        self
    }

    /// Adds children with text in the order given.
    #[must_use]
    pub fn leaves<T: Display>(self, name: &'static str, values: impl IntoIterator<Item = T>) -> Self {
        self.all(values.into_iter().map(|value| Self::of(name, value)))
    }

    /// Adds a child; the text of an element that had one is replaced by its children.
    pub fn push(&mut self, child: Self) {
        match &mut self.body {
            Body::Children(children) => children.push(child),
            Body::Text(_) => self.body = Body::Children(vec![child]),
        }
    }

    /// The children; none for an element with text.
    #[must_use]
    pub fn children(&self) -> &[Self] {
        match &self.body {
            Body::Children(children) => children,
            Body::Text(_) => &[],
        }
    }

    /// The children to change; an element with text loses nothing and has none.
    pub fn children_mut(&mut self) -> Option<&mut Vec<Self>> {
        match &mut self.body {
            Body::Children(children) => Some(children),
            Body::Text(_) => None,
        }
    }

    /// Text of the first child of that name.
    #[must_use]
    pub fn text_of(&self, name: &str) -> Option<&str> {
        self.children()
            .iter()
            .find(|child| child.name == name)
            .and_then(|child| match &child.body {
                Body::Text(text) => Some(text.as_str()),
                Body::Children(_) => None,
            })
    }

    /// The file: declaration, root with namespace, a line break at the end.
    #[must_use]
    pub fn document(&self) -> String {
        let mut out = String::with_capacity(4096);
        out.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        self.write(&mut out, 0, true);
        out
    }

    fn write(&self, out: &mut String, depth: usize, root: bool) {
        indent(out, depth);
        out.push('<');
        out.push_str(&self.name);
        if root {
            out.push_str(" xmlns=\"");
            out.push_str(NAMESPACE);
            out.push('"');
        }
        for (name, value) in &self.attributes {
            out.push(' ');
            out.push_str(name);
            out.push_str("=\"");
            escape(out, value);
            out.push('"');
        }
        match &self.body {
            Body::Children(children) if children.is_empty() => {
                out.push_str("/>\n");
                return;
            }
            Body::Children(children) => {
                out.push_str(">\n");
                for child in children {
                    child.write(out, depth + 1, false);
                }
                indent(out, depth);
            }
            Body::Text(text) => {
                out.push('>');
                escape(out, text);
            }
        }
        out.push_str("</");
        out.push_str(&self.name);
        out.push_str(">\n");
    }
}

fn indent(out: &mut String, depth: usize) {
    for _ in 0..depth {
        out.push_str("    ");
    }
}

fn escape(out: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\'' => out.push_str("&apos;"),
            '"' => out.push_str("&quot;"),
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Element;

    #[test]
    fn a_document_is_written_as_the_platform_writes_it() {
        let layout = Element::new("Layout").child(
            Element::new("layoutSections")
                .leaf("label", "Terms & 'more'")
                .child(Element::new("layoutColumns")),
        );
        assert_eq!(
            layout.document(),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <Layout xmlns=\"http://soap.sforce.com/2006/04/metadata\">\n    <layoutSections>\n        \
             <label>Terms &amp; &apos;more&apos;</label>\n        <layoutColumns/>\n    </layoutSections>\n</Layout>\n"
        );
    }
}
