//! Whose certificates of servers are believed: the roots that browsers know, or a private authority
//! that is named. A certificate is always looked at; there is no TLS without.

use std::{path::Path, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};

use crate::OpenError;

/// Certificates of authorities; where none are given, those that browsers know.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    roots: Option<Arc<RootCertStore>>,
}

impl Trust {
    /// Believes the authorities in a file, PEM, and no others.
    ///
    /// # Errors
    /// [`OpenError::Certificates`] where there are none in it, or it can't be read.
    pub fn in_file(path: &Path) -> Result<Self, OpenError> {
        let unusable = |detail: String| OpenError::Certificates {
            path: path.to_owned(),
            detail,
        };
        let certificates = CertificateDer::pem_file_iter(path);
        let certificates = certificates.map_err(|error| unusable(error.to_string()))?;
        let mut roots = RootCertStore::empty();
        for certificate in certificates {
            let certificate = certificate.map_err(|error| unusable(error.to_string()))?;
            let added = roots.add(certificate);
            added.map_err(|error| unusable(error.to_string()))?;
        }
        if roots.is_empty() {
            return Err(unusable("there is no certificate in it".to_owned()));
        }
        Ok(Self {
            roots: Some(Arc::new(roots)),
        })
    }

    /// What a client over TLS needs.
    pub(crate) fn client(&self) -> Result<ClientConfig, OpenError> {
        let roots = self.roots.clone().unwrap_or_else(|| {
            Arc::new(RootCertStore {
                roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
            })
        });
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| OpenError::Tls {
                detail: error.to_string(),
            })?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(config)
    }
}
