//! The HTTP client that all connections of a program share.

use std::time::Duration;

use reqwest::redirect::Policy;

use crate::error::{Error, Result};

/// The program as it names itself: user agent and `Sforce-Call-Options`.
pub(crate) const CLIENT: &str = concat!("syncline/", env!("CARGO_PKG_VERSION"));

/// A pool of connections; cheap to clone.
#[derive(Debug, Clone)]
pub struct Http(reqwest::Client);

impl Http {
    /// Connections with the certificates of the machine, and the proxy of `HTTPS_PROXY` and `NO_PROXY`.
    pub fn new() -> Result<Self> {
        Self::trusting(&[])
    }

    /// Trusts these authorities beside the machine's: PEM files with one or more certificates each.
    pub fn trusting(authorities: &[Vec<u8>]) -> Result<Self> {
        // Only the first call of a process has an effect; an error says that there is a provider already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut certificates = Vec::new();
        for pem in authorities {
            let found = reqwest::Certificate::from_pem_bundle(pem).map_err(|error| Error::Configuration {
                what: format!("the file with trusted certificates cannot be read: {}", reason(&error)),
                hint: "it holds certificates in PEM form, each between BEGIN CERTIFICATE and END CERTIFICATE",
            })?;
            certificates.extend(found);
        }
        let mut client = reqwest::Client::builder()
            .user_agent(CLIENT)
            // A redirect would carry a session to another host.
            .redirect(Policy::none())
            .connect_timeout(Duration::from_secs(30))
            // Some calls answer after minutes, with nothing before: tests of Apex, large queries.
            .read_timeout(Duration::from_secs(600))
            .tcp_keepalive(Duration::from_secs(30));
        if !certificates.is_empty() {
            client = client.tls_certs_merge(certificates);
        }
        let client = client.build().map_err(|error| Error::Configuration {
            what: format!("no HTTPS on this machine: {}", reason(&error)),
            hint: "install the certificates of authorities (package ca-certificates)",
        })?;
        Ok(Self(client))
    }

    pub(crate) fn client(&self) -> &reqwest::Client {
        &self.0
    }
}

/// The innermost reason of an error: the outer ones repeat what was attempted.
pub(crate) fn reason(error: &(dyn std::error::Error + 'static)) -> String {
    let mut inner = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string()
}
