//! Instants, lengths of time and time zones. Zones come from a bundled table, so that every machine knows the same ones.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use serde::{Deserialize, Serialize};

/// An instant: milliseconds since 1970-01-01T00:00:00Z.
pub type Millis = i64;

/// A length of time. Its text is a number and a unit, several in a row: `90s`, `10m`, `48h`, `1d12h`, `250ms`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Duration(i64);

/// Units from the largest to the smallest, with their milliseconds.
const UNITS: [(&str, i64); 6] = [
    ("w", 7 * 86_400_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

impl Duration {
    /// A length in milliseconds; a negative one counts as none.
    pub const fn from_millis(millis: i64) -> Self {
        Self(if millis < 0 { 0 } else { millis })
    }

    /// Whole days of 24 hours.
    pub const fn days(days: i64) -> Self {
        Self::from_millis(days * 86_400_000)
    }

    /// Its milliseconds, never negative.
    pub const fn millis(self) -> i64 {
        self.0
    }
}

/// The text is no length of time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no length of time; write a number and a unit, for example `48h`, `10m` or `1d12h`")]
pub struct DurationError(String);

impl FromStr for Duration {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).map(Self).ok_or_else(|| DurationError(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<i64> {
    let mut rest = text;
    let mut total: i64 = 0;
    let mut largest = UNITS.len() + 1;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).filter(|at| *at > 0)?;
        let number: i64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let end = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let at = UNITS.iter().position(|(unit, _)| *unit == &rest[..end])?;
        // From the largest unit to the smallest, each once.
        let from_the_end = UNITS.len() - at;
        if from_the_end >= largest {
            return None;
        }
        largest = from_the_end;
        total = total.checked_add(number.checked_mul(UNITS[at].1)?)?;
        rest = &rest[end..];
    }
    (!text.is_empty()).then_some(total)
}

impl TryFrom<String> for Duration {
    type Error = DurationError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Duration> for String {
    fn from(duration: Duration) -> Self {
        duration.to_string()
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        if rest == 0 {
            return f.write_str("0s");
        }
        for (unit, millis) in UNITS {
            if unit == "w" || rest < millis {
                continue;
            }
            write!(f, "{}{unit}", rest / millis)?;
            rest %= millis;
        }
        Ok(())
    }
}

/// A time zone by its name in the IANA database, `Europe/Berlin`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone(TimeZone);

/// There is no such zone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no time zone `{0}`; write a name of the IANA database, for example `Europe/Berlin` or `UTC`")]
pub struct ZoneError(String);

impl FromStr for Zone {
    type Err = ZoneError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        if name == "UTC" {
            return Ok(Self::default());
        }
        TimeZoneDatabase::bundled()
            .get(name)
            .map(Self)
            .map_err(|_| ZoneError(name.to_owned()))
    }
}

impl Default for Zone {
    fn default() -> Self {
        Self(TimeZone::UTC)
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.iana_name().unwrap_or("UTC"))
    }
}

impl Serialize for Zone {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Zone {
    /// What clocks in the zone show.
    pub fn local(&self, at: Millis) -> DateTime {
        self.0.to_datetime(timestamp(at))
    }

    /// The instant at which clocks in the zone show a time. A time that a change of clocks leaves out counts as after
    /// the change by as much as it was past it; of a time that occurs twice the first is meant (RFC 5545, 3.3.5).
    pub fn instant(&self, local: DateTime) -> Millis {
        self.0
            .to_ambiguous_timestamp(local)
            .compatible()
            .map_or(Millis::MAX, Timestamp::as_millisecond)
    }

    pub(crate) fn zoned(&self, at: Millis) -> jiff::Zoned {
        timestamp(at).to_zoned(self.0.clone())
    }
}

/// An instant outside of the years that calendars know counts as the last or first that they do.
fn timestamp(at: Millis) -> Timestamp {
    Timestamp::from_millisecond(at).unwrap_or(if at < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

/// An instant in the form of RFC 3339, in UTC to the second: `2026-03-01T06:00:00Z`.
pub fn rfc3339(at: Millis) -> String {
    Zone::default().local(at).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Reads an instant in the form of RFC 3339 or of Salesforce's REST API (`2026-03-01T06:00:00.000+0000`).
pub fn parse_instant(text: &str) -> Option<Millis> {
    let rfc = text.parse::<Timestamp>().ok();
    let salesforce = || {
        jiff::fmt::strtime::parse("%Y-%m-%dT%H:%M:%S%.f%z", text)
            .ok()?
            .to_timestamp()
            .ok()
    };
    rfc.or_else(salesforce).map(Timestamp::as_millisecond)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_text() {
        let check = |text: &str, millis: i64, shown: &str| {
            let duration: Duration = text.parse().expect(text);
            assert_eq!((duration.millis(), duration.to_string().as_str()), (millis, shown));
        };
        check("48h", 172_800_000, "2d");
        check("10m", 600_000, "10m");
        check("1d12h", 129_600_000, "1d12h");
        check("1w", 604_800_000, "7d");
        check("0s", 0, "0s");
        check("1h250ms", 3_600_250, "1h250ms");
        for bad in [
            "",
            "h",
            "10",
            "10x",
            "-1h",
            "1h1h",
            "10m1h",
            "1.5h",
            " 1h",
            "99999999999999w",
        ] {
            assert!(bad.parse::<Duration>().is_err(), "{bad}");
        }
    }

    #[test]
    fn changes_of_clocks() {
        let check = |zone: &str, local: &str, expect: &str| {
            let zone: Zone = zone.parse().expect(zone);
            assert_eq!(rfc3339(zone.instant(local.parse().expect(local))), expect, "{local}");
        };
        check("Europe/Berlin", "2026-01-05T00:00", "2026-01-04T23:00:00Z");
        check("Europe/Berlin", "2026-07-05T00:00", "2026-07-04T22:00:00Z");
        check("Europe/Berlin", "2026-03-29T02:30", "2026-03-29T01:30:00Z");
        check("Europe/Berlin", "2026-10-25T02:30", "2026-10-25T00:30:00Z");
        check("UTC", "2026-10-25T02:30", "2026-10-25T02:30:00Z");
        assert!("Europe/Nowhere".parse::<Zone>().is_err());
        assert_eq!(
            "europe/berlin".parse::<Zone>().map(|zone| zone.to_string()),
            Ok("Europe/Berlin".to_owned())
        );
    }

    #[test]
    fn instants_are_read_in_both_forms() {
        for text in [
            "2026-03-01T06:00:00Z",
            "2026-03-01T06:00:00.000+0000",
            "2026-03-01T07:00:00+01:00",
        ] {
            assert_eq!(
                parse_instant(text).map(rfc3339).as_deref(),
                Some("2026-03-01T06:00:00Z"),
                "{text}"
            );
        }
        assert_eq!(parse_instant("yesterday"), None);
    }
}
