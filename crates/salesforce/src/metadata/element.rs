//! Answers of SOAP as values: XML elements for `serde`.
//!
//! A list is its element once for each item, so one item looks like a scalar; which it is, the type that is read decides.
//! Numbers and booleans are text. `xsi:nil="true"` and empty elements are nothing where a value may be missing.

use roxmltree::{Document, Node};
use serde::de::value::StrDeserializer;
use serde::de::{self, DeserializeOwned, DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess, Visitor};

use crate::error::{Error, Result};

const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// The XML could not be read as the value.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Unfit(String);

impl de::Error for Unfit {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

/// The content of the operation's response element: `{"result": …}`.
///
/// # Errors
/// `unexpected_answer` when the text is no envelope, is cut off, or lacks something.
pub(super) fn read<T: DeserializeOwned>(operation: &str, text: &str) -> Result<T> {
    let document = parse(operation, text)?;
    let response = response(operation, &document)?;
    from_node(response).map_err(|error| Error::unexpected(operation, error.0))
}

pub(super) fn parse<'a>(operation: &str, text: &'a str) -> Result<Document<'a>> {
    Document::parse(text).map_err(|error| Error::unexpected(operation, format!("it is no XML, or cut off: {error}")))
}

/// The element in the SOAP body.
pub(super) fn response<'a>(operation: &str, document: &'a Document<'_>) -> Result<Node<'a, 'a>> {
    let body = elements(document.root_element()).find(|node| node.tag_name().name() == "Body");
    body.and_then(|body| elements(body).next())
        .ok_or_else(|| Error::unexpected(operation, "the envelope has no body"))
}

pub(super) fn elements<'a, 'input>(node: Node<'a, 'input>) -> impl Iterator<Item = Node<'a, 'input>> {
    node.children().filter(Node::is_element)
}

pub(super) fn is_nil(node: Node<'_, '_>) -> bool {
    matches!(node.attribute((XSI, "nil")), Some("true" | "1"))
}

fn from_node<'a, T: de::Deserialize<'a>>(node: Node<'a, 'a>) -> Result<T, Unfit> {
    T::deserialize(Elements(vec![node]))
}

/// Elements of one name below one parent; at least one.
struct Elements<'a>(Vec<Node<'a, 'a>>);

impl<'a> Elements<'a> {
    fn text(&self) -> &'a str {
        self.0[0].text().unwrap_or_default()
    }

    fn is_nothing(&self) -> bool {
        let node = self.0[0];
        is_nil(node) || (node.text().is_none_or(str::is_empty) && elements(node).next().is_none())
    }

    fn parsed<T: std::str::FromStr>(&self, what: &str) -> Result<T, Unfit> {
        let text = self.text().trim();
        text.parse()
            .map_err(|_| Unfit(format!("<{}> is `{text}`, no {what}", self.0[0].tag_name().name())))
    }
}

macro_rules! numbers {
    ($($method:ident $visit:ident $kind:ty,)*) => {
        $(fn $method<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Unfit> {
            visitor.$visit(self.parsed::<$kind>("number")?)
        })*
    };
}

impl<'a> de::Deserializer<'a> for Elements<'a> {
    type Error = Unfit;

    fn deserialize_any<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Unfit> {
        match elements(self.0[0]).next() {
            Some(_) => self.deserialize_map(visitor),
            None => visitor.visit_borrowed_str(self.text()),
        }
    }

    fn deserialize_bool<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Unfit> {
        match self.text().trim() {
            "true" | "1" => visitor.visit_bool(true),
            "false" | "0" => visitor.visit_bool(false),
            other => Err(Unfit(format!(
                "<{}> is `{other}`, not true or false",
                self.0[0].tag_name().name()
            ))),
        }
    }

    numbers! {
        deserialize_i8 visit_i8 i8, deserialize_i16 visit_i16 i16, deserialize_i32 visit_i32 i32, deserialize_i64 visit_i64 i64,
        deserialize_u8 visit_u8 u8, deserialize_u16 visit_u16 u16, deserialize_u32 visit_u32 u32, deserialize_u64 visit_u64 u64,
        deserialize_f32 visit_f32 f32, deserialize_f64 visit_f64 f64,
    }

    fn deserialize_option<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Unfit> {
        if self.is_nothing() {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'a>>(self, _: &'static str, visitor: V) -> Result<V::Value, Unfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Unfit> {
        let nodes: Vec<Node<'a, 'a>> = self.0.into_iter().filter(|node| !is_nil(*node)).collect();
        visitor.visit_seq(Items(nodes.into_iter()))
    }

    fn deserialize_map<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Unfit> {
        let mut fields: Vec<(&'a str, Vec<Node<'a, 'a>>)> = Vec::new();
        for node in elements(self.0[0]) {
            let name = node.tag_name().name();
            match fields.iter_mut().find(|(known, _)| *known == name) {
                Some((_, nodes)) => nodes.push(node),
                None => fields.push((name, vec![node])),
            }
        }
        visitor.visit_map(Fields {
            fields: fields.into_iter(),
            value: None,
        })
    }

    fn deserialize_struct<V: Visitor<'a>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unfit> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'a>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unfit> {
        let text: StrDeserializer<'a, Unfit> = self.text().into_deserializer();
        visitor.visit_enum(text)
    }

    serde::forward_to_deserialize_any! {
        <V: Visitor<'a>>
        i128 u128 char str string bytes byte_buf unit unit_struct tuple tuple_struct identifier ignored_any
    }
}

struct Items<'a>(std::vec::IntoIter<Node<'a, 'a>>);

impl<'a> SeqAccess<'a> for Items<'a> {
    type Error = Unfit;

    fn next_element_seed<T: DeserializeSeed<'a>>(&mut self, seed: T) -> Result<Option<T::Value>, Unfit> {
        self.0
            .next()
            .map(|node| seed.deserialize(Elements(vec![node])))
            .transpose()
    }
}

struct Fields<'a> {
    fields: std::vec::IntoIter<(&'a str, Vec<Node<'a, 'a>>)>,
    value: Option<Elements<'a>>,
}

impl<'a> MapAccess<'a> for Fields<'a> {
    type Error = Unfit;

    fn next_key_seed<K: DeserializeSeed<'a>>(&mut self, seed: K) -> Result<Option<K::Value>, Unfit> {
        let Some((name, nodes)) = self.fields.next() else {
            return Ok(None);
        };
        self.value = Some(Elements(nodes));
        let name: StrDeserializer<'a, Unfit> = name.into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'a>>(&mut self, seed: T) -> Result<T::Value, Unfit> {
        let value = self.value.take();
        seed.deserialize(value.ok_or_else(|| Unfit("a value without a name".to_owned()))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Thing {
        #[serde(default)]
        names: Vec<String>,
        count: Option<u32>,
        done: bool,
        #[serde(default)]
        inner: Vec<Inner>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Inner {
        x: String,
        y: Option<String>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Answer {
        result: Thing,
    }

    fn thing(content: &str) -> Result<Thing> {
        let text = format!(
            "<?xml version=\"1.0\"?><s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns=\"urn:m\" \
             xmlns:xsi=\"{XSI}\"><s:Header/><s:Body><lookResponse><result>{content}</result></lookResponse></s:Body></s:Envelope>"
        );
        read::<Answer>("look", &text).map(|answer| answer.result)
    }

    #[test]
    fn one_item_is_a_list_too() {
        let read =
            thing("<done>true</done><names>a &amp; b</names><inner><x>1</x><y xsi:nil=\"true\"/></inner>").unwrap();
        assert_eq!(
            read,
            Thing {
                names: vec!["a & b".to_owned()],
                count: None,
                done: true,
                inner: vec![Inner {
                    x: "1".to_owned(),
                    y: None
                }],
            }
        );
    }

    #[test]
    fn items_of_a_list_may_stand_apart() {
        let read = thing("<names>a</names><done>false</done><names>b</names><count>3</count><names xsi:nil=\"true\"/>")
            .unwrap();
        assert_eq!((read.names.join(","), read.count), ("a,b".to_owned(), Some(3)));
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let wrong = |content: &str| thing(content).unwrap_err().to_string();
        assert!(wrong("<done>maybe</done>").contains("<done> is `maybe`"));
        assert!(wrong("<done>true</done><count>many</count>").contains("<count> is `many`"));
        assert!(wrong("<names>a</names>").contains("done"));
        assert!(wrong("<done>tr").contains("cut off"));
    }
}
