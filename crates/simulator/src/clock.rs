//! Simulated time: what every org calls "now".

use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970-01-01 UTC.
pub type Millis = i64;

/// How simulated time passes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pace {
    /// Real time, but whatever waits happens before the next request: a client never polls twice.
    Fast,
    /// Real time.
    Real,
    /// Real time, so many times faster.
    Times(f64),
    /// Stands still until it is set or stepped.
    Stepped,
}

impl std::fmt::Display for Pace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Fast => f.write_str("fast"),
            Self::Real => f.write_str("real"),
            Self::Times(n) => write!(f, "x{n}"),
            Self::Stepped => f.write_str("stepped"),
        }
    }
}

impl std::str::FromStr for Pace {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "fast" => Ok(Self::Fast),
            "real" => Ok(Self::Real),
            "stepped" => Ok(Self::Stepped),
            _ => text
                .strip_prefix("times ")
                .or_else(|| text.strip_prefix('x'))
                .and_then(|n| n.parse::<f64>().ok())
                .filter(|n| *n > 0.0 && n.is_finite())
                .map(Self::Times)
                .ok_or_else(|| format!("`{text}` is no clock; write fast, real, stepped or x60 (60 times real time)")),
        }
    }
}

/// The clock of a world. All orgs share it.
#[derive(Debug)]
pub struct Clock {
    pace: Mutex<Pace>,
    /// Simulated time minus (paced) real time.
    offset: AtomicI64,
    started: Millis,
}

/// Where a stepped clock begins: 2026-03-02T10:00:00Z.
pub const STEPPED_START: Millis = 1_772_445_600_000;

impl Clock {
    /// A clock of this pace that begins at `start`, or at the real time when none is given.
    pub fn new(pace: Pace, start: Option<Millis>) -> Self {
        let started = wall();
        let clock = Self {
            pace: Mutex::new(pace),
            offset: AtomicI64::new(0),
            started,
        };
        let start = start.or((pace == Pace::Stepped).then_some(STEPPED_START));
        if let Some(start) = start {
            clock.set(start);
        }
        clock
    }

    /// The pace of the clock.
    pub fn pace(&self) -> Pace {
        *self.pace.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Goes on at another pace from where the clock stands.
    pub fn set_pace(&self, pace: Pace) {
        let now = self.now();
        *self.pace.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = pace;
        self.set(now);
    }

    /// Where the clock stands, for [`Clock::resume`].
    pub fn state(&self) -> String {
        format!("{} {}", self.now(), wall())
    }

    /// Where a clock of this pace stands now that had this state.
    pub fn resume(pace: Pace, state: &str) -> Option<Millis> {
        let (now, at) = state.split_once(' ')?;
        let (now, at): (Millis, Millis) = (now.parse().ok()?, at.parse().ok()?);
        let passed = (wall() - at).max(0);
        Some(match pace {
            Pace::Stepped => now,
            Pace::Fast | Pace::Real => now + passed,
            #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
            Pace::Times(n) => now + (passed as f64 * n) as Millis,
        })
    }

    /// The simulated time.
    pub fn now(&self) -> Millis {
        self.paced() + self.offset.load(Ordering::SeqCst)
    }

    /// Sets the simulated time.
    pub fn set(&self, to: Millis) {
        self.offset.store(to - self.paced(), Ordering::SeqCst);
    }

    /// Moves the simulated time on.
    pub fn step(&self, by: Millis) {
        self.offset.fetch_add(by, Ordering::SeqCst);
    }

    /// Moves the simulated time on to `to` unless it is past that already.
    pub fn reach(&self, to: Millis) {
        let ahead = to - self.now();
        if ahead > 0 {
            self.step(ahead);
        }
    }

    fn paced(&self) -> Millis {
        let real = wall() - self.started;
        match self.pace() {
            Pace::Fast | Pace::Real => self.started + real,
            #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
            Pace::Times(n) => self.started + (real as f64 * n) as i64,
            Pace::Stepped => self.started,
        }
    }
}

/// A moment as the REST API writes it: `2026-03-02T10:15:30.000+0000`.
pub fn iso(at: Millis) -> String {
    let (days, rest) = (at.div_euclid(86_400_000), at.rem_euclid(86_400_000));
    let (year, month, day) = civil(days);
    let (hours, minutes, seconds) = (rest / 3_600_000, rest / 60_000 % 60, rest / 1000 % 60);
    format!(
        "{year:04}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{seconds:02}.{:03}+0000",
        rest % 1000
    )
}

/// Year, month and day of a number of days since 1970-01-01.
pub fn civil(days: i64) -> (i64, i64, i64) {
    // Years begin in March here, so that the leap day comes last; 146,097 days are 400 years.
    let shifted = days + 719_468;
    let (era, in_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year = (in_era - in_era / 1460 + in_era / 36_524 - in_era / 146_096) / 365;
    let in_year = in_era - (365 * year + year / 4 - year / 100);
    let month = (5 * in_year + 2) / 153;
    let day = in_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year + i64::from(month <= 2), month, day)
}

fn wall() -> Millis {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_as_the_api_does() {
        assert_eq!(iso(STEPPED_START), "2026-03-02T10:00:00.000+0000");
        assert_eq!(iso(951_782_400_123), "2000-02-29T00:00:00.123+0000");
        assert_eq!(iso(-1), "1969-12-31T23:59:59.999+0000");
    }
}
