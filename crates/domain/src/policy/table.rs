//! The table of rules, read once from its text.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::{Action, Role};
use crate::config::Tier;

/// A role that may, everywhere or in own environments only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Allowed {
    pub role: Role,
    pub own: bool,
}

/// The roles of an action, by tier; `None` for actions that belong to no environment.
pub(super) type Table = BTreeMap<(Action, Option<Tier>), Vec<Allowed>>;

pub(super) static TABLE: LazyLock<Table> =
    LazyLock::new(|| parse(include_str!("table.txt")).expect("a test reads the table"));

pub(super) fn parse(text: &str) -> Result<Table, String> {
    let mut table = Table::new();
    let mut action = None;
    for (n, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default();
        let error = |what: &str| format!("line {}: {what}", n + 1);
        let mut words = line.split_whitespace();
        let Some(first) = words.next() else { continue };
        let roles: Vec<Allowed> = words
            .map(|word| {
                let (name, own) = word.strip_suffix("(own)").map_or((word, false), |name| (name, true));
                let role = Role::named(name).ok_or_else(|| error("unknown role"))?;
                Ok(Allowed { role, own })
            })
            .collect::<Result<_, String>>()?;
        let tier = if line.starts_with(' ') {
            let mut tiers = Tier::ALL.into_iter();
            Some(
                tiers
                    .find(|tier| tier.name() == first)
                    .ok_or_else(|| error("unknown tier"))?,
            )
        } else {
            action = Some(Action::named(first).ok_or_else(|| error("unknown action"))?);
            None
        };
        let action = action.ok_or_else(|| error("a tier without an action"))?;
        if (tier.is_some() || !roles.is_empty()) && table.insert((action, tier), roles).is_some() {
            return Err(error("a second time"));
        }
    }
    Ok(table)
}
