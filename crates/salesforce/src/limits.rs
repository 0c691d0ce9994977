//! How many API requests the org has left.

use std::collections::BTreeMap;
use std::sync::Mutex;

use reqwest::header::HeaderMap;
use serde::Deserialize;

use crate::guard::Refusal;

/// Used and allowed requests, as in `api-usage=18123/100000`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Used in the last 24 hours.
    pub used: u64,
    /// Allowed in 24 hours.
    pub allowed: u64,
}

impl Usage {
    /// What is left.
    pub fn left(&self) -> u64 {
        self.allowed.saturating_sub(self.used)
    }
}

/// How many requests background work leaves to others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reserve {
    /// Percent of the allowed requests; 0 to 100.
    pub percent: u8,
}

impl Default for Reserve {
    /// A fifth.
    fn default() -> Self {
        Self { percent: 20 }
    }
}

/// One row of `GET /limits`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Limit {
    /// Allowed.
    #[serde(rename = "Max")]
    pub max: i64,
    /// Left.
    #[serde(rename = "Remaining")]
    pub remaining: i64,
}

/// All rows of `GET /limits` by name, as in `DailyApiRequests`.
pub type Limits = BTreeMap<String, Limit>;

/// Reads `Sforce-Limit-Info`: tokens `name=used/allowed` between semicolons or commas. Others are left away.
pub fn parse_limit_info(text: &str) -> BTreeMap<String, Usage> {
    text.split([';', ','])
        .filter_map(|token| {
            let (name, rest) = token.trim().split_once('=')?;
            // `per-app-api-usage=17/250(appName=x)`
            let rest = rest.split('(').next()?;
            let (used, allowed) = rest.split_once('/')?;
            let usage = Usage {
                used: used.trim().parse().ok()?,
                allowed: allowed.trim().parse().ok()?,
            };
            Some((name.trim().to_owned(), usage))
        })
        .collect()
}

/// The newest usage that an answer told.
#[derive(Debug, Default)]
pub(crate) struct Seen(Mutex<Option<Usage>>);

impl Seen {
    pub(crate) fn note(&self, headers: &HeaderMap) {
        let Some(text) = headers.get("sforce-limit-info").and_then(|value| value.to_str().ok()) else {
            return;
        };
        if let Some(usage) = parse_limit_info(text).remove("api-usage") {
            *self.lock() = Some(usage);
        }
    }

    pub(crate) fn usage(&self) -> Option<Usage> {
        *self.lock()
    }

    /// Refuses background work when the reserve is reached. Before the first answer nothing is known, and all is allowed.
    pub(crate) fn allow(&self, org: &str, background: bool, reserve: Reserve) -> Result<(), Refusal> {
        let Some(usage) = self.usage().filter(|_| background) else {
            return Ok(());
        };
        if u128::from(usage.left()) * 100 < u128::from(usage.allowed) * u128::from(reserve.percent) {
            return Err(Refusal::Reserve {
                org: org.to_owned(),
                left: usage.left(),
                allowed: usage.allowed,
                percent: reserve.percent,
            });
        }
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Usage>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    #[test]
    fn the_header_in_all_its_forms() {
        let check = |text: &str, expect: Option<(u64, u64)>| {
            let usage = parse_limit_info(text)
                .remove("api-usage")
                .map(|usage| (usage.used, usage.allowed));
            assert_eq!(usage, expect, "{text}");
        };
        check("api-usage=18123/100000", Some((18123, 100_000)));
        check("api-usage=1/2; api-bursts=1/750", Some((1, 2)));
        check(
            "api-usage=25/5000, per-app-api-usage=17/250(appName=sample; x)",
            Some((25, 5000)),
        );
        check("new-thing; api-usage=3/4;", Some((3, 4)));
        check("api-usage=many", None);
        check("", None);
        assert_eq!(
            parse_limit_info("per-app-api-usage=17/250(appName=a)")["per-app-api-usage"].left(),
            233
        );
    }

    #[test]
    fn background_work_leaves_the_reserve() {
        let check = |info: &'static str, background: bool, expect: bool| {
            let seen = Seen::default();
            let mut headers = HeaderMap::new();
            headers.insert("sforce-limit-info", HeaderValue::from_static(info));
            seen.note(&headers);
            assert_eq!(
                seen.allow("uat", background, Reserve { percent: 20 }).is_ok(),
                expect,
                "{info}"
            );
        };
        check("api-usage=79/100", true, true);
        check("api-usage=80/100", true, true);
        check("api-usage=81/100", true, false);
        check("api-usage=81/100", false, true);
        check("api-usage=120/100", true, false);
        check("nothing", true, true);
    }
}
