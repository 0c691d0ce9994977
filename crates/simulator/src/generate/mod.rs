//! Fills an org with many components and records, for measurements and for clients that must cope with size.
//!
//! What is written depends on the seed only. Components are written by the rules of a deployment, records past those of
//! the API. With a folder, a world of millions of records is made once and found again.

mod components;
mod records;

use crate::error::ApiError;
use crate::oauth::users;
use crate::org::Org;
use crate::world::World;
use serde::Deserialize;
use std::sync::Arc;

/// What to fill an org with, `[[generate]]` in the configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Generate {
    /// Short name of the org.
    pub org: String,
    /// Metadata components, children counted.
    #[serde(default)]
    pub components: usize,
    /// Records over all objects.
    #[serde(default)]
    pub records: usize,
}

/// Numbers that follow from a seed (SplitMix64).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`; 0 when that is 0.
    fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.next() % end).unwrap_or(0)
    }

    fn of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len())]
    }
}

/// Writes that many components and records into an org.
pub fn generate(
    world: &Arc<World>,
    org: &Arc<Org>,
    components: usize,
    records: usize,
    seed: u64,
) -> Result<(), ApiError> {
    let by = users::first_admin(&org.lock().db)?
        .map(|admin| admin.id)
        .ok_or_else(|| ApiError::new("INVALID_INPUT", format!("the org {} has no administrator", org.name)))?;
    components::write(world, org, components, &by, &mut Chance(seed))?;
    records::write(world, org, records, &by, &mut Chance(seed ^ 0x5eed))
}
