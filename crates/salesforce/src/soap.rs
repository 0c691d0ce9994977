//! SOAP 1.1 envelopes around calls.

use std::fmt::Write;

/// Text as XML content.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// The whole envelope. `headers` and `call` are XML whose unprefixed elements are in `namespace`.
pub(crate) fn envelope(namespace: &str, session: &str, client: &str, headers: &str, call: &str) -> String {
    let mut xml = String::with_capacity(call.len() + headers.len() + 512);
    // Writing to a String cannot fail.
    let _ = write!(
        xml,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
         <soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\
         <soapenv:Header xmlns=\"{namespace}\"><SessionHeader><sessionId>{}</sessionId></SessionHeader>\
         <CallOptions><client>{}</client></CallOptions>{headers}</soapenv:Header>\
         <soapenv:Body xmlns=\"{namespace}\">{call}</soapenv:Body></soapenv:Envelope>",
        escape(session),
        escape(client),
    );
    xml
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_envelope_is_xml_in_the_namespace_of_the_call() {
        let xml = envelope("urn:m", "a&b", "me", "<X>1</X>", "<retrieve><a/></retrieve>");
        let document = roxmltree::Document::parse(&xml).unwrap();
        let find = |name: &str| {
            document
                .descendants()
                .find(|node| node.tag_name().name() == name)
                .unwrap()
        };
        assert_eq!(find("sessionId").text(), Some("a&b"));
        for name in ["sessionId", "X", "retrieve", "a"] {
            assert_eq!(find(name).tag_name().namespace(), Some("urn:m"), "{name}");
        }
    }
}
