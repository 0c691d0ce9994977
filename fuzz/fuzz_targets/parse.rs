//! Any bytes: an error that names a line, or a tree whose parts make up the text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use syncline_metadata::xml::{
    Content, Document, Node, canonical_fragment, children, content, digest, elements, is_metadata, source,
};

/// Puts a node together from the ranges of its parts.
fn print(text: &str, node: Node<'_, '_>, out: &mut String) {
    if !node.is_element() || content(node) == Content::Leaf || elements(node).next().is_none() {
        out.push_str(source(text, node));
        return;
    }
    let (chunks, tail) = children(text, node);
    let range = node.range();
    out.push_str(&text[range.start..chunks.first().map_or(tail.start, |c| c.lead)]);
    for chunk in &chunks {
        out.push_str(&text[chunk.lead..chunk.node.range().start]);
        print(text, chunk.node, out);
    }
    out.push_str(&text[tail.start..range.end]);
}

fuzz_target!(|bytes: &[u8]| {
    is_metadata(bytes);
    canonical_fragment(bytes);
    match Document::parse(bytes) {
        Ok(document) => {
            let root = document.root().range();
            let mut out = document.text[..root.start].to_owned();
            print(document.text, document.root(), &mut out);
            out.push_str(&document.text[root.end..]);
            assert_eq!(out, document.text);
            assert_eq!(
                digest(document.root(), document.root_type()),
                digest(document.root(), document.root_type())
            );
        }
        Err(error) => assert!(error.to_string().contains("line ") || bytes.len() > 1 << 20, "{error}"),
    }
});
