//! What can be wrong with a certificate.

use std::fmt;

use crate::tls::severity::CertificateErrorSeverity;
use crate::web_error_status::WebErrorStatus;

/// What can be wrong with a server's certificate (`ChainValidationResult` in UWP, without its
/// `Success`).
///
/// All errors that can be found are told, not only the first: an error may hide only such as are
/// no better than itself. Some can be [ignored](Self::severity):
///
/// | error | may be ignored | found when |
/// | --- | --- | --- |
/// | `Untrusted` | yes | the chain ends in a certificate that issued itself and is not trusted |
/// | `Revoked` | no | a revocation list has the certificate, or one of its chain |
/// | `Expired` | yes | a certificate of the chain is expired or not yet valid |
/// | `IncompleteChain` | yes | the issuer of the last certificate is neither sent nor trusted |
/// | `InvalidSignature` | no | a certificate was not signed with its issuer's key |
/// | `WrongUsage` | yes | its extended usages leave servers out, or it is that of an authority |
/// | `InvalidName` | yes | none of its names is that of the host |
/// | `InvalidCertificateAuthorityPolicy` | no | its issuer may not issue for this name |
/// | `BasicConstraintsError` | no | a certificate has issued another and may not, or not so deep |
/// | `UnknownCriticalExtension` | no | the certificate or one of its chain has such an extension |
/// | `RevocationInformationMissing` | yes | there are revocation lists, but none for a certificate |
/// | `RevocationFailure` | yes | a revocation list is out of date or not properly signed |
/// | `OtherErrors` | no | all else: it cannot be read, uses a weak algorithm, is not the pinned one |
///
/// Where the operating system verifies (Windows, Apple, Android, unless only roots of the
/// application's own are trusted), it decides what is an error, and may not tell all.
///
/// ```
/// use twinsock::CertificateError;
///
/// assert_eq!(CertificateError::Expired.number(), 3);
/// assert_eq!(CertificateError::InvalidName.to_string(), "it is for another name");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
#[repr(i32)]
pub enum CertificateError {
    /// Nobody who is trusted has issued it.
    Untrusted = 1,
    /// Its issuer has revoked it.
    Revoked = 2,
    /// It is out of its dates: expired, or not yet valid.
    Expired = 3,
    /// Its chain does not lead to an end.
    IncompleteChain = 4,
    /// Its signature is not right.
    InvalidSignature = 5,
    /// It is for another use than that of a server, such as a client, or an authority.
    WrongUsage = 6,
    /// It is for another name.
    InvalidName = 7,
    /// It breaks a policy of its issuer.
    InvalidCertificateAuthorityPolicy = 8,
    /// A certificate of the chain may not issue others.
    BasicConstraintsError = 9,
    /// It has a critical extension that is not known.
    UnknownCriticalExtension = 10,
    /// Whether it was revoked is not known: nobody told.
    RevocationInformationMissing = 11,
    /// Whether it was revoked could not be found out.
    RevocationFailure = 12,
    /// Something else.
    OtherErrors = 13,
}

impl CertificateError {
    /// All of them, in the order of their numbers.
    pub const ALL: &'static [Self] = &[
        Self::Untrusted,
        Self::Revoked,
        Self::Expired,
        Self::IncompleteChain,
        Self::InvalidSignature,
        Self::WrongUsage,
        Self::InvalidName,
        Self::InvalidCertificateAuthorityPolicy,
        Self::BasicConstraintsError,
        Self::UnknownCriticalExtension,
        Self::RevocationInformationMissing,
        Self::RevocationFailure,
        Self::OtherErrors,
    ];

    /// The number of `ChainValidationResult` in UWP.
    #[must_use]
    pub const fn number(self) -> i32 {
        self as i32
    }

    /// Whether it may be ignored: `Ignorable` or `Fatal`, see the table above.
    #[must_use]
    pub const fn severity(self) -> CertificateErrorSeverity {
        match self {
            Self::Untrusted
            | Self::Expired
            | Self::IncompleteChain
            | Self::WrongUsage
            | Self::InvalidName
            | Self::RevocationInformationMissing
            | Self::RevocationFailure => CertificateErrorSeverity::Ignorable,
            _ => CertificateErrorSeverity::Fatal,
        }
    }

    /// The one status for all that was found.
    pub(crate) fn status(errors: &[Self]) -> WebErrorStatus {
        match errors {
            [Self::InvalidName] => WebErrorStatus::CertificateCommonNameIsIncorrect,
            [Self::Expired] => WebErrorStatus::CertificateExpired,
            [Self::Revoked] => WebErrorStatus::CertificateRevoked,
            [Self::Untrusted | Self::IncompleteChain | Self::InvalidSignature] => {
                WebErrorStatus::CertificateIsInvalid
            }
            _ => WebErrorStatus::CertificateContainsErrors,
        }
    }
}

impl fmt::Display for CertificateError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Untrusted => "nobody who is trusted has issued it",
            Self::Revoked => "it was revoked",
            Self::Expired => "it is out of its dates",
            Self::IncompleteChain => "its chain is not complete",
            Self::InvalidSignature => "its signature is not right",
            Self::WrongUsage => "it is for another use",
            Self::InvalidName => "it is for another name",
            Self::InvalidCertificateAuthorityPolicy => "it breaks a policy of its issuer",
            Self::BasicConstraintsError => "a certificate of its chain may not issue others",
            Self::UnknownCriticalExtension => "it has a critical extension that is not known",
            Self::RevocationInformationMissing => "whether it was revoked is not known",
            Self::RevocationFailure => "whether it was revoked could not be found out",
            Self::OtherErrors => "it has another error",
        })
    }
}
