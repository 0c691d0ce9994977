//! `syncline.toml` as it is written, with the places of what is checked.

use std::collections::BTreeMap;

use jiff::civil::{Date, DateTime};
use serde::{Deserialize, Deserializer, de};
use toml::Spanned;

use super::edge::RuleName;
use super::freeze::Week;
use super::{Audit, Command, GateRules, Installation, Kind, Licence, Naming, TestLevel, Tier, When};
use crate::pattern::ComponentPattern;
use crate::schedule::CronExpression;
use crate::time::Zone;

pub(super) type Name = Spanned<String>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct File {
    #[serde(default)]
    pub naming: Naming,
    #[serde(default)]
    pub environments: BTreeMap<Name, Environment>,
    pub gates: Option<Spanned<GateRules>>,
    #[serde(default)]
    pub edges: Vec<Edge>,
    #[serde(default)]
    pub freeze: Vec<Freeze>,
    #[serde(default)]
    pub system: Vec<System>,
    #[serde(default)]
    pub steps: Vec<Step>,
    #[serde(default)]
    pub audit: Audit,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Environment {
    pub branch: Name,
    pub kind: Kind,
    pub tier: Option<Tier>,
    pub org: Option<Name>,
    pub licence: Option<Licence>,
    pub sandbox: Option<Name>,
    pub promotes_to: Option<Name>,
    pub remote: Option<String>,
    pub owner: Option<String>,
    pub test_level: Option<TestLevel>,
    #[serde(default, deserialize_with = "day")]
    pub refreshed: Option<Date>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Edge {
    pub from: Name,
    pub to: Name,
    #[serde(default)]
    pub rule: RuleName,
    pub schedule: Option<CronExpression>,
    pub zone: Option<Spanned<Zone>>,
    #[serde(default)]
    pub select: Vec<ComponentPattern>,
    pub gates: Option<Spanned<GateRules>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Freeze {
    pub name: Name,
    #[serde(default)]
    pub environments: Vec<Name>,
    #[serde(default, deserialize_with = "moment")]
    pub from: Option<DateTime>,
    #[serde(default, deserialize_with = "moment")]
    pub to: Option<DateTime>,
    #[serde(default, deserialize_with = "week")]
    pub every: Option<Week>,
    #[serde(default)]
    pub zone: Zone,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct System {
    pub name: Name,
    pub owner: Option<String>,
    #[serde(default)]
    pub environments: BTreeMap<Name, Installation>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Step {
    pub id: Name,
    pub when: When,
    #[serde(default)]
    pub on: Vec<Name>,
    pub apex: Option<String>,
    pub command: Option<Command>,
    pub manual: Option<String>,
    pub with: Option<ComponentPattern>,
}

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// TOML has dates of its own; a string is read as well.
#[derive(Deserialize)]
#[serde(untagged)]
enum Moment {
    Text(String),
    Toml(toml::value::Datetime),
}

fn text_of<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(match Moment::deserialize(deserializer)? {
        Moment::Text(text) => text,
        Moment::Toml(moment) => moment.to_string(),
    })
}

fn day<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Date>, D::Error> {
    let text = text_of(deserializer)?;
    match text.parse() {
        Ok(day) => Ok(Some(day)),
        Err(_) => Err(de::Error::custom(format!(
            "`{text}` is no day; write it as `2026-03-01`"
        ))),
    }
}

fn moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DateTime>, D::Error> {
    let text = text_of(deserializer)?;
    match text.parse() {
        Ok(moment) if !text.ends_with('Z') && !text.contains('+') => Ok(Some(moment)),
        _ => Err(de::Error::custom(format!(
            "`{text}` is no local time; write it as `2026-12-20T00:00`, and the zone in `zone`"
        ))),
    }
}

fn week<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Week>, D::Error> {
    String::deserialize(deserializer)?
        .parse()
        .map(Some)
        .map_err(de::Error::custom)
}
