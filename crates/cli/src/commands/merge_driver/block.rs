//! The lines that syncline keeps in a file of attributes, between two comments. Pure.

/// Beginning of the first line; what follows tells how to restore the file.
const BEGIN: &str = "# >>> syncline merge driver";
const END: &str = "# <<< syncline merge driver";
/// The file was not there before.
const NEW_FILE: &str = "new file";
/// The line above had no line end.
const NO_LINE_END: &str = "no line end above";

/// One of the two comments is missing, or they stand in the wrong order.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: the block of syncline has no {missing}")]
pub(super) struct Broken {
    line: usize,
    missing: &'static str,
}

/// Where the block stands in a file, as byte positions from the first line's start to behind the last line's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub start: usize,
    pub end: usize,
}

/// Finds the block.
pub(super) fn find(text: &[u8]) -> Result<Option<Place>, Broken> {
    let (mut at, mut begin, mut found) = (0, None, None);
    for (number, line) in (1..).zip(text.split_inclusive(|byte| *byte == b'\n')) {
        if line.starts_with(BEGIN.as_bytes()) {
            if let Some((_, line)) = begin {
                return Err(Broken { line, missing: "end" });
            }
            begin = Some((at, number));
        } else if line.starts_with(END.as_bytes()) {
            let Some((start, _)) = begin.take() else {
                return Err(Broken {
                    line: number,
                    missing: "beginning",
                });
            };
            found = found.or(Some(Place {
                start,
                end: at + line.len(),
            }));
        }
        at += line.len();
    }
    match begin {
        Some((_, line)) => Err(Broken { line, missing: "end" }),
        None => Ok(found),
    }
}

/// The file with the block: in place of the block that is there, or at the end.
pub(super) fn install(before: Option<&[u8]>, patterns: &[(&str, Vec<String>)]) -> Result<Vec<u8>, Broken> {
    let text = before.unwrap_or_default();
    let (head, note, tail) = match find(text)? {
        Some(place) => (&text[..place.start], note_of(&text[place.start..]), &text[place.end..]),
        None if before.is_none() => (text, NEW_FILE, &b""[..]),
        None if !text.is_empty() && !text.ends_with(b"\n") => (text, NO_LINE_END, &b""[..]),
        None => (text, "", &b""[..]),
    };
    let mut after = head.to_vec();
    if !head.is_empty() && !head.ends_with(b"\n") {
        after.push(b'\n');
    }
    after.extend_from_slice(block(note, patterns).as_bytes());
    after.extend_from_slice(tail);
    Ok(after)
}

/// The file as it was without the block, or the blocks if somebody copied it; `None` when there was no file.
pub(super) fn uninstall(text: &[u8]) -> Result<Option<Vec<u8>>, Broken> {
    let mut text = text.to_vec();
    while let Some(place) = find(&text)? {
        let (note, tail) = (note_of(&text[place.start..]), &text[place.end..]);
        let mut after = text[..place.start].to_vec();
        if note == NO_LINE_END && tail.is_empty() && after.ends_with(b"\n") {
            after.pop();
        }
        after.extend_from_slice(tail);
        if note == NEW_FILE && after.is_empty() {
            return Ok(None);
        }
        text = after;
    }
    Ok(Some(text))
}

fn block(note: &str, patterns: &[(&str, Vec<String>)]) -> String {
    let note = if note.is_empty() {
        String::new()
    } else {
        format!(" ({note})")
    };
    let mut text = format!("{BEGIN}{note}; remove with: syncline merge-driver uninstall\n");
    for (title, patterns) in patterns {
        text.push_str(&format!("# {title}\n"));
        for pattern in patterns {
            text.push_str(&format!("{pattern} merge=syncline\n"));
        }
    }
    text.push_str(END);
    text.push('\n');
    text
}

/// What the first line of a block says on how to restore the file.
fn note_of(block: &[u8]) -> &'static str {
    let line = block.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let says = |note: &str| line[BEGIN.len()..].starts_with(format!(" ({note})").as_bytes());
    [NEW_FILE, NO_LINE_END]
        .into_iter()
        .find(|note| says(note))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn patterns(names: &[&str]) -> Vec<(&'static str, Vec<String>)> {
        vec![("Metadata", names.iter().map(|name| (*name).to_owned()).collect())]
    }

    #[test]
    fn the_block_is_readable() {
        let after = install(Some(b"*.txt text"), &patterns(&["*-meta.xml"])).expect("whole");
        insta::assert_snapshot!(String::from_utf8(after).expect("UTF-8"), @r#"
        *.txt text
        # >>> syncline merge driver (no line end above); remove with: syncline merge-driver uninstall
        # Metadata
        *-meta.xml merge=syncline
        # <<< syncline merge driver
        "#);
    }

    #[test]
    fn a_broken_block_is_left_alone() {
        let check =
            |text: &str, expect: &str| assert_eq!(find(text.as_bytes()).expect_err("broken").to_string(), expect);
        check(&format!("a\n{BEGIN}\nb\n"), "line 2: the block of syncline has no end");
        check(&format!("{END}\n"), "line 1: the block of syncline has no beginning");
        check(
            &format!("{BEGIN}\n{BEGIN}\n{END}\n"),
            "line 1: the block of syncline has no end",
        );
    }

    proptest! {
        #[test]
        fn uninstall_restores(before in prop::option::of("[a\n#]{0,20}"), later in "[b\n]{0,8}") {
            let before = before.as_deref().map(str::as_bytes);
            let first = install(before, &patterns(&["*-meta.xml"])).expect("whole");
            let second = install(Some(&first), &patterns(&["*-meta.xml"])).expect("whole");
            prop_assert_eq!(&first, &second, "idempotent");
            let other = install(Some(&first), &patterns(&["package.xml", "*.x"])).expect("whole");
            let restored = uninstall(&other).expect("whole");
            prop_assert_eq!(restored.as_deref(), before);
            let twice = uninstall(&[&first[..], &first[..]].concat()).expect("whole").unwrap_or_default();
            prop_assert_eq!(find(&twice), Ok(None));
            let mut edited = other;
            edited.extend_from_slice(later.as_bytes());
            let restored = uninstall(&edited).expect("whole").unwrap_or_default();
            prop_assert!(restored.ends_with(later.as_bytes()));
        }
    }
}
