//! Code coverage by tests.

use serde::Deserialize;

use crate::connection::Connection;
use crate::error::Result;
use crate::id::Id;

/// How much of a class or trigger tests ran through.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Coverage {
    /// The class or trigger.
    pub apex_class_or_trigger_id: Id,
    /// Lines that ran.
    pub num_lines_covered: u32,
    /// Lines that did not run.
    pub num_lines_uncovered: u32,
}

impl Coverage {
    /// Percent of the lines that ran, rounded down; 0 when there are none.
    pub fn percent(&self) -> u32 {
        (self.num_lines_covered * 100)
            .checked_div(self.num_lines_covered + self.num_lines_uncovered)
            .unwrap_or(0)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OrgWide {
    percent_covered: u32,
}

impl Connection {
    /// The coverage of each class and trigger by all tests that ran. A save of a class empties it.
    pub async fn coverage(&self) -> Result<Vec<Coverage>> {
        let soql = "SELECT ApexClassOrTriggerId, NumLinesCovered, NumLinesUncovered FROM ApexCodeCoverageAggregate";
        self.tooling_query(soql).rows().await
    }

    /// The coverage of the whole org in percent; `None` before tests ran.
    pub async fn org_coverage(&self) -> Result<Option<u32>> {
        let rows: Vec<OrgWide> = self
            .tooling_query("SELECT PercentCovered FROM ApexOrgWideCoverage")
            .rows()
            .await?;
        Ok(rows.first().map(|row| row.percent_covered))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percents() {
        let check = |covered, uncovered, expect| {
            let coverage = Coverage {
                apex_class_or_trigger_id: "01pD000000IRt53".parse().unwrap(),
                num_lines_covered: covered,
                num_lines_uncovered: uncovered,
            };
            assert_eq!(coverage.percent(), expect);
        };
        check(3, 1, 75);
        check(2, 1, 66);
        check(0, 0, 0);
    }
}
