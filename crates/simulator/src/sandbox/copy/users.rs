//! Users of a new sandbox: their names, addresses and whether they may log in.

use super::Copying;
use crate::error::ApiError;
use crate::oauth::users;
use crate::world::NameKind;
use rusqlite::{Connection, params};

/// What is appended to addresses so that no mail arrives.
const INVALID: &str = ".invalid";

pub(super) fn apply(copying: &Copying<'_>, db: &Connection) -> Result<(), ApiError> {
    let mut read = db.prepare("SELECT Id, Username, Email FROM User")?;
    let all: Vec<(String, String, Option<String>)> = read
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<Result<_, _>>()?;
    for (at, (id, username, email)) in all.iter().enumerate() {
        let name = sandbox_username(copying, username, at);
        let email = email.as_deref().map(|email| address(copying, id, email));
        db.prepare_cached("UPDATE User SET Username = ?2, Email = ?3 WHERE Id = ?1")?
            .execute(params![id, name, email])?;
    }
    if let Some(members) = &copying.members {
        for (id, ..) in &all {
            users::freeze(db, id, !members.contains(id), copying.world.clock.now())?;
        }
    }
    Ok(())
}

/// `ops@acme.com` → `ops@acme.com.uat`; six more characters in front when another org has that name.
fn sandbox_username(copying: &Copying<'_>, username: &str, at: usize) -> String {
    let name = copying.process.name.to_lowercase();
    // A clone's names lose the suffix of its source.
    let base = copying
        .cloned
        .as_ref()
        .and_then(|source| username.strip_suffix(&format!(".{}", source.to_lowercase())))
        .unwrap_or(username);
    let wanted = format!("{base}.{name}");
    let world = copying.world;
    let free = |name: &str| {
        let holder = world.holder_of_username(name);
        holder.is_none() || holder == copying.old || holder.as_deref() == Some(&copying.process.org_id)
    };
    let mut found = wanted.clone();
    let mut n = at * 1000;
    while !free(&found) {
        found = format!("{}{wanted}", prefix(world.config.seed, &copying.process.org_id, n));
        n += 1;
    }
    if world.holder_of_username(&found).is_none() {
        world.claim_name(NameKind::Username, &found, &copying.process.org_id);
    }
    found
}

/// Six characters that depend on the seed, the org and a number.
fn prefix(seed: u64, org: &str, n: usize) -> String {
    let text = format!("{seed} {org} {n}");
    let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyzABCDEFGHJ";
    let tail = digest
        .as_ref()
        .iter()
        .take(4)
        .map(|b| char::from(LETTERS[usize::from(b % 32)]));
    "00".chars().chain(tail).collect()
}

fn address(copying: &Copying<'_>, id: &str, email: &str) -> String {
    let keeps = match &copying.members {
        Some(members) => members.iter().any(|member| member == id),
        None => copying.switches.refresher_keeps_email && copying.process.by_user == id,
    };
    // A clone has what its source has.
    if keeps || copying.cloned.is_some() || email.ends_with(INVALID) {
        email.to_owned()
    } else {
        format!("{email}{INVALID}")
    }
}
