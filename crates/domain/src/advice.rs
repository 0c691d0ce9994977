//! Whether a sandbox is better copied anew or brought up to date.

use serde::Serialize;

use crate::calendar::next_refresh;
use crate::config::{Environment, Licence};
use crate::time::{Duration, Millis, rfc3339};

/// What is known about an environment and the one that it follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Components that differ from the source, without those of overlays and noise.
    pub distance: u64,
    /// All managed components of the source.
    pub components: u64,
    /// Components with work in progress, which a copy would destroy.
    pub work_in_progress: u64,
    /// When the request for the last copy was made; `None` where nobody knows.
    pub last_refresh: Option<Millis>,
    /// Whether somebody needs newer data of production.
    pub needs_data: bool,
    /// The time.
    pub now: Millis,
}

/// What should be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Recommendation {
    /// Nothing.
    Nothing,
    /// Bring the source's changes down.
    BackPromote,
    /// Copy the sandbox anew.
    Refresh,
    /// Capture the work in progress first, then copy the sandbox anew.
    CaptureThenRefresh,
    /// Bring the changes down now, and copy the sandbox anew when that is allowed.
    BackPromoteThenRefresh,
}

/// A recommendation with its reasons.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Advice {
    /// The environment.
    pub environment: String,
    /// What should be done.
    pub recommendation: Recommendation,
    /// Why, with numbers, for people.
    pub reasons: Vec<String>,
    /// The first instant at which the sandbox may be copied anew; `None` where it is none, or nobody knows.
    pub refresh_from: Option<Millis>,
}

/// From this part of the components on, in percent, a copy is less work than a merge.
const FAR: u64 = 20;

/// Copies older than this have data that nobody wants to test with.
const OLD: Duration = Duration::days(180);

/// Recommends what to do with an environment.
pub fn advise(environment: &Environment, standing: &Standing) -> Advice {
    let mut reasons = Vec::new();
    let refresh_from = environment
        .licence
        .zip(standing.last_refresh)
        .map(|(licence, last)| next_refresh(licence, last));
    let percent = standing.distance * 100 / standing.components.max(1);
    reasons.push(match standing.distance {
        0 => "it has all that its source has".to_owned(),
        n => format!(
            "{n} of {} components differ from its source ({percent} %)",
            standing.components
        ),
    });
    let recommendation = match environment.licence {
        None => {
            reasons.push("it has no sandbox licence, so it cannot be copied".to_owned());
            if standing.distance == 0 {
                Recommendation::Nothing
            } else {
                Recommendation::BackPromote
            }
        }
        Some(licence) => for_sandbox(licence, standing, percent, refresh_from, &mut reasons),
    };
    Advice {
        environment: environment.name.clone(),
        recommendation,
        reasons,
        refresh_from,
    }
}

fn for_sandbox(
    licence: Licence,
    standing: &Standing,
    percent: u64,
    refresh_from: Option<Millis>,
    reasons: &mut Vec<String>,
) -> Recommendation {
    let far = percent >= FAR && standing.distance > 0;
    if far {
        reasons.push(format!("from {FAR} % on a copy is less work than a merge"));
    }
    let wants_data = standing.needs_data && licence.has_data();
    if wants_data {
        reasons.push("newer data of production is needed, and only a copy brings it".to_owned());
    } else if standing.needs_data {
        reasons.push(format!(
            "newer data is needed, but a {} sandbox is copied without data: load it",
            licence.name()
        ));
    }
    if let Some(last) = standing.last_refresh {
        let age = standing.now.saturating_sub(last);
        if age > OLD.millis() && licence.has_data() {
            reasons.push(format!("its data is {} days old", age / 86_400_000));
        }
    }
    if standing.work_in_progress > 0 {
        let n = standing.work_in_progress;
        reasons.push(format!(
            "{n} components hold work in progress, which a copy would destroy"
        ));
    }
    let brings_down = if standing.distance == 0 {
        Recommendation::Nothing
    } else {
        Recommendation::BackPromote
    };
    if !wants_data && (!far || standing.work_in_progress > 0) {
        return brings_down;
    }
    match refresh_from {
        Some(from) if from > standing.now => {
            reasons.push(format!(
                "a {} sandbox may be copied again from {} on",
                licence.name(),
                rfc3339(from)
            ));
            match standing.distance {
                0 => Recommendation::Nothing,
                _ => Recommendation::BackPromoteThenRefresh,
            }
        }
        from => {
            reasons.push(match from {
                Some(_) => "it may be copied now".to_owned(),
                None => format!(
                    "nobody knows when it was copied last: a {} sandbox may be copied every {}; write `refreshed` or log in to production",
                    licence.name(),
                    licence.refresh_interval()
                ),
            });
            match standing.work_in_progress {
                0 => Recommendation::Refresh,
                _ => Recommendation::CaptureThenRefresh,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::time::parse_instant;

    #[test]
    fn recommendations() {
        let text = "[environments.uat]\nbranch = \"uat\"\nkind = \"uat\"\nlicence = \"partial\"\n\
                    [environments.dev]\nbranch = \"dev\"\nkind = \"developer\"\nlicence = \"developer\"\n\
                    [environments.branch]\nbranch = \"x\"\nkind = \"developer\"\n";
        let config = Config::parse(text).unwrap();
        let now = parse_instant("2026-11-21T00:00:00Z").unwrap();
        let check = |name: &str, distance: u64, work: u64, last: Option<&str>, data: bool, expect: &str| {
            let standing = Standing {
                distance,
                components: 1_000,
                work_in_progress: work,
                last_refresh: last.map(|text| parse_instant(text).unwrap()),
                needs_data: data,
                now,
            };
            let advice = advise(config.environment(name).unwrap(), &standing);
            assert_eq!(
                format!("{:?}: {}", advice.recommendation, advice.reasons.join("; ")),
                expect
            );
        };
        let may = Some("2026-11-01T00:00:00Z");
        let may_not = Some("2026-11-20T00:00:00Z");
        check("uat", 0, 0, may, false, "Nothing: it has all that its source has");
        check(
            "uat",
            12,
            0,
            may,
            false,
            "BackPromote: 12 of 1000 components differ from its source (1 %)",
        );
        check(
            "uat",
            400,
            0,
            may,
            false,
            "Refresh: 400 of 1000 components differ from its source (40 %); from 20 % on a copy is less work than a merge; it may be copied now",
        );
        check(
            "uat",
            400,
            3,
            may,
            false,
            "BackPromote: 400 of 1000 components differ from its source (40 %); from 20 % on a copy is less work than a merge; \
             3 components hold work in progress, which a copy would destroy",
        );
        check(
            "uat",
            400,
            0,
            may_not,
            false,
            "BackPromoteThenRefresh: 400 of 1000 components differ from its source (40 %); from 20 % on a copy is less work than a merge; \
             a partial sandbox may be copied again from 2026-11-25T00:00:00Z on",
        );
        check(
            "uat",
            0,
            3,
            Some("2026-01-01T00:00:00Z"),
            true,
            "CaptureThenRefresh: it has all that its source has; newer data of production is needed, and only a copy brings it; \
             its data is 324 days old; 3 components hold work in progress, which a copy would destroy; it may be copied now",
        );
        check(
            "uat",
            0,
            0,
            may_not,
            true,
            "Nothing: it has all that its source has; newer data of production is needed, and only a copy brings it; \
             a partial sandbox may be copied again from 2026-11-25T00:00:00Z on",
        );
        check(
            "dev",
            5,
            0,
            may,
            true,
            "BackPromote: 5 of 1000 components differ from its source (0 %); newer data is needed, but a developer sandbox is copied without data: load it",
        );
        check(
            "dev",
            900,
            0,
            None,
            false,
            "Refresh: 900 of 1000 components differ from its source (90 %); from 20 % on a copy is less work than a merge; \
             nobody knows when it was copied last: a developer sandbox may be copied every 1d; write `refreshed` or log in to production",
        );
        check(
            "branch",
            900,
            0,
            None,
            false,
            "BackPromote: 900 of 1000 components differ from its source (90 %); it has no sandbox licence, so it cannot be copied",
        );
    }
}
