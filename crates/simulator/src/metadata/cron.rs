//! Cron expressions of scheduled jobs: `Sec Min Hour DayOfMonth Month DayOfWeek [Year]`, in GMT.

use crate::clock::{Millis, civil};

const MONTHS: [&str; 12] = [
    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
];
const DAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

const DAY: Millis = 86_400_000;
/// How far ahead is looked: four years and a day.
const HORIZON: i64 = 1_462;

/// The first moment after `now` that an expression names; none for an illegal or a past one.
pub(super) fn next(expression: &str, now: Millis) -> Option<Millis> {
    let fields: Vec<&str> = expression.split_whitespace().collect();
    let [second, minute, hour, day, month, weekday, year @ ..] = fields.as_slice() else {
        return None;
    };
    if year.len() > 1 || (*day == "?") == (*weekday == "?") && *day == "?" {
        return None;
    }
    let second = set(second, 0, 59, &[])?;
    let minute = set(minute, 0, 59, &[])?;
    let hour = set(hour, 0, 23, &[])?;
    let last = *day == "L";
    let day = if last { Vec::new() } else { set(day, 1, 31, &[])? };
    let month = set(month, 1, 12, &MONTHS)?;
    let weekday = set(weekday, 1, 7, &DAYS)?;
    let year = match year.first() {
        Some(year) => Some(set(year, 1970, 2099, &[])?),
        None => None,
    };
    let today = now.div_euclid(DAY);
    for date in today..today + HORIZON {
        let (y, m, d) = civil(date);
        let is_last = civil(date + 1).2 == 1;
        // 1970-01-01 was a Thursday, the fifth day of the week.
        let w = (date + 4).rem_euclid(7) + 1;
        let fits = |set: &[u32], value: i64| set.iter().any(|one| i64::from(*one) == value);
        let day_fits = if last { is_last } else { fits(&day, d) };
        if !day_fits || !fits(&month, m) || !fits(&weekday, w) || year.as_ref().is_some_and(|year| !fits(year, y)) {
            continue;
        }
        for h in &hour {
            for min in &minute {
                for s in &second {
                    let at = date * DAY + Millis::from((h * 60 + min) * 60 + s) * 1000;
                    if at > now {
                        return Some(at);
                    }
                }
            }
        }
    }
    None
}

/// The values of a field: `*`, `?`, `5`, `1-5`, `0/15`, `MON-FRI`, and lists of these.
fn set(field: &str, low: u32, high: u32, names: &[&str]) -> Option<Vec<u32>> {
    let value = |text: &str| -> Option<u32> {
        let named = names.iter().position(|name| name.eq_ignore_ascii_case(text));
        let number = match named {
            Some(at) => u32::try_from(at).ok()? + 1,
            None => text.parse().ok()?,
        };
        (low..=high).contains(&number).then_some(number)
    };
    let mut found = Vec::new();
    for part in field.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, Some(step.parse::<usize>().ok().filter(|step| *step > 0)?)),
            None => (part, None),
        };
        let (from, to) = match range.split_once('-') {
            Some((from, to)) => (value(from)?, value(to)?),
            None if range == "*" || range == "?" => (low, high),
            None if step.is_some() => (value(range)?, high),
            None => (value(range)?, value(range)?),
        };
        if from > to {
            return None;
        }
        found.extend((from..=to).step_by(step.unwrap_or(1)));
    }
    found.sort_unstable();
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{STEPPED_START, iso};

    #[test]
    fn next_times() {
        // 2026-03-02 is a Monday; the clock says 10:00.
        let check = |expression: &str, expect: Option<&str>| {
            let found = next(expression, STEPPED_START).map(|at| iso(at)[..16].to_owned());
            assert_eq!(found.as_deref(), expect, "{expression}");
        };
        check("0 0 1 * * ?", Some("2026-03-03T01:00"));
        check("0 30 10 * * ?", Some("2026-03-02T10:30"));
        check("0 0 2 ? * SAT", Some("2026-03-07T02:00"));
        check("0 0 2 ? * MON-FRI", Some("2026-03-03T02:00"));
        check("0 0 0 1 JAN ? 2027", Some("2027-01-01T00:00"));
        check("0 0 0 L * ?", Some("2026-03-31T00:00"));
        check("0 0/15 * * * ?", Some("2026-03-02T10:15"));
        check("0 0 0 1 1 ? 2020", None);
        check("0 0 25 * * ?", None);
        check("0 0 1 * *", None);
        check("nonsense", None);
    }
}
