//! Lists of revoked certificates (RFC 5280 §5).

use std::fmt;

use rustls::pki_types::CertificateRevocationListDer;
use webpki::{CertRevocationList, OwnedCertRevocationList};

use crate::error::Error;
use crate::tls::pem;

/// A list of certificates that their issuer has revoked (CRL); see
/// [`ClientTlsBuilder::revocation_lists`](crate::ClientTlsBuilder::revocation_lists).
///
/// ```
/// use twinsock::{ErrorKind, RevocationList};
///
/// let error = RevocationList::from_der([0xFF]).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::InvalidArgument);
/// ```
#[derive(Clone)]
pub struct RevocationList(CertificateRevocationListDer<'static>);

impl RevocationList {
    /// All lists of a text in PEM, of which there has to be one at least.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) when there is none, or
    /// one that cannot be read.
    pub fn from_pem(pem: impl AsRef<[u8]>) -> Result<Vec<Self>, Error> {
        let lists = pem::all(pem.as_ref(), "revocation lists")?;
        lists.into_iter().map(Self::checked).collect()
    }

    /// A list in DER.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) when it is none.
    pub fn from_der(der: impl Into<Vec<u8>>) -> Result<Self, Error> {
        Self::checked(CertificateRevocationListDer::from(der.into()))
    }

    fn checked(der: CertificateRevocationListDer<'static>) -> Result<Self, Error> {
        parse(&der)?;
        Ok(Self(der))
    }

    pub(super) fn parsed(&self) -> Result<CertRevocationList<'static>, Error> {
        parse(&self.0)
    }
}

fn parse(der: &CertificateRevocationListDer<'_>) -> Result<CertRevocationList<'static>, Error> {
    match OwnedCertRevocationList::from_der(der) {
        Ok(list) => Ok(list.into()),
        Err(error) => Err(Error::invalid_argument(format!(
            "expected a certificate revocation list in DER, got {} bytes that are none: {error}",
            der.len()
        ))),
    }
}

impl fmt::Debug for RevocationList {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "RevocationList({} bytes)", self.0.len())
    }
}
