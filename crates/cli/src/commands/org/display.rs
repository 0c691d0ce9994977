//! `syncline org list`, `display` and `limits`.

use serde_json::json;
use syncline_engine::org::login::kind_name;

use super::{block_on, orgs};
use crate::Status;
use crate::error::CommandError;
use crate::output::Output;

/// List the logins
#[derive(Debug, clap::Args)]
pub struct ListArgs {}

/// Show what an org is; asks it
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The name of the login
    org: String,
}

/// Show the org's limits and what is left of them
#[derive(Debug, clap::Args)]
pub struct LimitsArgs {
    /// The name of the login
    org: String,
}

/// Lists the logins, without asking any org.
pub fn list(out: &mut Output) -> Result<Status, CommandError> {
    let list = orgs()?.list()?;
    if out.json() {
        out.value(&json!({"orgs": list}))?;
        return Ok(Status::Done);
    }
    let width = |text: fn(&syncline_engine::org::login::OrgSummary) -> usize| list.iter().map(text).max().unwrap_or(0);
    let (name, user) = (width(|org| org.name.len()), width(|org| org.username.len()));
    for org in &list {
        let writes = if org.production_writes { "  writes allowed" } else { "" };
        out.line(format_args!(
            "{:name$}  {:10}  {:user$}  {}  {}{writes}",
            org.name, org.kind, org.username, org.instance, org.grant
        ))?;
    }
    if list.is_empty() {
        out.note("no logins yet; `syncline org login NAME --web` makes one");
    }
    Ok(Status::Done)
}

/// Asks the org what it is.
pub fn run(args: &Args, out: &mut Output) -> Result<Status, CommandError> {
    let orgs = orgs()?;
    let summary = orgs.summary(&args.org)?;
    let (organization, version, usage) = block_on(async {
        let connection = orgs.connect(&args.org).await?;
        let organization = connection.organization().await?.clone();
        Ok((organization, connection.api_version(), connection.usage()))
    })?;
    let kind = kind_name(organization.kind());
    if out.json() {
        out.value(&json!({
            "name": summary.name,
            "orgId": summary.org_id,
            "username": summary.username,
            "instance": summary.instance,
            "kind": kind,
            "grant": summary.grant,
            "productionWrites": summary.production_writes,
            "apiVersion": version.to_string(),
            "organization": organization.name,
            "edition": organization.organization_type,
            "instanceName": organization.instance_name,
            "namespace": organization.namespace_prefix,
            "apiUsed": usage.map(|usage| usage.used),
            "apiAllowed": usage.map(|usage| usage.allowed),
        }))?;
        return Ok(Status::Done);
    }
    let text = |value: Option<String>| value.unwrap_or_else(|| "none".to_owned());
    for (label, value) in [
        ("Name", summary.name),
        ("Org", format!("{} {}", text(organization.name), summary.org_id)),
        ("Kind", format!("{kind}, {}", text(organization.organization_type))),
        ("User", summary.username),
        (
            "Address",
            format!("{} on {}", summary.instance, text(organization.instance_name)),
        ),
        ("Login", summary.grant.to_owned()),
        ("API version", version.to_string()),
        (
            "API requests",
            usage.map_or("unknown".to_owned(), |usage| {
                format!("{} of {}", usage.used, usage.allowed)
            }),
        ),
    ] {
        out.line(format_args!("{label:13} {value}"))?;
    }
    Ok(Status::Done)
}

/// Shows the limits.
pub fn limits(args: &LimitsArgs, out: &mut Output) -> Result<Status, CommandError> {
    let orgs = orgs()?;
    let limits = block_on(async { Ok(orgs.connect(&args.org).await?.limits().await?) })?;
    if out.json() {
        let rows: Vec<_> = limits
            .iter()
            .map(|(name, limit)| json!({"name": name, "max": limit.max, "remaining": limit.remaining}))
            .collect();
        out.value(&json!({"limits": rows}))?;
        return Ok(Status::Done);
    }
    let width = limits.keys().map(String::len).max().unwrap_or(0);
    for (name, limit) in &limits {
        out.line(format_args!(
            "{name:width$}  {:>12} of {:>12} left",
            limit.remaining, limit.max
        ))?;
    }
    Ok(Status::Done)
}
