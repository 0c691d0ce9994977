//! SFDX auth URLs, as `sf org auth show-sfdx-auth-url` prints them.

use super::{App, Login};
use crate::error::{Error, Result};
use crate::secret::Secret;

/// Reads `force://<consumer key>:<consumer secret>:<refresh token>@<host>`; the consumer secret may be empty.
///
/// # Errors
/// `bad_configuration`, without a word of the URL.
pub fn parse_sfdx_url(url: &Secret<String>) -> Result<Login> {
    let wrong = |what: &str| Error::Configuration {
        what: format!("this is no SFDX auth URL: {what}"),
        hint: "`sf org auth show-sfdx-auth-url` or `sf org display --verbose` prints one, in the form force://KEY:SECRET:TOKEN@HOST",
    };
    let text = url.expose().trim();
    let rest = text
        .strip_prefix("force://")
        .ok_or_else(|| wrong("it does not begin with force://"))?;
    let (secrets, host) = rest
        .rsplit_once('@')
        .ok_or_else(|| wrong("it has no @ before the host"))?;
    let parts: Vec<&str> = secrets.split(':').collect();
    let &[id, secret, token] = parts.as_slice() else {
        return Err(wrong("it has not three parts before the @"));
    };
    if id.is_empty() || token.is_empty() {
        return Err(wrong("the consumer key or the refresh token is empty"));
    }
    if host.contains('/') {
        return Err(wrong("the host has a slash"));
    }
    let local = host.split(':').next() == Some("localhost");
    let host = format!("{}://{host}", if local { "http" } else { "https" });
    Ok(Login::RefreshToken {
        app: App {
            id: id.to_owned(),
            secret: (!secret.is_empty()).then(|| secret.into()),
        },
        host: host.parse().map_err(|_| wrong("the host is none"))?,
        token: token.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        let check = |url: &str, expect: (&str, Option<&str>, &str, &str)| {
            let login = parse_sfdx_url(&url.into()).unwrap();
            let Login::RefreshToken { app, host, token } = login else {
                panic!("{login:?}")
            };
            let secret = app.secret.as_ref().map(|secret| secret.expose().as_str());
            assert_eq!(
                (app.id.as_str(), secret, token.expose().as_str(), host.as_str()),
                expect
            );
        };
        check(
            "force://PlatformCLI::5Aep.x_1==@acme.my.salesforce.com\n",
            ("PlatformCLI", None, "5Aep.x_1==", "https://acme.my.salesforce.com"),
        );
        check(
            "force://3MVG:1234:5Aep@localhost:8943",
            ("3MVG", Some("1234"), "5Aep", "http://localhost:8943"),
        );
    }

    #[test]
    fn errors_hold_nothing_of_the_url() {
        for url in [
            "https://CANARY:CANARY:CANARY@x",
            "force://CANARY",
            "force://CANARY@acme.my.salesforce.com",
            "force://:CANARY:CANARY@acme.my.salesforce.com",
            "force://CANARY:CANARY:@acme.my.salesforce.com",
            "force://CANARY:CANARY:CANARY@https://acme",
            "force://CANARY:CANARY:CANARY@",
        ] {
            let error = parse_sfdx_url(&url.into()).unwrap_err();
            assert!(
                !format!("{error} {error:?} {:?}", error.hints()).contains("CANARY"),
                "{url}: {error:?}"
            );
        }
    }
}
