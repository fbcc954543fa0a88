//! Who this end is.

use std::fmt;
use std::sync::Arc;

use rustls::pki_types::PrivateKeyDer;
use rustls::sign::CertifiedKey;

use crate::error::Error;
use crate::tls::certificate::Certificate;
use crate::tls::pem;
use crate::tls::provider::provider;

/// A certificate with its chain and its private key: that of a server, or of a client that shows
/// one when the server asks (`Control.ClientCertificate` in UWP).
///
/// A clone is the same key, not a copy. `Debug` shows the certificate and never the key.
///
/// ```no_run
/// # fn run() -> Result<(), Box<dyn std::error::Error>> {
/// use twinsock::Identity;
///
/// let identity = Identity::from_pem(std::fs::read("chain.pem")?, std::fs::read("key.pem")?)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Identity(Arc<CertifiedKey>);

impl Identity {
    /// From texts in PEM: the certificate with those that lead from it to the root, which itself
    /// may be left out, and the key in PKCS#8, SEC1 or PKCS#1, not encrypted. Both may be in one
    /// text, which is then given twice.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) when something is
    /// missing or cannot be read, or when the key is not that of the first certificate.
    pub fn from_pem(chain: impl AsRef<[u8]>, key: impl AsRef<[u8]>) -> Result<Self, Error> {
        let chain = Certificate::from_pem(chain)?;
        let what = "a private key (PKCS#8, SEC1 or PKCS#1, not encrypted)";
        Self::new(chain, pem::first(key.as_ref(), what)?)
    }

    /// From certificates, the one's own first, and the key in DER: PKCS#8, SEC1 or PKCS#1.
    ///
    /// # Errors
    /// As [`from_pem`](Self::from_pem).
    pub fn from_der(
        chain: impl IntoIterator<Item = Certificate>,
        key: impl Into<Vec<u8>>,
    ) -> Result<Self, Error> {
        let key = PrivateKeyDer::try_from(key.into()).map_err(|_| {
            Error::invalid_argument(
                "expected a private key in DER (PKCS#8, SEC1 or PKCS#1), got other bytes",
            )
        })?;
        Self::new(chain.into_iter().collect(), key)
    }

    fn new(chain: Vec<Certificate>, key: PrivateKeyDer<'static>) -> Result<Self, Error> {
        if chain.is_empty() {
            return Err(Error::invalid_argument(
                "expected at least one certificate, got none",
            ));
        }
        let chain = chain.into_iter().map(Certificate::into_der).collect();
        match CertifiedKey::from_der(chain, key, &provider()) {
            Ok(key) => Ok(Self(Arc::new(key))),
            Err(error) => Err(Error::invalid_argument(format!(
                "expected a certificate and its private key, got: {error}"
            ))),
        }
    }

    /// The certificate itself, without its chain.
    #[must_use]
    pub fn certificate(&self) -> Option<Certificate> {
        self.0.cert.first().map(Certificate::shown)
    }

    pub(super) fn key(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.0)
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Identity")
            .field("certificate", &self.certificate())
            .finish_non_exhaustive()
    }
}
