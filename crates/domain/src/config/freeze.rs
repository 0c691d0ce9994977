//! Times in which nothing is deployed.

use std::str::FromStr;

use jiff::civil::{DateTime, Time, Weekday};
use serde::Serialize;

use crate::time::Zone;

/// An entry of `[[freeze]]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Freeze {
    /// How people call it.
    pub name: String,
    /// Where it holds; empty for everywhere.
    pub environments: Vec<String>,
    /// Whose clocks count.
    pub zone: Zone,
    /// When.
    pub window: Window,
}

/// When a freeze holds. The end is not part of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Window {
    /// Once.
    Once {
        /// The first moment.
        from: DateTime,
        /// The first moment after it.
        to: DateTime,
    },
    /// Every week.
    Weekly(Week),
}

/// A span of every week: `fri 18:00 .. mon 06:00`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Week {
    /// Day and time of the first moment.
    #[serde(serialize_with = "day_and_time")]
    pub from: (Weekday, Time),
    /// Day and time of the first moment after it.
    #[serde(serialize_with = "day_and_time")]
    pub to: (Weekday, Time),
}

const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

/// The text is no span of a week.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no span of a week; write two days with times, for example `fri 18:00 .. mon 06:00`")]
pub struct WeekError(String);

impl FromStr for Week {
    type Err = WeekError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).ok_or_else(|| WeekError(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<Week> {
    let (from, to) = text.split_once("..")?;
    let week = Week {
        from: moment(from)?,
        to: moment(to)?,
    };
    (week.from != week.to).then_some(week)
}

fn moment(text: &str) -> Option<(Weekday, Time)> {
    let (day, time) = text.trim().split_once(' ')?;
    let day = DAYS.iter().find(|(name, _)| day.eq_ignore_ascii_case(name))?.1;
    Some((day, time.trim().parse().ok()?))
}

fn day_and_time<S: serde::Serializer>(moment: &(Weekday, Time), serializer: S) -> Result<S::Ok, S::Error> {
    let day = DAYS
        .iter()
        .find(|(_, day)| *day == moment.0)
        .map_or("", |(name, _)| name);
    serializer.collect_str(&format_args!("{day} {}", moment.1.strftime("%H:%M")))
}
