//! Prints documents.

use super::{Body, Element, Form, Gap, Indent, Item, Model, Style};

impl Model {
    /// The file.
    pub fn print(&self) -> Vec<u8> {
        let style = self.style;
        let mut out = String::new();
        if style.bom {
            out.push('\u{feff}');
        }
        if !style.no_declaration {
            let declaration = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
            out.push_str(&style.quoted(declaration));
        }
        if let Some(text) = &self.before {
            out.push_str(&format!("<!-- {text} -->\n"));
        }
        let mut root = self.root.clone();
        root.attributes
            .insert(0, ("xmlns".into(), "http://soap.sforce.com/2006/04/metadata".into()));
        root.attributes
            .push(("xmlns:xsi".into(), "http://www.w3.org/2001/XMLSchema-instance".into()));
        element(&mut out, &root, style, 0);
        if !style.no_last_break {
            out.push('\n');
        }
        if style.crlf {
            out = out.replace('\n', "\r\n");
        }
        out.into_bytes()
    }
}

impl Style {
    fn quoted(self, text: &str) -> String {
        if self.single_quotes {
            text.replace('"', "'")
        } else {
            text.to_owned()
        }
    }

    fn line(self, out: &mut String, depth: usize) {
        let unit = match self.indent {
            Indent::Four => "    ",
            Indent::Two => "  ",
            Indent::Tab => "\t",
            Indent::OneLine => return,
        };
        out.push('\n');
        out.push_str(&unit.repeat(depth));
    }
}

fn element(out: &mut String, e: &Element, style: Style, depth: usize) {
    out.push('<');
    out.push_str(&e.name);
    for (name, value) in &e.attributes {
        let value = escape(value, Form::Named)
            .replace('"', "&quot;")
            .replace('\'', "&apos;");
        out.push_str(&style.quoted(&format!(" {name}=\"{value}\"")));
    }
    let items = match &e.body {
        Body::Leaf(text, Form::Cdata) if text.is_empty() => {
            out.push_str("/>");
            return;
        }
        Body::Leaf(text, form) => {
            out.push('>');
            out.push_str(&escape(text, *form));
            close(out, e);
            return;
        }
        Body::Items(items) => items,
    };
    if items.is_empty() && style.single_quotes {
        out.push_str("/>");
        return;
    }
    out.push('>');
    for item in items {
        match item {
            Item::Element(child) => {
                match child.gap {
                    Gap::Usual => style.line(out, depth + 1),
                    Gap::EmptyLine => {
                        style.line(out, 0);
                        style.line(out, depth + 1);
                    }
                    Gap::None => {}
                    Gap::Deeper => {
                        style.line(out, depth + 1);
                        out.push(' ');
                    }
                }
                element(out, child, style, depth + 1);
            }
            Item::Comment(text) => {
                style.line(out, depth + 1);
                out.push_str(&format!("<!-- {text} -->"));
            }
            Item::Text(text) => {
                style.line(out, depth + 1);
                out.push_str(&escape(text, Form::Named));
            }
        }
    }
    style.line(out, depth);
    close(out, e);
}

fn close(out: &mut String, e: &Element) {
    out.push_str("</");
    out.push_str(&e.name);
    out.push('>');
}

fn escape(text: &str, form: Form) -> String {
    match form {
        Form::Cdata if !text.contains("]]>") => format!("<![CDATA[{text}]]>"),
        Form::Numbers => text
            .replace('&', "&#38;")
            .replace('<', "&#x3C;")
            .replace('>', "&#62;")
            .replace('é', "&#233;"),
        Form::Cdata | Form::Named => text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"),
    }
}
