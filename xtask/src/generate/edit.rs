//! Edits of generated files: the changes that people make between two versions of a repository.

use super::random::Random;
use super::repository::{Content, File};
use super::xml::{Body, Element};

/// One place of a file that can be changed without breaking a reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot {
    /// Child indices from the root to the element; for code the index of the line.
    path: Vec<usize>,
}

/// How a file is changed at a spot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edit<'a> {
    /// A text gets this word more, a flag is turned, a number grows.
    Change(&'a str),
    /// The list entry that holds the spot is removed.
    Remove,
}

/// Texts that can hold any words.
const TEXTS: &[&str] = &[
    "description",
    "inlineHelpText",
    "errorMessage",
    "label",
    "masterLabel",
    "value",
    "shortDescription",
    "subject",
];
/// Flags that can be turned alone.
const FLAGS: &[&str] = &["trackTrending", "trackHistory", "enableFeeds", "enableActivities"];
/// Elements whose `label` or `value` others may refer to.
const BOUND: &[&str] = &[
    "value",
    "customValue",
    "standardValue",
    "valueSetDefinition",
    "filters",
    "criteriaItems",
    "values",
    "params",
    "componentInstanceProperties",
    "rightValue",
    "caseValues",
    "mktDataLakeFieldAttributes",
];

/// The spots of a file, in document order; none for binaries.
#[must_use]
pub fn spots(file: &File) -> Vec<Spot> {
    let mut found = Vec::new();
    match &file.content {
        Content::Xml(root) => collect(root, &mut Vec::new(), &mut found),
        Content::Text(text) => {
            let lines = text.lines().enumerate().filter(|(_, line)| line_number(line).is_some());
            found.extend(lines.map(|(index, _)| Spot { path: vec![index] }));
        }
        Content::Binary(_) => {}
    }
    found
}

/// True where both spots lie in the same child of the root, so that a merge has to look deeper.
#[must_use]
pub fn together(left: &Spot, right: &Spot) -> bool {
    left.path.first() == right.path.first()
}

/// A copy of the file with the edit made; the same file where the spot does not fit it.
#[must_use]
pub fn edited(file: &File, spot: &Spot, change: Edit<'_>) -> File {
    let mut file = file.clone();
    edit(&mut file, spot, change);
    file
}

/// Makes an edit; nothing changes where the spot does not fit the file.
pub fn edit(file: &mut File, spot: &Spot, edit: Edit<'_>) {
    match &mut file.content {
        Content::Xml(root) => change(root, &spot.path, edit),
        Content::Text(text) => *text = changed_line(text, spot.path.first().copied().unwrap_or_default(), edit),
        Content::Binary(_) => {}
    }
}

/// A random spot that shares no child of the root with those taken.
pub fn free_spot(random: &mut Random, spots: &[Spot], taken: &[&Spot]) -> Option<Spot> {
    let free: Vec<&Spot> = spots
        .iter()
        .filter(|spot| !taken.iter().any(|other| together(spot, other)))
        .collect();
    if free.is_empty() {
        None
    } else {
        Some((*random.pick(&free)).clone())
    }
}

fn collect(element: &Element, path: &mut Vec<usize>, found: &mut Vec<Spot>) {
    let readable = element.text_of("readable") == Some("true");
    for (index, child) in element.children().iter().enumerate() {
        path.push(index);
        match &child.body {
            Body::Text(_) if TEXTS.contains(&child.name.as_ref()) && !BOUND.contains(&element.name.as_ref()) => {
                found.push(Spot { path: path.clone() });
            }
            Body::Text(_) if FLAGS.contains(&child.name.as_ref()) || (readable && child.name == "editable") => {
                found.push(Spot { path: path.clone() });
            }
            Body::Text(_) => {}
            Body::Children(_) => collect(child, path, found),
        }
        path.pop();
    }
}

fn change(element: &mut Element, path: &[usize], edit: Edit<'_>) {
    let Some((first, rest)) = path.split_first() else {
        if let (Body::Text(text), Edit::Change(word)) = (&mut element.body, edit) {
            *text = match text.as_str() {
                "true" => "false".to_owned(),
                "false" => "true".to_owned(),
                other => format!("{} {word}", other.chars().take(200).collect::<String>()),
            };
        }
        return;
    };
    let Some(children) = element.children_mut() else { return };
    if *first >= children.len() {
        return;
    }
    if edit == Edit::Remove && rest.len() <= 1 {
        children.remove(*first);
    } else {
        change(&mut children[*first], rest, edit);
    }
}

/// Position of the number that ends a line such as `LIMIT_1 = 200;`.
fn line_number(line: &str) -> Option<(usize, u64)> {
    let start = line.find(" = ")? + 3;
    let digits = line[start..].strip_suffix(';')?;
    digits.parse().ok().map(|number| (start, number))
}

fn changed_line(text: &str, at: usize, edit: Edit<'_>) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for (index, line) in text.split_inclusive('\n').enumerate() {
        match (line_number(line.trim_end_matches('\n')), edit) {
            (Some((start, number)), Edit::Change(word)) if index == at => {
                // The word makes the number, so that two sides with different words get different numbers.
                let step = word
                    .bytes()
                    .fold(1, |sum: u64, byte| sum * 31 % 9_973 + u64::from(byte));
                out.push_str(&format!("{}{};\n", &line[..start], number + step));
            }
            (Some(_), Edit::Remove) if index == at => {}
            _ => out.push_str(line),
        }
    }
    out
}
