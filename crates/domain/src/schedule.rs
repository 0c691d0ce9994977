//! When something is due that happens at regular times.

use std::fmt;
use std::str::FromStr;

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use serde::{Deserialize, Serialize};

use crate::time::{Millis, Zone};

/// A cron expression of five fields, minute first: `0 6 * * 1-5`. Nicknames such as `@daily` are known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CronExpression {
    text: String,
    cron: Box<Cron>,
}

/// The text is no cron expression.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{text}` is no cron expression ({reason}); write minute, hour, day, month and day of the week, for example `0 6 * * 1-5`"
)]
pub struct CronExpressionError {
    text: String,
    reason: String,
}

impl FromStr for CronExpression {
    type Err = CronExpressionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parser = CronParser::builder()
            .seconds(Seconds::Disallowed)
            .year(Year::Disallowed)
            .build();
        match parser.parse(text) {
            Ok(cron) => Ok(Self {
                text: text.to_owned(),
                cron: Box::new(cron),
            }),
            Err(error) => Err(CronExpressionError {
                text: text.to_owned(),
                reason: error.to_string().trim_end_matches('.').to_owned(),
            }),
        }
    }
}

impl TryFrom<String> for CronExpression {
    type Error = CronExpressionError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<CronExpression> for String {
    fn from(expression: CronExpression) -> Self {
        expression.text
    }
}

impl fmt::Display for CronExpression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Regular times in a zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Schedule {
    /// When.
    pub cron: CronExpression,
    /// Whose clocks count.
    pub zone: Zone,
}

impl Schedule {
    /// The first due instant after `after`; `None` when there is none, as for 30 February.
    ///
    /// A time of day that a change of clocks leaves out is due right after the change, and one that occurs twice is due
    /// once, the first time; what is due every hour or oftener is due in every hour that passes.
    pub fn next(&self, after: Millis) -> Option<Millis> {
        let after = self.zone.zoned(after);
        let next = self.cron.cron.find_next_occurrence(&after, false).ok()?;
        Some(next.timestamp().as_millisecond())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{parse_instant, rfc3339};

    fn due(cron: &str, zone: &str, after: &str, count: usize) -> String {
        let schedule = Schedule {
            cron: cron.parse().expect(cron),
            zone: zone.parse().expect(zone),
        };
        let mut at = parse_instant(after).expect(after);
        let mut list = Vec::new();
        while list.len() < count {
            match schedule.next(at) {
                Some(next) => at = next,
                None => break,
            }
            list.push(rfc3339(at));
        }
        list.join(" ")
    }

    #[test]
    fn is_due() {
        let check = |cron: &str, zone: &str, after: &str, expect: &str| {
            assert_eq!(
                due(cron, zone, after, expect.split(' ').count()),
                expect,
                "{cron} {zone} {after}"
            );
        };
        check(
            "0 6 * * 1-5",
            "UTC",
            "2026-03-06T05:59:59Z",
            "2026-03-06T06:00:00Z 2026-03-09T06:00:00Z",
        );
        check("0 6 * * 1-5", "UTC", "2026-03-06T06:00:00Z", "2026-03-09T06:00:00Z");
        // Six o'clock in Berlin, winter and summer.
        check(
            "0 6 * * *",
            "Europe/Berlin",
            "2026-03-28T00:00:00Z",
            "2026-03-28T05:00:00Z 2026-03-29T04:00:00Z",
        );
        // 02:30 does not exist on the 29th.
        check(
            "30 2 * * *",
            "Europe/Berlin",
            "2026-03-28T12:00:00Z",
            "2026-03-29T01:00:00Z 2026-03-30T00:30:00Z",
        );
        // 02:30 occurs twice on the 25th.
        check(
            "30 2 * * *",
            "Europe/Berlin",
            "2026-10-24T12:00:00Z",
            "2026-10-25T00:30:00Z 2026-10-26T01:30:00Z",
        );
        // Hourly work is done in both of the hours that clocks call two.
        check(
            "0 * * * *",
            "Europe/Berlin",
            "2026-10-24T23:30:00Z",
            "2026-10-25T00:00:00Z 2026-10-25T01:00:00Z 2026-10-25T02:00:00Z",
        );
        check(
            "*/20 * * * *",
            "America/New_York",
            "2026-03-08T06:30:00Z",
            "2026-03-08T06:40:00Z 2026-03-08T07:00:00Z",
        );
        check("@daily", "UTC", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z");
    }

    #[test]
    fn what_is_never_due() {
        assert_eq!(due("0 0 30 2 *", "UTC", "2026-01-01T00:00:00Z", 1), "");
        for bad in ["", "0 6 * *", "0 0 6 * * *", "61 * * * *", "six"] {
            let error = bad.parse::<CronExpression>().expect_err(bad).to_string();
            assert!(error.contains("is no cron expression"), "{error}");
        }
    }
}
