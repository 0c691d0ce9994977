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

fn wall() -> Millis {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX))
}
