use std::error::Error;
use std::fmt;

use http::header::HeaderName;

use super::head::HeadError;
use crate::deflate::parameter_list::DeflateParameterError;
use crate::handshake::client::Refusal;
use crate::handshake::excerpt::Excerpt;

/// Why a client's opening handshake did not open a connection (RFC 6455 §4.1).
///
/// ```
/// use twinsock_proto::handshake::HandshakeError;
/// let error = HandshakeError::EndOfStream { received: 0 };
/// assert_eq!(error.to_string(), "expected a response, got the end of the stream");
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum HandshakeError {
    /// The response is not HTTP/1.1, or is beyond our limits.
    Head(HeadError),
    /// The stream ended before the head did.
    EndOfStream {
        /// How many bytes of response had come.
        received: usize,
    },
    /// The server answered with another status than 101.
    Refused(Box<Refusal>),
    /// There were more 1xx responses than a client has to put up with (RFC 9110 §15.2).
    TooManyInterimResponses {
        /// How many are skipped.
        limit: usize,
    },
    /// A header that must be in a 101 response is not.
    MissingHeader {
        /// Its name.
        name: HeaderName,
    },
    /// A header that may come once came more often, or breaks its grammar.
    MalformedHeader {
        /// Its name.
        name: HeaderName,
    },
    /// `Upgrade` is not `websocket`.
    Upgrade {
        /// Its value.
        got: Excerpt,
    },
    /// `Connection` does not list `upgrade`.
    Connection {
        /// Its first value.
        got: Excerpt,
    },
    /// `Sec-WebSocket-Accept` does not answer our key: the server does not speak WebSocket, or a cache answered.
    Accept {
        /// Its value.
        got: Excerpt,
    },
    /// The server uses an extension that was not offered.
    Extension {
        /// The extension's name.
        got: Excerpt,
    },
    /// The server compresses, but not as it was offered (RFC 7692 §7.1).
    Deflate(DeflateParameterError),
    /// The server chose a subprotocol that was not offered.
    Protocol {
        /// The subprotocol.
        got: Excerpt,
    },
    /// A 101 response announces a body, which it cannot have (RFC 9110 §8.6, RFC 9112 §6.1).
    Body {
        /// The header that announces it.
        name: HeaderName,
    },
}

impl fmt::Display for HandshakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Head(error) => write!(f, "bad response: {error}"),
            Self::EndOfStream { received: 0 } => {
                f.write_str("expected a response, got the end of the stream")
            }
            Self::EndOfStream { received } => {
                write!(
                    f,
                    "expected the rest of a response, got the end of the stream after {received} bytes"
                )
            }
            Self::Refused(refusal) => fmt::Display::fmt(refusal, f),
            Self::TooManyInterimResponses { limit } => {
                write!(f, "expected at most {limit} interim responses, got more")
            }
            Self::MissingHeader { name } => write!(f, "expected a {name} header, got none"),
            Self::MalformedHeader { name } => {
                write!(
                    f,
                    "expected one well-formed {name} header, got something else"
                )
            }
            Self::Upgrade { got } => write!(f, "expected upgrade \"websocket\", got {got}"),
            Self::Connection { got } => write!(f, "expected connection \"upgrade\", got {got}"),
            Self::Accept { got } => {
                write!(f, "expected the answer to our sec-websocket-key, got {got}")
            }
            Self::Extension { got } => {
                write!(f, "expected no extension but those offered, got {got}")
            }
            Self::Deflate(error) => write!(f, "bad permessage-deflate: {error}"),
            Self::Protocol { got } => {
                write!(f, "expected no subprotocol but those offered, got {got}")
            }
            Self::Body { name } => {
                write!(f, "expected no body in a 101 response, got a {name} header")
            }
        }
    }
}

impl Error for HandshakeError {}

impl From<DeflateParameterError> for HandshakeError {
    fn from(error: DeflateParameterError) -> Self {
        Self::Deflate(error)
    }
}

impl From<HeadError> for HandshakeError {
    fn from(error: HeadError) -> Self {
        Self::Head(error)
    }
}
