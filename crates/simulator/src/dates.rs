//! Days, months and how Salesforce writes moments. All in GMT; no time zone is kept.

use crate::clock::Millis;

/// Milliseconds of a day.
pub const DAY: Millis = 86_400_000;

/// Days since 1970-01-01.
pub type Day = i64;

/// Year, month (1 to 12) and day of the month.
pub fn civil(day: Day) -> (i64, i64, i64) {
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, of_year - (153 * shifted_month + 2) / 5 + 1)
}

/// The day of a year, month and day of the month; the month may be past the year's end on either side.
pub fn day_of(year: i64, month: i64, day: i64) -> Day {
    let year = year + (month - 1).div_euclid(12);
    let month = (month - 1).rem_euclid(12) + 1;
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year - 719_468
}

/// The day a moment falls on.
pub fn day_at(moment: Millis) -> Day {
    moment.div_euclid(DAY)
}

/// `2026-03-02`
pub fn write_day(day: Day) -> String {
    let (year, month, day) = civil(day);
    format!("{year:04}-{month:02}-{day:02}")
}

/// `2026-03-02T10:15:30.000` and whatever zone the surface writes: `+0000` in REST, `Z` in SOAP and Bulk CSV.
pub fn write_moment(moment: Millis, zone: &str) -> String {
    let (seconds, millis) = (moment.rem_euclid(DAY) / 1000, moment.rem_euclid(1000));
    format!(
        "{}T{:02}:{:02}:{:02}.{millis:03}{zone}",
        write_day(day_at(moment)),
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}

/// Reads `2026-03-02`; none if there is no such day.
pub fn read_day(text: &str) -> Option<Day> {
    let part = |from: usize, to: usize| {
        let part = text.get(from..to)?;
        part.bytes()
            .all(|b| b.is_ascii_digit())
            .then(|| part.parse::<i64>().ok())?
    };
    if text.len() != 10 || text.as_bytes()[4] != b'-' || text.as_bytes()[7] != b'-' {
        return None;
    }
    let (year, month, day) = (part(0, 4)?, part(5, 7)?, part(8, 10)?);
    let known = day_of(year, month, day);
    (civil(known) == (year, month, day)).then_some(known)
}

/// Reads `2026-03-02T10:15:30Z`, with or without fractions, with `Z`, `+01:00` or `+0100`.
pub fn read_moment(text: &str) -> Option<Millis> {
    let (date, time) = text.split_once(['T', 't'])?;
    let day = read_day(date)?;
    let zone_at = time.find(['Z', 'z', '+', '-'])?;
    let (clock, zone) = time.split_at(zone_at);
    let offset = match zone {
        "Z" | "z" => 0,
        _ => {
            let digits: String = zone[1..].chars().filter(|c| *c != ':').collect();
            let (hours, minutes) = (
                digits.get(..2)?.parse::<i64>().ok()?,
                digits.get(2..)?.parse::<i64>().ok()?,
            );
            if digits.len() != 4 || hours > 23 || minutes > 59 {
                return None;
            }
            let offset = (hours * 60 + minutes) * 60_000;
            if zone.starts_with('-') { -offset } else { offset }
        }
    };
    Some(day * DAY + read_clock(clock)? - offset)
}

/// Milliseconds since midnight of `10:15`, `10:15:30` or `10:15:30.250`.
pub fn read_clock(text: &str) -> Option<Millis> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = whole
        .split(':')
        .map(|part| (part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit())).then(|| part.parse::<i64>().ok())?);
    let hours = parts.next()??;
    let minutes = parts.next()??;
    let seconds = parts.next().map_or(Some(0), |part| part)?;
    if parts.next().is_some() || hours > 23 || minutes > 59 || seconds > 59 {
        return None;
    }
    if !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let millis: i64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    Some(((hours * 60 + minutes) * 60 + seconds) * 1000 + millis)
}

const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// `Mon, 02 Mar 2026 10:15:30 GMT`, as HTTP headers have it.
pub fn write_http(moment: Millis) -> String {
    let day = day_at(moment);
    let (year, month, of_month) = civil(day);
    let weekday = WEEKDAYS[usize::try_from(day.rem_euclid(7)).unwrap_or(0)];
    let month = MONTHS[usize::try_from(month - 1).unwrap_or(0)];
    let clock = write_moment(moment, "");
    format!("{weekday}, {of_month:02} {month} {year:04} {} GMT", &clock[11..19])
}

/// Reads what [`write_http`] writes.
pub fn read_http(text: &str) -> Option<Millis> {
    let mut words = text.split_once(',')?.1.split_ascii_whitespace();
    let of_month: i64 = words.next()?.parse().ok()?;
    let month = words.next()?;
    let month = MONTHS.iter().position(|known| known.eq_ignore_ascii_case(month))?;
    let year: i64 = words.next()?.parse().ok()?;
    let clock = read_clock(words.next()?)?;
    Some(day_of(year, i64::try_from(month).ok()? + 1, of_month) * DAY + clock)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_go_there_and_back() {
        for day in -800_000..800_000 {
            let (year, month, of_month) = civil(day);
            assert_eq!(day_of(year, month, of_month), day);
        }
        assert_eq!(day_of(2026, 13, 1), day_of(2027, 1, 1));
        assert_eq!(day_of(2026, 0, 1), day_of(2025, 12, 1));
    }

    #[test]
    fn moments_are_read_in_every_form() {
        let moment = 1_772_446_530_123;
        assert_eq!(write_moment(moment, "+0000"), "2026-03-02T10:15:30.123+0000");
        for text in [
            "2026-03-02T10:15:30.123Z",
            "2026-03-02T11:15:30.123+01:00",
            "2026-03-02T09:15:30.123456-0100",
        ] {
            assert_eq!(read_moment(text), Some(moment), "{text}");
        }
        assert_eq!(write_http(moment), "Mon, 02 Mar 2026 10:15:30 GMT");
        assert_eq!(read_http("Mon, 02 Mar 2026 10:15:30 GMT"), Some(moment - 123));
        for text in ["2026-02-30", "2026-3-2", "20260302", "+026-03-02"] {
            assert_eq!(read_day(text), None, "{text}");
        }
        for text in ["2026-03-02T24:00:00Z", "2026-03-02T10:15:30", "2026-03-02 10:15:30Z"] {
            assert_eq!(read_moment(text), None, "{text}");
        }
    }
}
