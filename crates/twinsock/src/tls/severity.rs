//! How bad it is.

use crate::tls::certificate_error::CertificateError;

/// How bad the errors of a certificate are (`SocketSslErrorSeverity` in UWP): as bad as the worst
/// of them.
///
/// ```
/// use twinsock::{CertificateError, CertificateErrorSeverity};
///
/// assert_eq!(CertificateError::Expired.severity(), CertificateErrorSeverity::Ignorable);
/// assert_eq!(CertificateErrorSeverity::Fatal.number(), 2);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(i32)]
pub enum CertificateErrorSeverity {
    /// There is none.
    #[default]
    None = 0,
    /// Only such as may be ignored, see [`CertificateError::severity`].
    Ignorable = 1,
    /// One at least that may not.
    Fatal = 2,
}

impl CertificateErrorSeverity {
    /// That of the worst of `errors`.
    #[must_use]
    pub fn of(errors: &[CertificateError]) -> Self {
        let severities = errors.iter().copied().map(CertificateError::severity);
        severities.max().unwrap_or_default()
    }

    /// The number of `SocketSslErrorSeverity` in UWP.
    #[must_use]
    pub const fn number(self) -> i32 {
        self as i32
    }
}
