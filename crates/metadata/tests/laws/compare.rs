//! Laws of reading, comparison and element paths.

use proptest::prelude::*;
use syncline_metadata::diff::{ChangeKind, diff, same};
use syncline_metadata::xml::Content;
use syncline_metadata::xml::{Document, Node, children, content, elements, source};

use super::generator::Choices;
use super::{PATH, config, meaning, text, versions};

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

proptest! {
    #![proptest_config(config(150))]

    /// Parse and print: the same bytes.
    #[test]
    fn printing_what_was_read(v in versions(false)) {
        for model in [&v.base, &v.ours, &v.theirs] {
            let bytes = model.print();
            let document = Document::parse(&bytes).expect("well-formed");
            let root = document.root().range();
            let mut out = document.text[..root.start].to_owned();
            print(document.text, document.root(), &mut out);
            out.push_str(&document.text[root.end..]);
            prop_assert_eq!(out, text(&bytes));
        }
    }

    /// Nothing differs from itself, nor from itself in another layout or an order that means nothing.
    #[test]
    fn nothing_differs_from_itself(v in versions(true)) {
        let a = v.ours.print();
        let component = v.component();
        prop_assert_eq!(diff(&component, PATH, Some(&a), Some(&a)).expect("readable"), []);
        prop_assume!(!v.ours.is_mixed());
        let choices = &mut Choices::new(&v.rest);
        let laid_out = v.ours.reformatted(choices).print();
        let reordered = v.ours.reordered(choices).print();
        for b in [&laid_out, &reordered] {
            prop_assert_eq!(meaning(&a), meaning(b), "{}", text(b));
            prop_assert_eq!(diff(&component, PATH, Some(&a), Some(b)).expect("readable"), [], "{}", text(b));
        }
    }

    /// A comparison is empty exactly when both mean the same.
    #[test]
    fn empty_when_equal(v in versions(false)) {
        for (a, b) in [(&v.base, &v.ours), (&v.ours, &v.theirs)] {
            let (a, b) = (a.print(), b.print());
            let changes = diff(&v.component(), PATH, Some(&a), Some(&b)).expect("readable");
            prop_assert_eq!(changes.is_empty(), meaning(&a) == meaning(&b), "{:?}", changes);
            prop_assert_eq!(changes.is_empty(), same(PATH, &a, &b));
        }
    }

    /// Every path of a comparison survives printing and parsing, and is about the component.
    #[test]
    fn paths_survive(v in versions(false)) {
        let (a, b) = (v.ours.print(), v.theirs.print());
        for change in diff(&v.component(), PATH, Some(&a), Some(&b)).expect("readable") {
            let path = change.path.to_string();
            prop_assert_eq!(path.parse(), Ok(change.path.clone()), "{}", path);
            prop_assert_eq!(change.path.component, v.component());
            prop_assert!(!path.contains(char::is_control));
        }
    }

    /// Backwards, what was added is removed, and as much.
    #[test]
    fn backwards_is_the_reverse(v in versions(true)) {
        let (a, b) = (v.ours.print(), v.theirs.print());
        let component = v.component();
        let count = |from: &[u8], to: &[u8], kind| {
            let changes = diff(&component, PATH, Some(from), Some(to)).expect("readable");
            changes.iter().filter(|c| c.kind == kind).count()
        };
        prop_assert_eq!(count(&a, &b, ChangeKind::Added), count(&b, &a, ChangeKind::Removed));
        prop_assert_eq!(count(&a, &b, ChangeKind::Changed), count(&b, &a, ChangeKind::Changed));
    }
}
