use std::error::Error;
use std::fmt;

use crate::handshake::HeadError;
use crate::handshake::client::Refusal;
use crate::handshake::response_collector::NoAgreement;

/// Why an HTTP proxy's tunnel does not stand.
///
/// ```
/// use twinsock_proto::proxy::http::TunnelError;
/// let error = TunnelError::EndOfStream { received: 0 };
/// assert_eq!(error.to_string(), "expected a proxy's response, got the end of the stream");
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum TunnelError {
    /// The response is not HTTP/1, or is beyond our limits.
    Head(HeadError),
    /// The stream ended before the head did.
    EndOfStream {
        /// How many bytes of response had come.
        received: usize,
    },
    /// The proxy answered with another status than 2xx; 407 asks for [authentication](crate::authentication).
    Refused(Box<Refusal>),
    /// There were more 1xx responses than a client has to put up with (RFC 9110 §15.2).
    TooManyInterimResponses {
        /// How many are skipped.
        limit: usize,
    },
}

impl fmt::Display for TunnelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Head(error) => write!(f, "bad response of a proxy: {error}"),
            Self::EndOfStream { received: 0 } => {
                f.write_str("expected a proxy's response, got the end of the stream")
            }
            Self::EndOfStream { received } => {
                write!(
                    f,
                    "expected the rest of a proxy's response, got the end of the stream after {received} bytes"
                )
            }
            Self::Refused(refusal) => write!(f, "no tunnel: {refusal}"),
            Self::TooManyInterimResponses { limit } => {
                write!(f, "expected at most {limit} interim responses, got more")
            }
        }
    }
}

impl Error for TunnelError {}

impl From<HeadError> for TunnelError {
    fn from(error: HeadError) -> Self {
        Self::Head(error)
    }
}

impl From<NoAgreement> for TunnelError {
    fn from(reason: NoAgreement) -> Self {
        match reason {
            NoAgreement::Head(error) => Self::Head(error),
            NoAgreement::EndOfStream { received } => Self::EndOfStream { received },
            NoAgreement::Refused(refusal) => Self::Refused(refusal),
            NoAgreement::TooManyInterimResponses { limit } => {
                Self::TooManyInterimResponses { limit }
            }
        }
    }
}
