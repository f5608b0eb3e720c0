//! TLS by rustls: certificate and key from PEM files, read again when asked to.
//!
//! Does not fetch or renew certificates.

use std::{path::PathBuf, sync::Arc};

use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

/// Where the certificate chain and its key are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate chain as PEM, the server's own certificate first.
    pub certificates: PathBuf,
    /// The private key as PEM (PKCS#8, PKCS#1 or SEC1).
    pub key: PathBuf,
}

/// Why TLS can't be offered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file can't be read, or isn't PEM of the kind that is needed.
    #[error("can't read {} as {what} in PEM form", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What was looked for in it.
        what: &'static str,
        /// What went wrong.
        source: rustls::pki_types::pem::Error,
    },
    /// There is no certificate in the file.
    #[error("{} contains no certificate", path.display())]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// Certificate and key don't go together, or aren't supported.
    #[error("certificate and key can't be used")]
    Unusable(#[source] rustls::Error),
}

impl TlsFiles {
    /// Reads the files and makes of them what a listener needs; offers `h2` and `http/1.1`.
    ///
    /// # Errors
    /// [`TlsError`] says which file is at fault.
    pub fn load(&self) -> Result<Arc<ServerConfig>, TlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Unusable)?
            .with_no_client_auth()
            .with_single_cert(self.load_certificates()?, self.load_key()?)
            .map_err(TlsError::Unusable)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }

    fn load_certificates(&self) -> Result<Vec<CertificateDer<'static>>, TlsError> {
        let unreadable = |source| TlsError::Unreadable {
            path: self.certificates.clone(),
            what: "a certificate chain",
            source,
        };
        let certificates = CertificateDer::pem_file_iter(&self.certificates).map_err(unreadable)?;
        let certificates: Vec<_> = certificates.collect::<Result<_, _>>().map_err(unreadable)?;
        if certificates.is_empty() {
            return Err(TlsError::NoCertificate {
                path: self.certificates.clone(),
            });
        }
        Ok(certificates)
    }

    fn load_key(&self) -> Result<PrivateKeyDer<'static>, TlsError> {
        PrivateKeyDer::from_pem_file(&self.key).map_err(|source| TlsError::Unreadable {
            path: self.key.clone(),
            what: "a private key",
            source,
        })
    }
}
