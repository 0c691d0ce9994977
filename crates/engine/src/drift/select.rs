//! Which differences a person means: by number, by component, by element, or all.

use std::collections::BTreeSet;

use syncline_domain::drift::Class;
use syncline_domain::pattern::ComponentPattern;
use syncline_metadata::path::ElementPath;

use super::{Difference, Drift};
use crate::environment::EnvironmentError;

/// Differences that were meant, and what was left out although it fits.
#[derive(Clone, Debug, Default)]
pub struct Picked {
    /// The differences.
    pub differences: Vec<Difference>,
    /// Those that fit but are of another class, with the reason.
    pub left: Vec<(Difference, &'static str)>,
}

/// Finds the differences that words of a person mean: numbers (`3`, `5-9`), components (`ApexClass:Tax*`) and elements
/// (`Profile:Admin/fieldPermissions[field=Account.Rating]`). With `all` every one that is `taken`.
///
/// # Errors
/// A word that means nothing, or a difference that is named outright and cannot be taken.
pub(crate) fn pick(
    drift: &Drift,
    words: &[String],
    all: bool,
    taken: fn(&Difference) -> bool,
) -> Result<Picked, EnvironmentError> {
    let mut named: BTreeSet<usize> = BTreeSet::new();
    let mut exact: BTreeSet<usize> = BTreeSet::new();
    for word in words {
        let (numbers, is_exact) = meant(drift, word)?;
        if numbers.is_empty() {
            return Err(EnvironmentError::Argument {
                what: format!("`{word}` is none of the differences"),
                hint: format!("`syncline drift {}` lists them with numbers", drift.environment),
            });
        }
        if is_exact {
            exact.extend(&numbers);
        }
        named.extend(numbers);
    }
    let mut picked = Picked::default();
    for one in &drift.differences {
        if !(all || named.contains(&one.number)) {
            continue;
        }
        if taken(one) {
            picked.differences.push(one.clone());
        } else if exact.contains(&one.number) {
            return Err(EnvironmentError::Argument {
                what: format!("{} cannot be taken: {}", one.words, why(&one.class)),
                hint: "leave it out of the selection".to_owned(),
            });
        } else {
            picked.left.push((one.clone(), why(&one.class)));
        }
    }
    Ok(picked)
}

/// What makes a class none to be taken.
fn why(class: &Class) -> &'static str {
    match class {
        Class::Foreign { .. } | Class::Unmanaged => "it was changed in the org",
        Class::Captured { .. } => "an open change has it, and brings it on its own way",
        Class::OpenChange { .. } => "an open change is about the same component",
        Class::Overlay => "it belongs to this environment only, as its overlay says",
        Class::Noise { .. } => "it means nothing",
        Class::Pending => "the branch has changed it, and the org has not got it yet",
    }
}

/// Numbers of the differences that a word means, and whether it names single ones.
fn meant(drift: &Drift, word: &str) -> Result<(BTreeSet<usize>, bool), EnvironmentError> {
    let wrong = |why: String| EnvironmentError::Argument {
        what: format!("`{word}`: {why}"),
        hint: "write a number, `5-9`, a component as in `ApexClass:Tax*`, or an element's path".to_owned(),
    };
    let last = drift.differences.len();
    if word.starts_with(|c: char| c.is_ascii_digit()) {
        let (from, to) = word.split_once('-').unwrap_or((word, word));
        let number = |text: &str| text.parse::<usize>().map_err(|error| wrong(error.to_string()));
        let (from, to) = (number(from)?, number(to)?);
        return Ok(((from..=to.min(last)).filter(|number| *number > 0).collect(), from == to));
    }
    let numbers = |fits: &dyn Fn(&Difference) -> bool| {
        let fitting = drift.differences.iter().filter(|one| fits(one));
        fitting.map(|one| one.number).collect::<BTreeSet<_>>()
    };
    if word.contains('/')
        && let Ok(path) = word.parse::<ElementPath>()
    {
        let found = numbers(&|one| one.path.is_within(&path));
        if !found.is_empty() {
            return Ok((found, true));
        }
    }
    let pattern: ComponentPattern = word.parse().map_err(|error| wrong(format!("{error}")))?;
    Ok((numbers(&|one| pattern.matches(&one.component)), !word.contains('*')))
}
