//! When a step that broke is tried again.

use crate::time::Millis;

/// How often a step is tried before a person must look.
pub const ATTEMPTS: u32 = 8;

/// The first delay in milliseconds; each further one is twice as long.
const FIRST: i64 = 2_000;

/// The longest delay in milliseconds.
const LONGEST: i64 = 15 * 60_000;

/// When a step that broke for the `attempts`-th time is tried again; `None` when it was tried often enough.
///
/// The delay doubles with each attempt up to a quarter of an hour. A part of it between a half and the whole counts, by
/// `seed`, so that many operations that broke at once do not come back at once.
pub fn retry_at(now: Millis, attempts: u32, seed: u64) -> Option<Millis> {
    if attempts >= ATTEMPTS {
        return None;
    }
    let doublings = attempts.saturating_sub(1).min(20);
    let delay = (FIRST << doublings).min(LONGEST);
    let half = delay / 2;
    let part = i64::try_from(mix(seed ^ u64::from(attempts)) % (half.unsigned_abs() + 1)).unwrap_or(0);
    Some(now.saturating_add(half + part))
}

/// Spreads a seed over all bits: the finaliser of SplitMix64 (Steele, Lea, Flood 2014).
fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn delays_grow_and_end(now in 0_i64..4_000_000_000_000, attempts in 1_u32..20, seed: u64) {
            match retry_at(now, attempts, seed) {
                None => prop_assert!(attempts >= ATTEMPTS),
                Some(at) => {
                    let delay = at - now;
                    let whole = (FIRST << (attempts - 1)).min(LONGEST);
                    prop_assert!(delay >= whole / 2 && delay <= whole, "{delay} {whole}");
                    prop_assert_eq!(retry_at(now, attempts, seed), Some(at));
                }
            }
        }
    }

    #[test]
    fn seeds_spread() {
        let all: std::collections::BTreeSet<_> = (0..100).map(|seed| retry_at(0, 5, seed)).collect();
        assert!(all.len() > 95, "{}", all.len());
    }
}
