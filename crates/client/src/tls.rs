//! Which servers a client believes.

use std::{
    io,
    sync::{Arc, OnceLock},
};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, pem::PemObject},
};

/// The roots that a `wss://` server's certificate must lead to. Clones share them, so thousands of
/// connections cost one copy, and resume each other's TLS sessions.
#[derive(Clone, Debug)]
pub struct ClientTls(Arc<ClientConfig>);

/// Why roots cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RootsError {
    /// The text holds none.
    #[error("the PEM text holds no certificate (BEGIN CERTIFICATE)")]
    NoCertificate,
    /// One of them is none.
    #[error("the PEM text holds a certificate that cannot be read: {why}")]
    Malformed {
        /// What is wrong with it.
        why: String,
    },
    /// The system has none, or keeps them to itself.
    #[error("the system's roots cannot be read: {why}")]
    System {
        /// What the system said.
        why: String,
    },
}

impl ClientTls {
    /// The roots that Mozilla ships, compiled in: the same on every machine.
    pub fn mozilla() -> Self {
        static SHARED: OnceLock<ClientTls> = OnceLock::new();
        let make = || Self::with(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() });
        SHARED.get_or_init(make).clone()
    }

    /// The roots of the machine, which its administrators may have added to.
    ///
    /// # Errors
    /// [`RootsError::System`].
    pub fn system() -> Result<Self, RootsError> {
        let found = rustls_native_certs::load_native_certs();
        let mut roots = RootCertStore::empty();
        let (added, _) = roots.add_parsable_certificates(found.certs);
        if added == 0 {
            let why = found.errors.first().map_or("it has none".to_owned(), ToString::to_string);
            return Err(RootsError::System { why });
        }
        Ok(Self::with(roots))
    }

    /// Nothing but these roots, for servers with certificates of their own making.
    ///
    /// # Errors
    /// [`RootsError::NoCertificate`], [`RootsError::Malformed`].
    pub fn trusting(pem: &[u8]) -> Result<Self, RootsError> {
        let malformed = |why: String| RootsError::Malformed { why };
        let mut roots = RootCertStore::empty();
        for one in CertificateDer::pem_slice_iter(pem) {
            let one = one.map_err(|why| malformed(why.to_string()))?;
            roots.add(one).map_err(|why| malformed(why.to_string()))?;
        }
        if roots.is_empty() { Err(RootsError::NoCertificate) } else { Ok(Self::with(roots)) }
    }

    fn with(roots: RootCertStore) -> Self {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider knows TLS 1.2 and 1.3");
        let mut config = config.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Self(Arc::new(config))
    }

    /// The configuration, for other libraries that speak TLS with the same server. It offers HTTP/1.1.
    pub fn config(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.0)
    }
}

/// Why a TLS handshake failed, if a failed connection was about that.
pub(crate) fn is_about_certificates(error: &io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    matches!(inner, Some(rustls::Error::InvalidCertificate(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_root_is_told() {
        let none = ClientTls::trusting(b"nothing").unwrap_err();
        assert!(none.to_string().contains("holds no certificate"), "{none}");
        let broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let broken = ClientTls::trusting(broken).unwrap_err();
        assert!(broken.to_string().contains("cannot be read"), "{broken}");
        assert!(Arc::ptr_eq(&ClientTls::mozilla().config(), &ClientTls::mozilla().config()));
    }
}
