//! The address of an org or of a login host: scheme, host and port, nothing else.

use std::fmt;
use std::str::FromStr;

use reqwest::Url;

use crate::error::{Error, Result};

/// Where an org answers, as in `https://acme--uat.sandbox.my.salesforce.com`.
///
/// Tokens travel to it, so it is `https`; plain `http` only to this very machine.
#[derive(Clone, PartialEq, Eq)]
pub struct Address(Url);

impl Address {
    /// Sign-in of production and Developer Edition orgs.
    pub const PRODUCTION: &'static str = "https://login.salesforce.com";
    /// Sign-in of sandboxes.
    pub const SANDBOX: &'static str = "https://test.salesforce.com";

    /// The URL of an absolute path at this address; `None` when it does not begin with one `/`.
    pub(crate) fn at(&self, path: &str) -> Option<Url> {
        (path.starts_with('/') && !path.starts_with("//"))
            .then(|| self.0.join(path).ok())
            .flatten()
            .filter(|url| url.origin() == self.0.origin())
    }

    /// The host, with the port where it is not the scheme's.
    pub fn host(&self) -> String {
        let host = self.0.host_str().unwrap_or_default();
        match self.0.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        }
    }

    /// Scheme, host and port without a slash at the end.
    pub fn as_str(&self) -> &str {
        self.0.as_str().trim_end_matches('/')
    }
}

impl FromStr for Address {
    type Err = Error;

    /// Reads an address; a path behind the host is left away, and a missing scheme is `https`.
    fn from_str(text: &str) -> Result<Self> {
        let text = text.trim();
        let wrong = |why| Error::Address {
            text: text.to_owned(),
            why,
        };
        let full = if text.contains("://") {
            text.to_owned()
        } else {
            format!("https://{text}")
        };
        let mut url = Url::parse(&full).map_err(|_| wrong("it is no URL"))?;
        let host = url.host_str().ok_or_else(|| wrong("it has no host"))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Error::argument(
                "an address of an org holds no user name and no password",
            ));
        }
        let local = matches!(host, "localhost" | "127.0.0.1" | "[::1]") || host.ends_with(".localhost");
        match url.scheme() {
            "https" => {}
            "http" if local => {}
            _ => return Err(wrong("it begins with https://; http:// only on this machine")),
        }
        url.set_path("");
        url.set_query(None);
        url.set_fragment(None);
        Ok(Self(url))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let check = |text: &str, expect: &str| assert_eq!(text.parse::<Address>().unwrap().as_str(), expect);
        check("https://acme.my.salesforce.com/", "https://acme.my.salesforce.com");
        check(" acme.my.salesforce.com/home?x=1", "https://acme.my.salesforce.com");
        check("http://localhost:8943", "http://localhost:8943");
        for text in [
            "http://acme.my.salesforce.com",
            "ftp://x",
            "",
            "https://me:pw@acme.com",
            "javascript:x",
        ] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_path_cannot_leave_the_host() {
        let address: Address = "https://acme.my.salesforce.com".parse().unwrap();
        assert_eq!(
            address.at("/a/b").unwrap().as_str(),
            "https://acme.my.salesforce.com/a/b"
        );
        for path in [
            "//evil.example/x",
            "https://evil.example/",
            "a",
            "/\\evil.example/x",
            "/\t/evil.example",
        ] {
            let url = address.at(path);
            assert!(
                url.as_ref()
                    .is_none_or(|url| url.host_str() == Some("acme.my.salesforce.com")),
                "{path}: {url:?}"
            );
        }
    }
}
