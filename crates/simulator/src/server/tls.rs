//! TLS with a certificate authority of the simulator's own. Clients are told to trust `ca.pem`
//! (`NODE_EXTRA_CA_CERTS`, `REQUESTS_CA_BUNDLE`).

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// Names that the server's certificate is for: this machine, and those of real orgs for a proxy that leads them here.
const NAMES: [&str; 7] = [
    "localhost",
    "127.0.0.1",
    "::1",
    "login.salesforce.com",
    "test.salesforce.com",
    "*.my.salesforce.com",
    "*.sandbox.my.salesforce.com",
];

/// TLS of a world.
#[derive(Clone)]
pub(crate) struct Tls {
    /// Takes connections.
    pub(crate) acceptor: TlsAcceptor,
    /// The authority's certificate, PEM.
    pub(crate) ca: String,
    /// The file it was written to.
    pub(crate) ca_file: Option<PathBuf>,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls")
            .field("ca_file", &self.ca_file)
            .finish_non_exhaustive()
    }
}

/// Makes the authority, or takes up the one in the folder, and a certificate of the server signed by it.
pub(crate) fn open(folder: Option<&Path>) -> Result<Tls, String> {
    let told = |what: &str| {
        let what = what.to_owned();
        move |error: rcgen::Error| format!("{what}: {error}")
    };
    let key_file = folder.map(|folder| folder.join("ca-key.pem"));
    let ca_file = folder.map(|folder| folder.join("ca.pem"));
    let kept = key_file.as_ref().and_then(|file| std::fs::read_to_string(file).ok());
    let key = match &kept {
        Some(pem) => KeyPair::from_pem(pem).map_err(told("the key of the certificate authority"))?,
        None => KeyPair::generate().map_err(told("a new key"))?,
    };
    let params = authority()?;
    // The same authority again needs the same certificate: clients hold it.
    let old = ca_file
        .as_ref()
        .filter(|_| kept.is_some())
        .and_then(|file| std::fs::read_to_string(file).ok());
    let ca = match old {
        Some(pem) => pem,
        None => params
            .self_signed(&key)
            .map_err(told("the certificate authority"))?
            .pem(),
    };
    if let (Some(key_file), Some(ca_file), None) = (&key_file, &ca_file, &kept) {
        write(key_file, &key.serialize_pem(), 0o600)?;
        write(ca_file, &ca, 0o644)?;
    }
    let issuer = Issuer::new(params, key);
    let own = KeyPair::generate().map_err(told("a new key"))?;
    let mut leaf = CertificateParams::new(NAMES.map(str::to_owned)).map_err(told("the names of the server"))?;
    leaf.distinguished_name.push(DnType::CommonName, "Syncline simulator");
    let leaf = leaf
        .signed_by(&own, &issuer)
        .map_err(told("the server's certificate"))?;
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(own.serialize_der()));
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            builder
                .with_no_client_auth()
                .with_single_cert(vec![leaf.der().clone()], private)
        })
        .map_err(|error| format!("TLS: {error}"))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Tls {
        acceptor: TlsAcceptor::from(Arc::new(config)),
        ca,
        ca_file,
    })
}

/// Writes a new file with these permissions, where the system has such.
fn write(file: &Path, text: &str, mode: u32) -> Result<(), String> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    #[cfg(not(unix))]
    let _ = mode;
    options
        .open(file)
        .and_then(|mut open| std::io::Write::write_all(&mut open, text.as_bytes()))
        .map_err(|error| format!("cannot write {}: {error}", file.display()))
}

fn authority() -> Result<CertificateParams, String> {
    let mut params = CertificateParams::new(Vec::<String>::new()).map_err(|error| error.to_string())?;
    params
        .distinguished_name
        .push(DnType::CommonName, "Syncline simulator test authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}
