use std::error::Error;
use std::fmt;

/// Why a text is no [`WebSocketUri`](super::WebSocketUri), or why a host and port are not valid.
///
/// Quoted parts are at most 64 characters long; user information is never quoted, because it may be a password.
///
/// ```
/// use twinsock_proto::uri::{UriError, WebSocketUri};
///
/// let error = "https://echo.example".parse::<WebSocketUri>().unwrap_err();
/// assert_eq!(error.to_string(), "expected scheme ws or wss, got \"https\" (its WebSocket form is wss)");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UriError {
    /// A control character, a space or a non-ASCII character, at this byte offset.
    ForbiddenCharacter {
        /// The character.
        character: char,
        /// Its offset in bytes.
        position: usize,
    },
    /// The text does not start with `scheme://`.
    NotAbsolute,
    /// The scheme is neither `ws` nor `wss`.
    Scheme {
        /// The scheme that came.
        got: String,
    },
    /// There is a fragment (RFC 6455 §3 forbids it).
    Fragment,
    /// There is a user name or password; credentials belong into an `Authorization` header.
    UserInfo,
    /// There is no host.
    EmptyHost,
    /// The host is neither a DNS name nor an IP address.
    Host {
        /// The host that came.
        got: String,
    },
    /// The host is not ASCII; DNS knows it by another name (RFC 5890), to which the feature `idn` converts it.
    InternationalHost {
        /// The host that came.
        got: String,
    },
    /// What follows the `%` of an IPv6 address is no zone, or the address is not a link-local one (RFC 6874).
    Zone {
        /// Address and zone that came.
        got: String,
    },
    /// The port is not a number from 1 to 65535.
    Port {
        /// The port that came.
        got: String,
    },
    /// A `%` that is not followed by two hexadecimal digits, at this byte offset (RFC 3986 §2.1).
    PercentEncoding {
        /// The offset in bytes.
        position: usize,
    },
}

impl fmt::Display for UriError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ForbiddenCharacter {
                character,
                position,
            } => {
                write!(
                    f,
                    "expected characters of RFC 3986, got {character:?} at byte {position}"
                )
            }
            Self::NotAbsolute => {
                f.write_str("expected an address that starts with ws:// or wss://")
            }
            Self::Scheme { got } => {
                write!(f, "expected scheme ws or wss, got {got:?}")?;
                match got.as_str() {
                    "http" => f.write_str(" (its WebSocket form is ws)"),
                    "https" => f.write_str(" (its WebSocket form is wss)"),
                    _ => Ok(()),
                }
            }
            Self::Fragment => f.write_str("expected no fragment, got one after '#'"),
            Self::UserInfo => f.write_str("expected no user information, got some before '@'"),
            Self::EmptyHost => f.write_str("expected a host, got none"),
            Self::Host { got } => write!(f, "expected a DNS name or an IP address, got {got:?}"),
            Self::InternationalHost { got } => {
                write!(f, "expected a host in its ASCII form (xn--), got {got:?}")
            }
            Self::Zone { got } => {
                write!(
                    f,
                    "expected a link-local address with a zone, as in [fe80::1%25eth0], got {got:?}"
                )
            }
            Self::Port { got } => write!(f, "expected a port from 1 to 65535, got {got:?}"),
            Self::PercentEncoding { position } => {
                write!(
                    f,
                    "expected two hexadecimal digits after '%' at byte {position}"
                )
            }
        }
    }
}

impl Error for UriError {}

/// As much of `text` as an error quotes.
pub(super) fn bounded(text: &str) -> String {
    text.chars().take(MAX_QUOTED).collect()
}

const MAX_QUOTED: usize = 64;
