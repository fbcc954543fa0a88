//! What the examination of a certificate came to.

use std::fmt;
use std::sync::Arc;

use rustls::OtherError;

use crate::tls::certificate_error::CertificateError;

/// The errors of a certificate, each kind once, in the order in which they were found.
#[derive(Clone, Debug, Default)]
pub(super) struct Findings(Vec<Finding>);

#[derive(Clone, Debug)]
struct Finding {
    error: CertificateError,
    cause: Cause,
}

/// Who found it.
#[derive(Clone, Debug)]
pub(super) enum Cause {
    Webpki(webpki::Error),
    Rustls(rustls::CertificateError),
    /// This library: the text tells what.
    Own(&'static str),
}

impl Findings {
    /// Notes what was found. A kind that is there already keeps its first cause.
    pub(super) fn add(&mut self, error: CertificateError, cause: Cause) {
        if !self.has(error) {
            self.0.push(Finding { error, cause });
        }
    }

    pub(super) fn has(&self, error: CertificateError) -> bool {
        self.0.iter().any(|finding| finding.error == error)
    }

    /// Takes back what turned out not to be so.
    pub(super) fn remove(&mut self, error: CertificateError) {
        self.0.retain(|finding| finding.error != error);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn errors(&self) -> Vec<CertificateError> {
        self.0.iter().map(|finding| finding.error).collect()
    }

    /// For rustls, which picks the alert for the peer by it; [`listed`] finds the errors again.
    pub(super) fn into_rustls(self) -> rustls::CertificateError {
        match self.0.as_slice() {
            [finding] => as_rustls(finding),
            _ => None,
        }
        .unwrap_or_else(|| rustls::CertificateError::Other(OtherError(Arc::new(self))))
    }
}

/// All errors in what a verifier said.
pub(crate) fn listed(error: &rustls::CertificateError) -> Vec<CertificateError> {
    match findings_in(error) {
        Some(findings) => findings.errors(),
        None => vec![of_rustls(error)],
    }
}

/// The same in words.
pub(crate) fn described(error: &rustls::CertificateError) -> String {
    match findings_in(error) {
        Some(findings) => findings.to_string(),
        None => of_rustls(error).to_string(),
    }
}

/// What this library's own verifier said through rustls, unless that was one error of rustls'.
fn findings_in(error: &rustls::CertificateError) -> Option<&Findings> {
    match error {
        rustls::CertificateError::Other(OtherError(inside)) => inside.downcast_ref(),
        _ => None,
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.cause {
            Cause::Own(text) => formatter.write_str(text),
            Cause::Webpki(_) | Cause::Rustls(_) => self.error.fmt(formatter),
        }
    }
}

/// The sort of an error of webpki.
pub(super) fn of_webpki(error: &webpki::Error) -> CertificateError {
    use webpki::Error;
    match error {
        Error::CertExpired { .. } | Error::CertNotValidYet { .. } => CertificateError::Expired,
        Error::CertNotValidForName(_) => CertificateError::InvalidName,
        Error::UnknownIssuer => CertificateError::Untrusted,
        Error::CertRevoked => CertificateError::Revoked,
        Error::InvalidSignatureForPublicKey | Error::SignatureAlgorithmMismatch => {
            CertificateError::InvalidSignature
        }
        Error::RequiredEkuNotFoundContext(_)
        | Error::EmptyEkuExtension
        | Error::CaUsedAsEndEntity => CertificateError::WrongUsage,
        Error::NameConstraintViolation => CertificateError::InvalidCertificateAuthorityPolicy,
        Error::EndEntityUsedAsCa | Error::PathLenConstraintViolated => {
            CertificateError::BasicConstraintsError
        }
        Error::UnsupportedCriticalExtension => CertificateError::UnknownCriticalExtension,
        Error::UnknownRevocationStatus => CertificateError::RevocationInformationMissing,
        Error::CrlExpired { .. }
        | Error::InvalidCrlSignatureForPublicKey
        | Error::IssuerNotCrlSigner
        | Error::UnsupportedCrlSignatureAlgorithmContext(_)
        | Error::UnsupportedCrlSignatureAlgorithmForPublicKeyContext(_) => {
            CertificateError::RevocationFailure
        }
        _ => CertificateError::OtherErrors,
    }
}

/// The sort of an error of another verifier: the system's, or that of a caller's configuration.
pub(super) fn of_rustls(error: &rustls::CertificateError) -> CertificateError {
    use rustls::CertificateError as Theirs;
    match error {
        Theirs::Expired
        | Theirs::ExpiredContext { .. }
        | Theirs::NotValidYet
        | Theirs::NotValidYetContext { .. } => CertificateError::Expired,
        Theirs::NotValidForName | Theirs::NotValidForNameContext { .. } => {
            CertificateError::InvalidName
        }
        Theirs::UnknownIssuer => CertificateError::Untrusted,
        Theirs::Revoked => CertificateError::Revoked,
        Theirs::BadSignature => CertificateError::InvalidSignature,
        Theirs::InvalidPurpose | Theirs::InvalidPurposeContext { .. } => {
            CertificateError::WrongUsage
        }
        Theirs::UnhandledCriticalExtension => CertificateError::UnknownCriticalExtension,
        Theirs::UnknownRevocationStatus => CertificateError::RevocationInformationMissing,
        Theirs::ExpiredRevocationList
        | Theirs::ExpiredRevocationListContext { .. }
        | Theirs::InvalidOcspResponse => CertificateError::RevocationFailure,
        Theirs::Other(OtherError(inside)) => inside
            .downcast_ref::<webpki::Error>()
            .map_or(CertificateError::OtherErrors, of_webpki),
        _ => CertificateError::OtherErrors,
    }
}

/// What rustls has a word of its own for; `None` where [`listed`] would find another error.
fn as_rustls(finding: &Finding) -> Option<rustls::CertificateError> {
    use rustls::CertificateError as Theirs;
    use webpki::{Error, InvalidNameContext};
    let theirs = match finding.cause.clone() {
        Cause::Webpki(Error::CertExpired { time, not_after }) => {
            Theirs::ExpiredContext { time, not_after }
        }
        Cause::Webpki(Error::CertNotValidYet { time, not_before }) => {
            Theirs::NotValidYetContext { time, not_before }
        }
        Cause::Webpki(Error::CertNotValidForName(InvalidNameContext {
            expected,
            presented,
        })) => Theirs::NotValidForNameContext {
            expected,
            presented,
        },
        Cause::Webpki(Error::UnknownIssuer) => Theirs::UnknownIssuer,
        Cause::Webpki(Error::CertRevoked) => Theirs::Revoked,
        Cause::Webpki(Error::InvalidSignatureForPublicKey) => Theirs::BadSignature,
        Cause::Webpki(Error::RequiredEkuNotFoundContext(_)) => Theirs::InvalidPurpose,
        Cause::Rustls(error) => error,
        _ => return None,
    };
    (of_rustls(&theirs) == finding.error).then_some(theirs)
}

impl fmt::Display for Findings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, finding) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(formatter, "{separator}{finding}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Findings {}
