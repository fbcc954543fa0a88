//! A certificate, as it is.

use std::fmt;
use std::time::{Duration, SystemTime};

use rustls::pki_types::{CertificateDer, UnixTime};
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};

use crate::error::Error;
use crate::tls::{pem, provider};

/// An X.509 certificate (`Certificate` in UWP).
///
/// ```
/// use twinsock::{Certificate, ErrorKind};
///
/// let error = Certificate::from_pem("no certificate").unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::InvalidArgument);
/// assert_eq!(error.to_string(), "expected certificates in PEM, got none");
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Certificate(CertificateDer<'static>);

impl Certificate {
    /// All certificates of a text in PEM, of which there has to be one at least.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) when there is none, or
    /// one that cannot be read.
    pub fn from_pem(pem: impl AsRef<[u8]>) -> Result<Vec<Self>, Error> {
        let certificates = pem::all::<CertificateDer<'static>>(pem.as_ref(), "certificates")?;
        certificates.into_iter().map(Self::checked).collect()
    }

    /// A certificate in DER.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) when it is none.
    pub fn from_der(der: impl Into<Vec<u8>>) -> Result<Self, Error> {
        Self::checked(CertificateDer::from(der.into()))
    }

    /// One that a peer has shown, whatever it is.
    pub(super) fn shown(der: &CertificateDer<'_>) -> Self {
        Self(der.clone().into_owned())
    }

    fn checked(der: CertificateDer<'static>) -> Result<Self, Error> {
        match anchor_from_trusted_cert(&der) {
            Ok(_) => Ok(Self(der)),
            Err(error) => Err(Error::invalid_argument(format!(
                "expected an X.509 certificate in DER, got {} bytes that are none: {error}",
                der.len()
            ))),
        }
    }

    /// The certificate in DER (`GetCertificateBlob` in UWP).
    #[must_use]
    pub fn as_der(&self) -> &[u8] {
        &self.0
    }

    /// The SHA-256 of the certificate, as tools show it as its fingerprint
    /// (`GetHashValue("SHA256")` in UWP).
    #[must_use]
    pub fn sha256(&self) -> [u8; 32] {
        provider::sha256(&self.0)
    }

    /// The SHA-1 of the certificate (`GetHashValue` in UWP): for lists that have no better one,
    /// since it can be forged.
    #[must_use]
    pub fn sha1(&self) -> [u8; 20] {
        provider::sha1(&self.0)
    }

    /// The SHA-256 of the public key with its algorithm (`SubjectPublicKeyInfo`), which stays when
    /// a certificate is renewed with the same key; `None` when the certificate cannot be read.
    #[must_use]
    pub fn public_key_sha256(&self) -> Option<[u8; 32]> {
        let key = self.parsed()?.subject_public_key_info();
        Some(provider::sha256(&key))
    }

    /// The DNS names that it is for; none when it cannot be read. `*.example.com` stands for all
    /// names with one label more.
    #[must_use]
    pub fn dns_names(&self) -> Vec<String> {
        let Some(certificate) = self.parsed() else {
            return Vec::new();
        };
        certificate.valid_dns_names().map(str::to_owned).collect()
    }

    /// The number that its issuer gave it, the most significant byte first; `None` when it cannot
    /// be read (`SerialNumber` in UWP).
    #[must_use]
    pub fn serial_number(&self) -> Option<Vec<u8>> {
        Some(self.parsed()?.serial().to_vec())
    }

    /// When it begins to be valid; `None` when it cannot be read, or is older than 1970
    /// (`ValidFrom` in UWP).
    #[must_use]
    pub fn valid_from(&self) -> Option<SystemTime> {
        match self.complaint_at(UnixTime::since_unix_epoch(Duration::ZERO))? {
            webpki::Error::CertNotValidYet { not_before, .. } => system_time(not_before),
            _ => None,
        }
    }

    /// When it stops being valid; `None` when it cannot be read (`ValidTo` in UWP).
    #[must_use]
    pub fn valid_to(&self) -> Option<SystemTime> {
        match self.complaint_at(UnixTime::since_unix_epoch(Duration::MAX))? {
            webpki::Error::CertExpired { not_after, .. } => system_time(not_after),
            _ => None,
        }
    }

    /// What is wrong with it at a time: its dates are looked at before anything else.
    fn complaint_at(&self, time: UnixTime) -> Option<webpki::Error> {
        let certificate = self.parsed()?;
        let usage = KeyUsage::server_auth();
        certificate
            .verify_for_usage(&[], &[], &[], time, usage, None, None)
            .err()
    }

    fn parsed(&self) -> Option<EndEntityCert<'_>> {
        EndEntityCert::try_from(&self.0).ok()
    }

    pub(super) fn into_der(self) -> CertificateDer<'static> {
        self.0
    }

    pub(super) fn der(&self) -> &CertificateDer<'static> {
        &self.0
    }
}

fn system_time(time: UnixTime) -> Option<SystemTime> {
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(time.as_secs()))
}

/// Shows the names and the fingerprint.
impl fmt::Debug for Certificate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fingerprint = self.sha256();
        let fingerprint: String = fingerprint
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        formatter
            .debug_struct("Certificate")
            .field("dns_names", &self.dns_names())
            .field("sha256", &fingerprint)
            .finish()
    }
}
