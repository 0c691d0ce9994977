//! Runs commands, times them in turns and sums up the times.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A command with what counts as success.
#[derive(Clone, Debug)]
pub(super) struct Run {
    program: PathBuf,
    arguments: Vec<String>,
    folder: PathBuf,
    accepted: Vec<i32>,
    stdout: Option<PathBuf>,
    environment: Vec<(String, String)>,
}

/// GNU time tells processor time in such steps.
const CPU_STEP: Duration = Duration::from_millis(10);

/// What a process took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Usage {
    /// From start to end.
    pub(super) wall: Duration,
    /// In user mode and in the kernel, in steps of 10 ms and at least one; processes that it waited for are counted.
    pub(super) cpu: Duration,
    /// Peak memory in bytes.
    pub(super) memory: u64,
}

impl Usage {
    /// What two processes took that run one after the other.
    pub(super) fn then(self, next: Self) -> Self {
        Self {
            wall: self.wall + next.wall,
            cpu: self.cpu + next.cpu,
            memory: self.memory.max(next.memory),
        }
    }
}

impl Run {
    /// A command that has to exit with 0.
    pub(super) fn new(program: impl Into<PathBuf>, folder: &Path) -> Self {
        Self {
            program: program.into(),
            arguments: Vec::new(),
            folder: folder.to_owned(),
            accepted: vec![0],
            stdout: None,
            environment: Vec::new(),
        }
    }

    /// Sets an environment variable.
    pub(super) fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds arguments.
    pub(super) fn args<T: Into<String>>(mut self, arguments: impl IntoIterator<Item = T>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Exit codes that count as success.
    pub(super) fn accept(mut self, codes: impl IntoIterator<Item = i32>) -> Self {
        self.accepted = codes.into_iter().collect();
        self
    }

    /// Writes standard output to a file.
    pub(super) fn stdout_to(mut self, path: &Path) -> Self {
        self.stdout = Some(path.to_owned());
        self
    }

    /// Runs it; gives the wall time from start to end and its output (none where it goes to a file).
    pub(super) fn timed(&self) -> Result<(Duration, Vec<u8>), String> {
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .current_dir(&self.folder)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        if let Some(path) = &self.stdout {
            command.stdout(std::fs::File::create(path).map_err(|error| format!("{}: {error}", path.display()))?);
        }
        let started = Instant::now();
        let output = command
            .stderr(Stdio::piped())
            .output()
            .map_err(|error| format!("{}: {error}", self.shown()))?;
        let elapsed = started.elapsed();
        if output.status.code().is_some_and(|code| self.accepted.contains(&code)) {
            return Ok((elapsed, output.stdout));
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.trim().lines().last().unwrap_or("no message").to_owned();
        Err(format!("`{}` ended with {}: {said}", self.shown(), output.status))
    }

    /// Runs it for its output.
    pub(super) fn output(&self) -> Result<String, String> {
        self.timed()
            .map(|(_, output)| String::from_utf8_lossy(&output).trim().to_owned())
    }

    /// Runs it for its effect.
    pub(super) fn go(&self) -> Result<(), String> {
        self.timed().map(drop)
    }

    /// Runs it; gives what the process took, by GNU time, and its output.
    pub(super) fn used(&self, scratch: &Path) -> Result<(Usage, Vec<u8>), String> {
        let report = scratch.join("usage.txt");
        let mut wrapped = self.clone();
        wrapped.program = "/usr/bin/time".into();
        wrapped.arguments = ["-f", "%U %S %M", "-o", &report.display().to_string()]
            .into_iter()
            .map(str::to_owned)
            .chain([self.program.display().to_string()])
            .chain(self.arguments.iter().cloned())
            .collect();
        let (wall, output) = wrapped
            .timed()
            .map_err(|why| why.replace(&wrapped.shown(), &self.shown()))?;
        let text = std::fs::read_to_string(&report).map_err(|error| format!("no report of /usr/bin/time: {error}"))?;
        // Where the exit code is not 0, a line about it stands before the figures.
        let figures: Vec<f64> = text
            .lines()
            .last()
            .unwrap_or_default()
            .split_whitespace()
            .filter_map(|word| word.parse().ok())
            .collect();
        let [user, system, kilobytes] = figures[..] else {
            return Err(format!("/usr/bin/time wrote {text:?}"));
        };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole kilobytes")]
        let memory = kilobytes as u64 * 1024;
        let cpu = Duration::from_secs_f64(user + system).max(CPU_STEP);
        Ok((Usage { wall, cpu, memory }, output))
    }

    fn shown(&self) -> String {
        let name = self
            .program
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let words = std::iter::once(name).chain(self.arguments.iter().take(3).map(|word| {
            Path::new(word)
                .file_name()
                .map_or_else(|| word.clone(), |name| name.to_string_lossy().into_owned())
        }));
        words.collect::<Vec<_>>().join(" ")
    }
}

/// Median and spread of times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spread {
    /// Half of the runs took less.
    pub(super) median: Duration,
    /// A tenth of the runs took less.
    pub(super) low: Duration,
    /// Nine tenths of the runs took less.
    pub(super) high: Duration,
}

impl Spread {
    /// Sums up times; none where there is no time.
    pub(super) fn of(mut times: Vec<Duration>) -> Option<Self> {
        times.sort_unstable();
        let last = times.len().checked_sub(1)?;
        let at = |percent: usize| times[(last * percent + 50) / 100];
        Some(Self {
            median: at(50),
            low: at(10),
            high: at(90),
        })
    }

    /// `12.3 ms (11.9–13.0)`.
    pub(super) fn shown(&self) -> String {
        let ms = |time: Duration| format!("{:.1}", time.as_secs_f64() * 1000.0);
        format!("{} ms ({}–{})", ms(self.median), ms(self.low), ms(self.high))
    }
}

/// `12.3 MB`.
pub(super) fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1_048_576.0)
}

/// Something that is measured; called once a round.
pub(super) type Contender<'a, T = Duration> = Box<dyn FnMut() -> Result<T, String> + 'a>;

/// Measures contenders in turns, so that what slows the machine down slows down all; the first round does not count.
/// Each has its own outcome: the failure of one leaves the figures of the others.
pub(super) fn in_turns<T>(rounds: usize, mut contenders: Vec<Contender<'_, T>>) -> Vec<Result<Vec<T>, String>> {
    let mut found: Vec<Result<Vec<T>, String>> = contenders.iter().map(|_| Ok(Vec::new())).collect();
    for round in 0..=rounds {
        for (contender, found) in contenders.iter_mut().zip(&mut found) {
            let Ok(taken) = found else { continue };
            match contender() {
                Ok(figure) if round > 0 => taken.push(figure),
                Ok(_) => {}
                Err(error) => *found = Err(error),
            }
        }
    }
    found
}

/// Times contenders in turns and sums up their times.
pub(super) fn race(rounds: usize, contenders: Vec<Contender<'_>>) -> Vec<Result<Spread, String>> {
    in_turns(rounds, contenders)
        .into_iter()
        .map(|times| times.and_then(|times| Spread::of(times).ok_or_else(|| "no runs".to_owned())))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Contender, Run, Spread, race};
    use std::time::Duration;

    #[test]
    fn median_and_tenths_are_taken_from_the_sorted_times() {
        let times = (1..=11).rev().map(Duration::from_millis).collect();
        let spread = Spread::of(times).expect("eleven times");
        assert_eq!(spread.shown(), "6.0 ms (2.0–10.0)");
        assert_eq!(Spread::of(Vec::new()), None);
    }

    #[test]
    fn one_failure_leaves_the_other_figures() {
        let fine: Contender<'_> = Box::new(|| Ok(Duration::from_millis(2)));
        let broken: Contender<'_> = Box::new(|| Err("no such command".to_owned()));
        let outcome = race(3, vec![fine, broken]);
        assert_eq!(
            outcome[0].as_ref().map(Spread::shown),
            Ok("2.0 ms (2.0–2.0)".to_owned())
        );
        assert_eq!(outcome[1], Err("no such command".to_owned()));
    }

    #[test]
    fn what_a_process_took_comes_with_its_output() {
        let scratch = tempfile::tempdir().expect("a folder");
        let run = Run::new("sh", scratch.path())
            .args(["-c", "echo $WORD; exit 3"])
            .env("WORD", "said")
            .accept([3]);
        let (usage, output) = run.used(scratch.path()).expect("it runs");
        assert_eq!(output, b"said\n");
        assert!(usage.memory > 0 && !usage.wall.is_zero());
        let sum = usage.then(usage);
        assert_eq!((sum.wall, sum.memory), (usage.wall * 2, usage.memory));
        let why = run.accept([0]).used(scratch.path()).expect_err("the code is 3");
        assert!(why.starts_with("`sh -c"), "{why}");
    }
}
