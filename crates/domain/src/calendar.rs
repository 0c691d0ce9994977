//! When something may be done: freezes, and the next copy of a sandbox.

use jiff::ToSpan;
use jiff::civil::{Date, DateTime};
use serde::Serialize;

use crate::config::{Freeze, Licence, Week, Window};
use crate::time::{Millis, Zone};

/// A freeze that holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Frozen {
    /// Its name.
    pub name: String,
    /// The first instant at which it does not hold any more.
    pub until: Millis,
}

/// The freeze that holds in an environment now; of several the one that ends last.
pub fn frozen(freezes: &[Freeze], environment: &str, now: Millis) -> Option<Frozen> {
    freezes
        .iter()
        .filter(|freeze| freeze.environments.is_empty() || freeze.environments.iter().any(|name| name == environment))
        .filter_map(|freeze| {
            let until = end(&freeze.window, &freeze.zone, now)?;
            Some(Frozen {
                name: freeze.name.clone(),
                until,
            })
        })
        .max_by_key(|frozen| frozen.until)
}

/// Windows that follow each other without a gap and are looked through.
const WINDOWS: usize = 1_000;

/// The first instant from now on at which no freeze holds in an environment; `None` when there is none to be seen.
pub fn opens_at(freezes: &[Freeze], environment: &str, now: Millis) -> Option<Millis> {
    let mut at = now;
    for _ in 0..WINDOWS {
        match frozen(freezes, environment, at) {
            None => return Some(at),
            Some(frozen) => at = frozen.until,
        }
    }
    None
}

/// The end of a window that holds now.
fn end(window: &Window, zone: &Zone, now: Millis) -> Option<Millis> {
    let within = |from: DateTime, to: DateTime| {
        let (from, to) = (zone.instant(from), zone.instant(to));
        (from <= now && now < to).then_some(to)
    };
    match window {
        Window::Once { from, to } => within(*from, *to),
        Window::Weekly(week) => {
            let today = zone.local(now).date();
            // The window began today or on one of the seven days before.
            (0..=7)
                .filter_map(|days| today.checked_sub(days.days()).ok())
                .find_map(|day| {
                    let (from, to) = span(week, day)?;
                    within(from, to)
                })
        }
    }
}

/// The window of a week that begins on a day.
fn span(week: &Week, day: Date) -> Option<(DateTime, DateTime)> {
    if day.weekday() != week.from.0 {
        return None;
    }
    let mut days = i32::from(week.from.0.until(week.to.0));
    if days == 0 && week.to.1 <= week.from.1 {
        days = 7;
    }
    let last = day.checked_add(days.days()).ok()?;
    Some((day.to_datetime(week.from.1), last.to_datetime(week.to.1)))
}

/// The first instant at which a sandbox may be copied anew. The interval counts from the request for the copy before.
pub fn next_refresh(licence: Licence, last: Millis) -> Millis {
    last.saturating_add(licence.refresh_interval().millis())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::time::{parse_instant, rfc3339};

    #[test]
    fn freezes() {
        let config = |windows: &str| {
            let text = format!("[environments.prod]\nbranch = \"main\"\nkind = \"production\"\n{windows}");
            Config::parse(&text).unwrap()
        };
        let check = |windows: &str, now: &str, expect: &str| {
            let config = config(windows);
            let now = parse_instant(now).unwrap();
            let found = frozen(&config.freezes, "prod", now)
                .map(|frozen| format!("{} until {}", frozen.name, rfc3339(frozen.until)));
            assert_eq!(found.as_deref().unwrap_or("open"), expect, "{windows} {now}");
        };
        let year_end = "[[freeze]]\nname = \"year\"\nenvironments = [\"prod\"]\nfrom = \"2026-12-20T00:00\"\nto = \"2027-01-05T00:00\"\nzone = \"Europe/Berlin\"";
        check(year_end, "2026-12-19T22:59:59Z", "open");
        check(year_end, "2026-12-19T23:00:00Z", "year until 2027-01-04T23:00:00Z");
        check(year_end, "2027-01-04T23:00:00Z", "open");
        let weekend = "[[freeze]]\nname = \"weekend\"\nevery = \"fri 18:00 .. mon 06:00\"\nzone = \"Europe/Berlin\"";
        check(weekend, "2026-03-27T16:59:59Z", "open");
        // Clocks change within: it ends at six in summer time.
        check(weekend, "2026-03-27T17:00:00Z", "weekend until 2026-03-30T04:00:00Z");
        check(weekend, "2026-03-30T03:59:59Z", "weekend until 2026-03-30T04:00:00Z");
        check(weekend, "2026-03-30T04:00:00Z", "open");
        let nightly = "[[freeze]]\nname = \"day\"\nevery = \"wed 08:00 .. wed 07:00\"";
        check(nightly, "2026-03-25T07:30:00Z", "open");
        check(nightly, "2026-03-25T06:30:00Z", "day until 2026-03-25T07:00:00Z");
        check(nightly, "2026-03-25T08:00:00Z", "day until 2026-04-01T07:00:00Z");
        let short = "[[freeze]]\nname = \"noon\"\nevery = \"wed 11:00 .. wed 13:00\"";
        check(short, "2026-03-25T12:00:00Z", "noon until 2026-03-25T13:00:00Z");
        check(short, "2026-03-26T12:00:00Z", "open");
        // The one that ends last.
        check(
            &format!("{weekend}\n{year_end}"),
            "2026-12-20T12:00:00Z",
            "year until 2027-01-04T23:00:00Z",
        );
    }

    #[test]
    fn the_next_open_moment() {
        let text = "[environments.prod]\nbranch = \"main\"\nkind = \"production\"\n\
            [environments.uat]\nbranch = \"uat\"\nkind = \"uat\"\n\
            [[freeze]]\nname = \"a\"\nevery = \"fri 18:00 .. mon 06:00\"\n\
            [[freeze]]\nname = \"b\"\nenvironments = [\"prod\"]\nfrom = \"2026-03-30T05:00\"\nto = \"2026-03-31T00:00\"\n";
        let config = Config::parse(text).unwrap();
        let check = |environment: &str, now: &str, expect: &str| {
            let at = opens_at(&config.freezes, environment, parse_instant(now).unwrap());
            assert_eq!(at.map(rfc3339).as_deref(), Some(expect));
        };
        check("prod", "2026-03-28T00:00:00Z", "2026-03-31T00:00:00Z");
        check("uat", "2026-03-28T00:00:00Z", "2026-03-30T06:00:00Z");
        check("uat", "2026-03-26T00:00:00Z", "2026-03-26T00:00:00Z");
        let always = "[[freeze]]\nname = \"a\"\nevery = \"mon 00:00 .. fri 00:00\"\n[[freeze]]\nname = \"b\"\nevery = \"thu 00:00 .. tue 00:00\"\n";
        let config = Config::parse(always).unwrap();
        assert_eq!(opens_at(&config.freezes, "prod", 0), None);
    }

    #[test]
    fn refreshes() {
        let check = |licence: Licence, expect: &str| {
            let last = parse_instant("2026-03-01T12:00:00Z").unwrap();
            assert_eq!(rfc3339(next_refresh(licence, last)), expect);
        };
        check(Licence::Full, "2026-03-30T12:00:00Z");
        check(Licence::Partial, "2026-03-06T12:00:00Z");
        check(Licence::Developer, "2026-03-02T12:00:00Z");
        check(Licence::DeveloperPro, "2026-03-02T12:00:00Z");
    }
}
