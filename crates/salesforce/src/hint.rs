//! Hints as data: what a person can do about an error.

use crate::envelope::Fault;
use crate::error::Kind;

pub(crate) const SESSION_ENDED: &str =
    "sign in again; a login with a refresh token, a JWT key or client credentials renews itself";
pub(crate) const NO_ANSWER: &str =
    "check the network, the proxy and the org's address; a refreshed or deleted sandbox may have no host";
pub(crate) const UNKNOWN_OUTCOME: &str = "look at the org before you repeat this: it may have happened";
pub(crate) const ADDRESS: &str =
    "it looks like https://acme.my.salesforce.com, or https://test.salesforce.com to sign in to a sandbox";
pub(crate) const CSV: &str =
    "correct the file at that line; a cell with commas, quotes or line ends stands in double quotes";
pub(crate) const UNEXPECTED: &str = "try again: the answer may have been damaged on its way";
pub(crate) const TIMED_OUT: &str = "it may go on in the org; look at it there before you repeat it";

/// (part of what a job says, who has to act, hint).
const JOBS: &[(&str, Kind, &str)] = &[
    (
        "Field name not found",
        Kind::User,
        "check the columns' names in the first line; the field may not exist in this org, or the user may not see it",
    ),
    (
        "InvalidBatch",
        Kind::User,
        "correct the file and write what was not taken",
    ),
    (
        "LIMIT_EXCEEDED",
        Kind::Upstream,
        "the parts are too large, or a limit of the org is used up; `syncline org limits` shows those",
    ),
];
const JOB: &str = "the org's Setup shows the job and what it did by then";

/// (`error`, part of `error_description`, hint); the first that fits counts.
const LOGIN: &[(&str, &str, &str)] = &[
    (
        "invalid_grant",
        "user hasn't approved",
        "in the app's policies choose \"Admin approved users are pre-authorized\" and assign the user's profile or a permission set, \
         or sign in once in the browser",
    ),
    (
        "invalid_grant",
        "audience",
        "the audience is https://login.salesforce.com for production, https://test.salesforce.com for sandboxes, or the My Domain address",
    ),
    (
        "invalid_grant",
        "invalid assertion",
        "check the user name (a sandbox adds its name to it), the consumer key, and that the app holds the certificate of this key",
    ),
    (
        "invalid_grant",
        "expired authorization code",
        "the code was used already or is too old, or the clock of this machine is wrong; start again",
    ),
    (
        "invalid_grant",
        "expired access/refresh token",
        "the token was revoked, or the sandbox was refreshed: sign in again",
    ),
    ("invalid_grant", "", "sign in again, and check the user and the address"),
    (
        "invalid_client_id",
        "",
        "check the consumer key; an app of a sandbox does not exist in production",
    ),
    (
        "invalid_client",
        "app must be installed",
        "an administrator has to install the app in this org (Setup, Connected Apps OAuth Usage)",
    ),
    ("invalid_client", "", "check the consumer secret"),
    (
        "unsupported_grant_type",
        "",
        "enable this flow in the app; client credentials need the org's My Domain address",
    ),
    ("redirect_uri_mismatch", "", "add the callback address to the app"),
    (
        "access_denied",
        "",
        "the sign-in was denied in the browser; try again and allow it",
    ),
    (
        "inactive_user",
        "",
        "the user is not active; a refresh of a sandbox can freeze users",
    ),
    ("inactive_org", "", "the org is locked, expired or deleted"),
];

/// (`errorCode`, part of the message, who has to act, hint).
const FAULTS: &[(&str, &str, Kind, &str)] = &[
    (
        "INVALID_SESSION_ID",
        "Connected app is not attached to Agent",
        Kind::Config,
        "attach the app to the agent's user, or use another login",
    ),
    (
        "INVALID_SESSION_ID",
        "not valid for use with the REST API",
        Kind::Config,
        "the app's scope lacks `api`; add it and sign in again",
    ),
    ("INVALID_SESSION_ID", "", Kind::Config, SESSION_ENDED),
    ("INVALID_AUTH_HEADER", "", Kind::Config, SESSION_ENDED),
    (
        "API_DISABLED_FOR_ORG",
        "",
        Kind::Config,
        "the org's edition has no API access, or the user lacks the permission \"API Enabled\"",
    ),
    (
        "FUNCTIONALITY_NOT_ENABLED",
        "",
        Kind::Config,
        "the org does not have this feature",
    ),
    (
        "INSUFFICIENT_ACCESS",
        "",
        Kind::Config,
        "the user lacks a permission for this; compare its permission sets with those in the guide",
    ),
    (
        "REQUEST_LIMIT_EXCEEDED",
        "TotalRequests",
        Kind::Upstream,
        "the org's API requests of 24 hours are used up; wait, or raise the limit",
    ),
    (
        "REQUEST_LIMIT_EXCEEDED",
        "",
        Kind::Upstream,
        "too many long requests run in the org at once; try again later",
    ),
    (
        "UNABLE_TO_LOCK_ROW",
        "",
        Kind::Upstream,
        "something else changes these records now; try again",
    ),
    (
        "INVALID_QUERY_LOCATOR",
        "",
        Kind::Upstream,
        "the query's cursor is gone; run the query again from its start",
    ),
    (
        "INSUFFICIENT_ACCESS_OR_READONLY",
        "",
        Kind::Config,
        "the user may not change this; compare its permission sets with those in the guide",
    ),
    (
        "INVALID_ID_FIELD",
        "already completed",
        Kind::User,
        "it has ended, so there is nothing to cancel; look at its result",
    ),
    (
        "INVALID_CROSS_REFERENCE_KEY",
        "",
        Kind::User,
        "check the id: this org has nothing with it, or the user may not see it",
    ),
    (
        "MALFORMED_ID",
        "",
        Kind::User,
        "check the id: it has 15 or 18 characters",
    ),
    (
        "NOT_FOUND",
        "",
        Kind::User,
        "check the id or the name; it may not exist in this org, or the user may not see it",
    ),
    (
        "INVALIDENTITY",
        "",
        Kind::User,
        "check the object's name; it may not exist in this org, or Bulk jobs do not take it",
    ),
    ("INVALIDJOB", "", Kind::User, "check the object and the external id"),
    ("MALFORMED_QUERY", "", Kind::User, "correct the query"),
    (
        "INVALID_FIELD",
        "",
        Kind::User,
        "check the field's name; it may not exist in this org, or the user may not see it",
    ),
    (
        "INVALID_TYPE",
        "",
        Kind::User,
        "check the object's name; it may not exist in this org, or the user may not see it",
    ),
    (
        "EXCEEDED_MAX_SIZE_REQUEST",
        "",
        Kind::User,
        "split it into smaller parts",
    ),
    (
        "INVALID_OPERATION",
        "Maximum size of request",
        Kind::User,
        "split it into smaller parts",
    ),
];

pub(crate) fn login(error: &str, description: &str) -> Vec<String> {
    LOGIN
        .iter()
        .find(|(code, part, _)| *code == error && description.to_lowercase().contains(part))
        .map(|(_, _, hint)| (*hint).to_owned())
        .into_iter()
        .collect()
}

fn row(fault: &Fault) -> Option<&'static (&'static str, &'static str, Kind, &'static str)> {
    FAULTS
        .iter()
        .find(|(code, part, _, _)| *code == fault.code && fault.message.contains(part))
}

pub(crate) fn faults(faults: &[Fault]) -> Vec<String> {
    let mut hints: Vec<String> = Vec::new();
    for (_, _, _, hint) in faults.iter().filter_map(row) {
        if !hints.iter().any(|known| known == hint) {
            hints.push((*hint).to_owned());
        }
    }
    hints
}

pub(crate) fn kind_of(faults: &[Fault]) -> Kind {
    faults
        .iter()
        .find_map(row)
        .map_or(Kind::Upstream, |(_, _, kind, _)| *kind)
}

/// Who has to act on a job that ended badly, and what helps.
pub(crate) fn job(message: &str) -> (Kind, &'static str) {
    let row = JOBS.iter().find(|(part, _, _)| message.contains(part));
    row.map_or((Kind::Upstream, JOB), |(_, kind, hint)| (*kind, hint))
}

pub(crate) fn not_api(status: u16) -> Vec<String> {
    let hint = match status {
        300..=399 => "the address has moved; use the org's My Domain address",
        404 => "check the address; a refreshed or deleted sandbox may have no host",
        502..=504 => "Salesforce or a gateway is not available; status.salesforce.com tells about maintenance",
        _ => "check the address, and proxies on the way",
    };
    vec![hint.to_owned()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_fitting_row_counts() {
        let check = |error: &str, description: &str, part: &str| {
            let hints = login(error, description);
            assert!(hints.iter().any(|hint| hint.contains(part)), "{error}: {hints:?}");
        };
        check("invalid_grant", "user hasn't approved this consumer", "pre-authorized");
        check("invalid_grant", "Audience validation failed", "test.salesforce.com");
        check("invalid_grant", "expired access/refresh token", "refreshed");
        check("invalid_grant", "something new", "sign in again");
        check("invalid_client", "app must be installed into org", "install the app");
        assert!(login("new_error", "").is_empty());
    }

    #[test]
    fn faults_tell_who_has_to_act() {
        let fault = |code: &str, message: &str| Fault {
            code: code.to_owned(),
            message: message.to_owned(),
            fields: Vec::new(),
        };
        assert_eq!(kind_of(&[fault("MALFORMED_QUERY", "unexpected token: x")]), Kind::User);
        assert_eq!(kind_of(&[fault("INSUFFICIENT_ACCESS", "")]), Kind::Config);
        assert_eq!(kind_of(&[fault("SOMETHING_ELSE", "")]), Kind::Upstream);
        let twice = [fault("INVALID_TYPE", "a"), fault("INVALID_TYPE", "b")];
        assert_eq!(faults(&twice).len(), 1);
    }
}
