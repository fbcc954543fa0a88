use std::error::Error;
use std::fmt;

use http::StatusCode;
use http::header::HeaderName;

use crate::handshake::subprotocol::Subprotocol;

/// The caller asked for something that a handshake must not send.
///
/// ```
/// use twinsock_proto::handshake::Misuse;
/// let misuse = Misuse::ReservedHeader { name: http::header::HOST };
/// assert_eq!(misuse.to_string(), "expected a header of your own, got host, which the handshake sets");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Misuse {
    /// A header's name is not a token.
    HeaderName,
    /// A header's value has a control character, such as a line end. The value is not shown: it may be a secret.
    HeaderValue {
        /// The header's name.
        name: HeaderName,
    },
    /// The header is one of those that the handshake itself sets.
    ReservedHeader {
        /// The header's name.
        name: HeaderName,
    },
    /// The header may be there only once.
    RepeatedHeader {
        /// The header's name.
        name: HeaderName,
    },
    /// There are more headers than can be kept.
    TooManyHeaders,
    /// The subprotocol has been named before (RFC 6455 §4.1, item 10).
    RepeatedProtocol {
        /// The subprotocol.
        protocol: Subprotocol,
    },
    /// The status is interim or has no body, so it cannot end a handshake with a refusal.
    Status {
        /// The status.
        status: StatusCode,
    },
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HeaderName => {
                f.write_str("expected a header name of token characters, got others")
            }
            Self::HeaderValue { name } => {
                write!(
                    f,
                    "expected a value of visible characters for {name}, got others"
                )
            }
            Self::ReservedHeader { name } => {
                write!(
                    f,
                    "expected a header of your own, got {name}, which the handshake sets"
                )
            }
            Self::RepeatedHeader { name } => write!(f, "expected {name} once, got it twice"),
            Self::TooManyHeaders => {
                f.write_str("expected fewer headers, got more than can be kept")
            }
            Self::RepeatedProtocol { protocol } => {
                write!(f, "expected subprotocol {protocol:?} once, got it twice")
            }
            Self::Status { status } => {
                write!(
                    f,
                    "expected a status that refuses and has a body, got {}",
                    status.as_str()
                )
            }
        }
    }
}

impl Error for Misuse {}
