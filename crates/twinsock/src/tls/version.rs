//! Versions of TLS.

use std::fmt;

use rustls::{ProtocolVersion, SupportedProtocolVersion, version};

use crate::error::Error;

/// A version of TLS. Older ones are not spoken.
///
/// ```
/// assert_eq!(twinsock::TlsVersion::Tls13.to_string(), "TLS 1.3");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum TlsVersion {
    /// RFC 5246.
    Tls12,
    /// RFC 8446.
    Tls13,
}

impl TlsVersion {
    /// All that are spoken unless they were narrowed.
    pub(super) fn all() -> Vec<Self> {
        vec![Self::Tls12, Self::Tls13]
    }

    pub(super) fn of(version: ProtocolVersion) -> Option<Self> {
        match version {
            ProtocolVersion::TLSv1_2 => Some(Self::Tls12),
            ProtocolVersion::TLSv1_3 => Some(Self::Tls13),
            _ => None,
        }
    }

    /// As rustls takes them.
    pub(super) fn supported(
        versions: &[Self],
    ) -> Result<Vec<&'static SupportedProtocolVersion>, Error> {
        if versions.is_empty() {
            return Err(Error::invalid_argument(
                "expected at least one version of TLS, got none",
            ));
        }
        let supported = versions.iter().map(|version| match version {
            Self::Tls12 => &version::TLS12,
            Self::Tls13 => &version::TLS13,
        });
        Ok(supported.collect())
    }
}

impl fmt::Display for TlsVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Tls12 => "TLS 1.2",
            Self::Tls13 => "TLS 1.3",
        })
    }
}
