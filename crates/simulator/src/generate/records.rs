//! Many records: accounts with contacts, opportunities, cases and tasks.

use super::Chance;
use crate::clock::{Millis, civil};
use crate::error::ApiError;
use crate::ids;
use crate::org::{Org, create_table};
use crate::world::World;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

/// Records in a transaction.
const CHUNK: u64 = 200_000;
const DAY: Millis = 86_400_000;
const FIRST: [&str; 10] = ["Ada", "Ben", "Chi", "Dee", "Eli", "Fay", "Gus", "Hal", "Ida", "Jo"];
const LAST: [&str; 10] = [
    "Archer", "Baker", "Cole", "Draper", "Ember", "Frost", "Gale", "Hollis", "Irwin", "Jewel",
];
const COMPANY: [&str; 8] = [
    "Harbor", "Summit", "Delta", "Orchid", "Copper", "Meadow", "Vertex", "Willow",
];
const TRADE: [&str; 6] = ["Foods", "Works", "Freight", "Energy", "Press", "Optics"];
const STAGES: [&str; 4] = ["Prospecting", "Qualification", "Closed Won", "Closed Lost"];

/// An object, its share of the records in percent, its own columns, and how they are filled.
struct Kind {
    name: &'static str,
    percent: u64,
    columns: &'static [&'static str],
    fill: fn(&mut Row<'_>) -> Vec<Value>,
}

/// What a record is filled from.
struct Row<'a> {
    number: u64,
    chance: &'a mut Chance,
    now: Millis,
    /// First id number of the accounts and how many there are.
    accounts: (u64, u64),
    pod: u32,
}

impl Row<'_> {
    fn account(&mut self) -> Value {
        let (first, count) = self.accounts;
        let at = self.chance.next() % count.max(1);
        Value::Text(ids::make("001", self.pod, first + at))
    }

    fn text(&mut self, all: &[&str]) -> Value {
        Value::Text(self.chance.of(all).to_owned())
    }
}

const KINDS: &[Kind] = &[
    Kind {
        name: "Account",
        percent: 10,
        columns: &["Name", "Industry", "BillingCity"],
        fill: |row| {
            let name = format!("{} {} {}", row.chance.of(&COMPANY), row.chance.of(&TRADE), row.number);
            vec![
                Value::Text(name),
                row.text(&["Banking", "Energy", "Education"]),
                row.text(&LAST),
            ]
        },
    },
    Kind {
        name: "Contact",
        percent: 35,
        columns: &["AccountId", "FirstName", "LastName", "Name", "Email"],
        fill: |row| {
            let (first, last) = (row.chance.of(&FIRST), row.chance.of(&LAST));
            vec![
                row.account(),
                Value::Text(first.to_owned()),
                Value::Text(last.to_owned()),
                Value::Text(format!("{first} {last}")),
                Value::Text(format!(
                    "{}.{}.{}@people.example",
                    first.to_lowercase(),
                    last.to_lowercase(),
                    row.number
                )),
            ]
        },
    },
    Kind {
        name: "Opportunity",
        percent: 20,
        columns: &["AccountId", "Name", "StageName", "CloseDate", "Amount"],
        fill: |row| {
            let (year, month, day) = civil((row.now / DAY) + i64::try_from(row.chance.below(700)).unwrap_or(0) - 350);
            #[allow(clippy::cast_precision_loss)]
            let amount = row.chance.below(1_000_000) as f64 / 10.0;
            vec![
                row.account(),
                Value::Text(format!("Deal {}", row.number)),
                row.text(&STAGES),
                Value::Text(format!("{year:04}-{month:02}-{day:02}")),
                Value::Real(amount),
            ]
        },
    },
    Kind {
        name: "Case",
        percent: 15,
        columns: &["AccountId", "CaseNumber", "Subject", "Status"],
        fill: |row| {
            vec![
                row.account(),
                Value::Text(format!("{:08}", row.number + 1000)),
                Value::Text(format!("Question {}", row.number)),
                row.text(&["New", "Working", "Closed"]),
            ]
        },
    },
    Kind {
        name: "Task",
        percent: 20,
        columns: &["WhatId", "Subject", "Status", "Priority"],
        fill: |row| {
            vec![
                row.account(),
                Value::Text(format!("Call {}", row.number)),
                row.text(&["Not Started", "Completed"]),
                row.text(&["Normal", "High"]),
            ]
        },
    },
];

pub(super) fn write(world: &World, org: &Org, count: usize, by: &str, chance: &mut Chance) -> Result<(), ApiError> {
    let count = u64::try_from(count).unwrap_or(u64::MAX);
    let now = world.clock.now();
    let mut accounts = (1, 0);
    for (at, kind) in KINDS.iter().enumerate() {
        // The first kind takes what rounding leaves.
        let others: u64 = KINDS[1..].iter().map(|kind| count * kind.percent / 100).sum();
        let share = if at == 0 {
            count - others
        } else {
            count * kind.percent / 100
        };
        let first = reserve(org, kind, share)?;
        if at == 0 {
            accounts = (first, share);
        }
        without_indexes(org, kind.name)?;
        let mut done = 0;
        while done < share {
            let chunk = CHUNK.min(share - done);
            let state = org.lock();
            let tx = state.db.unchecked_transaction()?;
            let mut insert = tx.prepare(&sql(&state.db, kind)?)?;
            let prefix = prefix(org, &state, kind)?;
            for number in first + done..first + done + chunk {
                let mut row = Row {
                    number,
                    chance,
                    now,
                    accounts,
                    pod: org.pod,
                };
                let values = (kind.fill)(&mut row);
                let stamp = now - i64::try_from(row.chance.below(900)).unwrap_or(0) * DAY;
                let system = [
                    Value::Text(ids::make(&prefix, org.pod, number)),
                    Value::Text(by.to_owned()),
                    Value::Integer(stamp),
                    Value::Integer(now),
                ];
                insert.execute(params_from_iter(system.into_iter().chain(values)))?;
            }
            drop(insert);
            tx.commit()?;
            done += chunk;
        }
        let state = org.lock();
        let object = state.schema.object(kind.name).cloned();
        if let Some(object) = object {
            create_table(&state.db, &object)?;
        }
    }
    Ok(())
}

fn prefix(org: &Org, state: &crate::org::State, kind: &Kind) -> Result<String, ApiError> {
    let object = state.schema.object(kind.name);
    object.and_then(|object| object.key_prefix.clone()).ok_or_else(|| {
        ApiError::new(
            "UNKNOWN_EXCEPTION",
            format!("{} has no {} with a key prefix", org.name, kind.name),
        )
        .status(500)
    })
}

/// Takes so many numbers of ids; gives the first.
fn reserve(org: &Org, kind: &Kind, count: u64) -> Result<u64, ApiError> {
    let state = org.lock();
    let prefix = prefix(org, &state, kind)?;
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let next: i64 = state.db.query_row(
        "INSERT INTO _sequence (prefix, next) VALUES (?1, 1 + ?2) ON CONFLICT (prefix) DO UPDATE SET next = next + ?2 RETURNING next",
        rusqlite::params![prefix, count],
        |row| row.get(0),
    )?;
    Ok(u64::try_from(next - count).unwrap_or(1))
}

/// Indexes are made anew when all rows are there: that is much faster.
fn without_indexes(org: &Org, table: &str) -> Result<(), ApiError> {
    let state = org.lock();
    let mut read = state
        .db
        .prepare("SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = ?1 AND sql IS NOT NULL")?;
    let names: Vec<String> = read.query_map([table], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for name in names {
        state.db.execute_batch(&format!("DROP INDEX \"{name}\""))?;
    }
    Ok(())
}

/// Booleans of the object are false, unless the model says otherwise.
fn sql(db: &Connection, kind: &Kind) -> Result<String, ApiError> {
    let mut read = db.prepare(&format!("SELECT name FROM pragma_table_info('{}')", kind.name))?;
    let present: Vec<String> = read.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let own: Vec<String> = kind.columns.iter().map(|name| format!("\"{name}\"")).collect();
    if let Some(missing) = kind.columns.iter().find(|name| !present.iter().any(|p| p == *name)) {
        return Err(
            ApiError::new("UNKNOWN_EXCEPTION", format!("the model has no {}.{missing}", kind.name)).status(500),
        );
    }
    let places = vec!["?"; own.len()].join(", ");
    Ok(format!(
        "INSERT INTO \"{}\" (Id, OwnerId, CreatedById, LastModifiedById, CreatedDate, LastModifiedDate, SystemModstamp, IsDeleted, {})
         VALUES (?1, ?2, ?2, ?2, ?3, ?4, ?4, 0, {places})",
        kind.name,
        own.join(", ")
    ))
}
