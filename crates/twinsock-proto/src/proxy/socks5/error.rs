use std::error::Error;
use std::fmt;

use super::reply::Refusal;

/// Why a SOCKS 5 proxy's tunnel does not stand. Nothing of a credential is quoted.
///
/// ```
/// use twinsock_proto::proxy::socks5::Socks5Error;
/// let error = Socks5Error::Version { got: b'H' };
/// assert_eq!(error.to_string(), "expected SOCKS version 5, got byte 0x48");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Socks5Error {
    /// The user name is longer than the 255 bytes that fit (RFC 1929 §2).
    UserNameTooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// The password is longer than the 255 bytes that fit (RFC 1929 §2).
    PasswordTooLong,
    /// The proxy speaks something else.
    Version {
        /// The byte in place of the version.
        got: u8,
    },
    /// The proxy accepts none of the methods on offer: it wants a credential, or another kind of authentication.
    NoAcceptableMethod,
    /// The proxy chose a method that was not offered.
    Method {
        /// The method's number.
        got: u8,
    },
    /// The proxy answers user name and password in another version than 1.
    AuthenticationVersion {
        /// The byte in place of the version.
        got: u8,
    },
    /// User name or password are wrong.
    Rejected {
        /// The proxy's status, which is not zero.
        status: u8,
    },
    /// The proxy refused the connection.
    Refused(Refusal),
    /// The reply's address is neither a name nor an IP address.
    AddressType {
        /// The type's number.
        got: u8,
    },
    /// The proxy sent more than its answer before the next request was sent.
    EarlyBytes {
        /// How many bytes more.
        count: usize,
    },
    /// The stream ended before the tunnel stood.
    EndOfStream {
        /// How many bytes of an answer had come.
        received: usize,
    },
}

impl fmt::Display for Socks5Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UserNameTooLong { length } => {
                write!(
                    f,
                    "expected a user name of at most 255 bytes for SOCKS 5, got {length}"
                )
            }
            Self::PasswordTooLong => f.write_str(
                "expected a password of at most 255 bytes for SOCKS 5, got a longer one",
            ),
            Self::Version { got } => write!(f, "expected SOCKS version 5, got byte {got:#04x}"),
            Self::NoAcceptableMethod => f.write_str(
                "expected the proxy to accept an authentication method on offer, got none",
            ),
            Self::Method { got } => {
                write!(
                    f,
                    "expected an authentication method on offer, got number {got}"
                )
            }
            Self::AuthenticationVersion { got } => {
                write!(f, "expected authentication version 1, got byte {got:#04x}")
            }
            Self::Rejected { status } => {
                write!(
                    f,
                    "expected user name and password to be accepted, got status {status}"
                )
            }
            Self::Refused(refusal) => write!(f, "no tunnel: {refusal}"),
            Self::AddressType { got } => {
                write!(f, "expected an address type of SOCKS 5, got number {got}")
            }
            Self::EarlyBytes { count } => {
                write!(
                    f,
                    "expected nothing before the next request, got {count} bytes"
                )
            }
            Self::EndOfStream { received } => {
                write!(
                    f,
                    "expected the proxy's answer, got the end of the stream after {received} bytes of it"
                )
            }
        }
    }
}

impl Error for Socks5Error {}
