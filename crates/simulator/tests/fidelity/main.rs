//! One test for each way in which simulators usually differ from Salesforce: section 12 and 13 of the Salesforce API
//! reference, a file per area.

#[path = "../soql/org.rs"]
#[allow(dead_code)]
mod org;
mod soql;
