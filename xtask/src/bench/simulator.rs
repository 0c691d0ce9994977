//! The default simulator: its start, and many connections at once.

use super::Bench;
use super::measure::{Contender, race};
use super::report::Row;
use super::world::World;
use std::time::{Duration, Instant};

/// Milliseconds from the start of the process to the line about the orgs.
const START: u64 = 300;
const CONNECTIONS: usize = 500;

/// Runs the benchmark.
pub(super) fn run(bench: &mut Bench) -> Vec<Row> {
    let start = "simulator, from its start to the line about three orgs";
    let many = format!("simulator, {CONNECTIONS} connections at once, a GET on each");
    vec![
        started(bench, start).unwrap_or_else(|why| Row::failed(start, why)),
        connected(bench, &many).unwrap_or_else(|why| Row::failed(&many, why)),
    ]
}

fn none() -> String {
    "–".to_owned()
}

fn only(outcome: Vec<Result<super::measure::Spread, String>>) -> Result<super::measure::Spread, String> {
    outcome.into_iter().next().unwrap_or_else(|| Err("no runs".to_owned()))
}

fn started(bench: &Bench, title: &str) -> Result<Row, String> {
    let start: Contender<'_> = Box::new(|| World::start(bench, None, None).map(|world| world.started));
    let spread = only(race(bench.rounds(20), vec![start]))?;
    let met = spread.median < Duration::from_millis(START);
    Ok(Row::limit(title, spread.shown(), none(), format!("< {START} ms"), met))
}

fn connected(bench: &Bench, title: &str) -> Result<Row, String> {
    let world = World::start(bench, None, None)?;
    let org = world.org("prod")?;
    let get: Contender<'_> = Box::new(|| {
        let began = Instant::now();
        // All are open before the first request is sent.
        let streams = (0..CONNECTIONS).map(|_| org.connect()).collect::<Result<Vec<_>, _>>()?;
        let statuses = std::thread::scope(|scope| {
            let asked: Vec<_> = streams
                .into_iter()
                .map(|stream| scope.spawn(|| org.get(stream, "/services/data/v67.0/limits").map(|(status, _)| status)))
                .collect();
            asked
                .into_iter()
                .map(|thread| thread.join().unwrap_or_else(|_| Err("a thread ended early".to_owned())))
                .collect::<Result<Vec<_>, _>>()
        })?;
        let elapsed = began.elapsed();
        match statuses.iter().find(|status| **status != 200) {
            Some(status) => Err(format!("a request was answered with {status}")),
            None => Ok(elapsed),
        }
    });
    let spread = only(race(bench.rounds(10), vec![get]))?;
    let target = "all answered with 200".to_owned();
    Ok(Row::limit(title, spread.shown(), none(), target, true))
}
