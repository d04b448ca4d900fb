//! TLS as the endpoint's `sslmode` asks for it, and what binds an authentication to it.

use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::error::ConnectionError;
use crate::Endpoint;
use crate::endpoint::TlsMode;

mod binding;
mod verifier;

pub(super) use binding::end_point_hash;
use verifier::{AnyCertificate, AnyName};

/// Whether and how to encrypt.
pub(super) struct Tls {
    /// A server that cannot encrypt is no reason to stop.
    pub(super) optional: bool,
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl Tls {
    /// What `endpoint` asks for: `None` is plain text, always so on a unix socket.
    pub(super) fn new(endpoint: &Endpoint) -> Result<Option<Self>, ConnectionError> {
        if endpoint.tls == TlsMode::Disable || endpoint.host.starts_with('/') {
            return Ok(None);
        }
        let name = ServerName::try_from(endpoint.host.clone())
            .map_err(|_| ConnectionError::Tls("the host is no name a certificate can have"))?;
        let provider = Arc::new(ring::default_provider());
        let verifier = verifier(endpoint, &provider)?;
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|_| ConnectionError::Tls("no protocol version"))?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        Ok(Some(Self {
            optional: endpoint.tls == TlsMode::Prefer,
            connector: TlsConnector::from(Arc::new(config)),
            name,
        }))
    }

    /// Shakes hands over a connection whose server has agreed to.
    pub(super) async fn connect(&self, stream: TcpStream) -> std::io::Result<TlsStream<TcpStream>> {
        self.connector.connect(self.name.clone(), stream).await
    }
}

fn verifier(
    endpoint: &Endpoint,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, ConnectionError> {
    let checks_name = match endpoint.tls {
        TlsMode::Disable | TlsMode::Prefer | TlsMode::Require => {
            return Ok(Arc::new(AnyCertificate::new(provider)));
        }
        TlsMode::VerifyCa => false,
        TlsMode::VerifyFull => true,
    };
    let roots = Arc::new(roots(endpoint.root_certificate.as_deref())?);
    let checked = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(provider))
        .build()
        .map_err(|_| ConnectionError::Tls("there are no trusted authorities"))?;
    Ok(if checks_name {
        checked
    } else {
        Arc::new(AnyName(checked))
    })
}

/// The authorities in `file`, else the system's.
fn roots(file: Option<&Path>) -> Result<RootCertStore, ConnectionError> {
    let mut roots = RootCertStore::empty();
    if let Some(file) = file {
        let unreadable = |_| ConnectionError::Tls("the root certificate cannot be read");
        for certificate in CertificateDer::pem_file_iter(file).map_err(unreadable)? {
            let added = roots.add(certificate.map_err(unreadable)?);
            added.map_err(|_| ConnectionError::Tls("the root certificate is not one"))?;
        }
    } else {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    Ok(roots)
}
