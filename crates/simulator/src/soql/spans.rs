//! The named spans of days: `TODAY`, `LAST_N_DAYS:3`, `NEXT_QUARTER`. In GMT; weeks begin on Sunday, fiscal years in January.

use crate::dates::{Day, civil, day_of};

/// The units, as the middle of the names writes them; a fiscal quarter or year is the calendar's.
const UNITS: &[(&str, Unit)] = &[
    ("DAY", Unit::Day),
    ("WEEK", Unit::Week),
    ("MONTH", Unit::Months(1)),
    ("QUARTER", Unit::Months(3)),
    ("YEAR", Unit::Months(12)),
    ("FISCAL_QUARTER", Unit::Months(3)),
    ("FISCAL_YEAR", Unit::Months(12)),
];

#[derive(Debug, Clone, Copy)]
enum Unit {
    Day,
    Week,
    Months(i64),
}

impl Unit {
    /// The first day of the unit that lies `away` units from the one `today` is in.
    fn start(self, today: Day, away: i64) -> Day {
        match self {
            Self::Day => today + away,
            // 1970-01-01 was a Thursday.
            Self::Week => today - (today + 4).rem_euclid(7) + 7 * away,
            Self::Months(n) => {
                let (year, month, _) = civil(today);
                day_of(year, (month - 1).div_euclid(n) * n + 1 + away * n, 1)
            }
        }
    }
}

/// Whether a bare word (in upper case) is a span.
pub fn is_named(word: &str) -> bool {
    span(word, None, 0).is_some()
}

/// The first day of a span and the day after its last; none if there is no such span. `word` in upper case.
pub fn span(word: &str, n: Option<i64>, today: Day) -> Option<(Day, Day)> {
    // Keeps the arithmetic far from overflow; Salesforce's own limit is lower.
    let n = match n {
        Some(n) if n > 100_000 => return None,
        n => n,
    };
    let units = |unit: Unit, from: i64, to: i64| Some((unit.start(today, from), unit.start(today, to)));
    let unit = |name: &str| UNITS.iter().find(|(known, _)| *known == name).map(|(_, unit)| *unit);
    match (word, n) {
        ("YESTERDAY", None) => return units(Unit::Day, -1, 0),
        ("TODAY", None) => return units(Unit::Day, 0, 1),
        ("TOMORROW", None) => return units(Unit::Day, 1, 2),
        ("LAST_90_DAYS", None) => return units(Unit::Day, -90, 1),
        ("NEXT_90_DAYS", None) => return units(Unit::Day, 1, 91),
        _ => {}
    }
    if let Some(n) = n {
        if let Some(name) = word.strip_suffix("S_AGO").and_then(|w| w.strip_prefix("N_")) {
            return units(unit(name)?, -n, 1 - n);
        }
        let (name, next) = match (word.strip_prefix("LAST_N_"), word.strip_prefix("NEXT_N_")) {
            (Some(rest), _) => (rest, false),
            (_, Some(rest)) => (rest, true),
            _ => return None,
        };
        return match (unit(name.strip_suffix('S')?)?, next) {
            (unit, true) => units(unit, 1, n + 1),
            // Days gone by include today, larger units leave out the present one.
            (Unit::Day, false) => units(Unit::Day, -n, 1),
            (unit, false) => units(unit, -n, 0),
        };
    }
    let (which, name) = word.split_once('_')?;
    let unit = unit(name).filter(|unit| !matches!(unit, Unit::Day))?;
    match which {
        "LAST" => units(unit, -1, 0),
        "THIS" => units(unit, 0, 1),
        "NEXT" => units(unit, 1, 2),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dates::{read_day, write_day};

    #[test]
    fn spans_begin_and_end_where_salesforce_has_them() {
        // A Monday.
        let today = read_day("2026-03-02").unwrap();
        let check = |word: &str, n: Option<i64>, from: &str, to: &str| {
            let (start, end) = span(word, n, today).unwrap_or_else(|| panic!("{word}"));
            assert_eq!(
                (write_day(start).as_str(), write_day(end).as_str()),
                (from, to),
                "{word}"
            );
        };
        check("YESTERDAY", None, "2026-03-01", "2026-03-02");
        check("TODAY", None, "2026-03-02", "2026-03-03");
        check("TOMORROW", None, "2026-03-03", "2026-03-04");
        check("THIS_WEEK", None, "2026-03-01", "2026-03-08");
        check("LAST_WEEK", None, "2026-02-22", "2026-03-01");
        check("NEXT_MONTH", None, "2026-04-01", "2026-05-01");
        check("LAST_QUARTER", None, "2025-10-01", "2026-01-01");
        check("THIS_FISCAL_YEAR", None, "2026-01-01", "2027-01-01");
        check("LAST_90_DAYS", None, "2025-12-02", "2026-03-03");
        check("LAST_N_DAYS", Some(3), "2026-02-27", "2026-03-03");
        check("NEXT_N_DAYS", Some(3), "2026-03-03", "2026-03-06");
        check("N_DAYS_AGO", Some(2), "2026-02-28", "2026-03-01");
        check("LAST_N_WEEKS", Some(2), "2026-02-15", "2026-03-01");
        check("N_MONTHS_AGO", Some(3), "2025-12-01", "2026-01-01");
        check("NEXT_N_QUARTERS", Some(1), "2026-04-01", "2026-07-01");
        check("LAST_N_FISCAL_YEARS", Some(2), "2024-01-01", "2026-01-01");
        for word in ["LAST_DAY", "SOMETIME", "LAST_N_DAYS", "N_DAYS_AGO", "THIS_DECADE"] {
            assert!(!is_named(word), "{word}");
        }
    }
}
