//! The certificate of the server: read at the start, and again when it changes.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem};

use crate::config::TlsFiles;

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    /// A file cannot be read or holds no PEM.
    #[error("cannot read `{path}`")]
    Read {
        path: String,
        #[source]
        source: pem::Error,
    },
    /// There is no certificate in the file.
    #[error("there is no certificate in `{0}`")]
    Empty(String),
    /// The key cannot be used, or is not that of the certificate.
    #[error("the key in `{key}` does not go with the certificate in `{certificate}`")]
    Pair {
        key: String,
        certificate: String,
        #[source]
        source: rustls::Error,
    },
    /// TLS cannot be set up.
    #[error("cannot set up TLS")]
    Setup(#[source] rustls::Error),
}

impl TlsError {
    /// What to do about it.
    pub(crate) fn hint(&self) -> &'static str {
        match self {
            Self::Read { .. } => "both files are PEM and must be readable by this user",
            Self::Empty(_) => "`tls_certificate` holds the chain, the server's own first",
            Self::Pair { .. } => "take both from the same certificate authority's answer",
            Self::Setup(_) => "this is not your fault: report it",
        }
    }
}

/// A certificate that can be exchanged while connections come in.
#[derive(Debug)]
pub(crate) struct Certificate {
    files: TlsFiles,
    current: RwLock<Current>,
}

#[derive(Debug)]
struct Current {
    key: Arc<CertifiedKey>,
    stamp: Stamp,
}

/// When the files were changed last, as far as the system knows.
type Stamp = [Option<(SystemTime, u64)>; 2];

impl Certificate {
    /// Reads both files.
    pub(crate) fn read(files: &TlsFiles) -> Result<Arc<Self>, TlsError> {
        let current = Current {
            stamp: stamp(files),
            key: Arc::new(certified(files)?),
        };
        Ok(Arc::new(Self {
            files: files.clone(),
            current: RwLock::new(current),
        }))
    }

    /// Reads them again. What cannot be used leaves the old certificate in place.
    pub(crate) fn reload(&self) -> Result<(), TlsError> {
        let stamp = stamp(&self.files);
        let read = certified(&self.files);
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        // Not asked again before they change once more.
        current.stamp = stamp;
        current.key = Arc::new(read?);
        Ok(())
    }

    /// Whether the files changed since they were read.
    pub(crate) fn is_stale(&self) -> bool {
        let stamp = stamp(&self.files);
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        stamp != current.stamp
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        Some(Arc::clone(&current.key))
    }
}

/// How connections are secured.
pub(crate) fn server(certificate: Arc<Certificate>) -> Result<Arc<ServerConfig>, TlsError> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Setup)?
        .with_no_client_auth()
        .with_cert_resolver(certificate);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// The chain of a file, as it is sent.
pub(crate) fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let told = |source| TlsError::Read {
        path: path.display().to_string(),
        source,
    };
    let found: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path).map_err(told)?.collect();
    let chain = found.map_err(told)?;
    if chain.is_empty() {
        return Err(TlsError::Empty(path.display().to_string()));
    }
    Ok(chain)
}

fn certified(files: &TlsFiles) -> Result<CertifiedKey, TlsError> {
    let chain = chain(&files.certificate)?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|source| TlsError::Read {
        path: files.key.display().to_string(),
        source,
    })?;
    CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider()).map_err(|source| {
        TlsError::Pair {
            key: files.key.display().to_string(),
            certificate: files.certificate.display().to_string(),
            source,
        }
    })
}

fn stamp(files: &TlsFiles) -> Stamp {
    let of = |path: &Path| -> io::Result<(SystemTime, u64)> {
        let file = fs::metadata(path)?;
        Ok((file.modified()?, file.len()))
    };
    [of(&files.certificate).ok(), of(&files.key).ok()]
}
