use std::error::Error;
use std::fmt;

use http::StatusCode;
use http::header::HeaderName;

use super::head::HeadError;
use crate::handshake::excerpt::Excerpt;
use crate::handshake::key::KeyError;
use crate::handshake::subprotocol::Subprotocol;
use crate::uri::UriError;

/// Why a server refused a client's opening handshake (RFC 6455 §4.2).
///
/// ```
/// use twinsock_proto::handshake::{Excerpt, RequestError};
/// let error = RequestError::Version { got: Some(Excerpt::new(b"8")) };
/// assert_eq!(error.status(), http::StatusCode::UPGRADE_REQUIRED);
/// assert_eq!(error.to_string(), "expected WebSocket version 13, got \"8\"");
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum RequestError {
    /// The request is not HTTP/1.1, or is beyond our limits.
    Head(HeadError),
    /// The stream ended before the head did; nobody is left to answer.
    EndOfStream {
        /// How many bytes of request had come.
        received: usize,
    },
    /// The method is not GET.
    Method {
        /// The method that came.
        got: Excerpt,
    },
    /// The target is neither origin-form nor an absolute http or https URI (RFC 9112 §3.2).
    Target {
        /// The target that came.
        got: Excerpt,
    },
    /// A header that must be there is not.
    MissingHeader {
        /// Its name.
        name: HeaderName,
    },
    /// A header that may come once came more often, or breaks its grammar.
    MalformedHeader {
        /// Its name.
        name: HeaderName,
    },
    /// The host, in `Host` or in an absolute target, is not valid.
    Host(UriError),
    /// The request announces a body, whose bytes would be taken for frames.
    Body {
        /// The header that announces it.
        name: HeaderName,
    },
    /// The request does not ask for WebSocket.
    NotUpgrade {
        /// `Upgrade` or `Connection`, whichever does not ask.
        name: HeaderName,
    },
    /// The WebSocket version is not 13, or none is named.
    Version {
        /// The version that came.
        got: Option<Excerpt>,
    },
    /// `Sec-WebSocket-Key` is not valid.
    Key(KeyError),
    /// A subprotocol is offered twice (RFC 6455 §4.1, item 10).
    RepeatedProtocol {
        /// The subprotocol.
        protocol: Subprotocol,
    },
    /// The page's origin may not connect (RFC 6455 §10.2).
    Origin {
        /// The origin that came.
        got: Excerpt,
    },
}

impl RequestError {
    /// The status that tells the client.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Head(error) => head_status(error),
            Self::Method { .. } => StatusCode::METHOD_NOT_ALLOWED,
            // RFC 9110 §15.5.22 and, for the version, RFC 6455 §4.2.2, item 4.
            Self::NotUpgrade { .. } | Self::Version { .. } => StatusCode::UPGRADE_REQUIRED,
            // RFC 6455 §4.2.2, item 4, names this status.
            Self::Origin { .. } => StatusCode::FORBIDDEN,
            Self::EndOfStream { .. }
            | Self::Target { .. }
            | Self::MissingHeader { .. }
            | Self::MalformedHeader { .. }
            | Self::Host(_)
            | Self::Body { .. }
            | Self::Key(_)
            | Self::RepeatedProtocol { .. } => StatusCode::BAD_REQUEST,
        }
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Head(error) => write!(f, "bad request: {error}"),
            Self::EndOfStream { received: 0 } => {
                f.write_str("expected a request, got the end of the stream")
            }
            Self::EndOfStream { received } => {
                write!(
                    f,
                    "expected the rest of a request, got the end of the stream after {received} bytes"
                )
            }
            Self::Method { got } => write!(f, "expected method GET, got {got}"),
            Self::Target { got } => {
                write!(f, "expected a path or an http URI as target, got {got}")
            }
            Self::MissingHeader { name } => write!(f, "expected a {name} header, got none"),
            Self::MalformedHeader { name } => {
                write!(
                    f,
                    "expected one well-formed {name} header, got something else"
                )
            }
            Self::Host(error) => write!(f, "bad host: {error}"),
            Self::Body { name } => write!(f, "expected no body, got a {name} header"),
            Self::NotUpgrade { name } => {
                write!(f, "expected an upgrade to websocket, got none in {name}")
            }
            Self::Version { got: Some(got) } => {
                write!(f, "expected WebSocket version 13, got {got}")
            }
            Self::Version { got: None } => f.write_str("expected WebSocket version 13, got none"),
            Self::Key(error) => write!(f, "bad sec-websocket-key: {error}"),
            Self::RepeatedProtocol { protocol } => {
                write!(f, "expected each subprotocol once, got {protocol:?} twice")
            }
            Self::Origin { got } => write!(f, "expected an allowed origin, got {got}"),
        }
    }
}

impl Error for RequestError {}

impl From<HeadError> for RequestError {
    fn from(error: HeadError) -> Self {
        Self::Head(error)
    }
}

fn head_status(error: &HeadError) -> StatusCode {
    match error {
        HeadError::LineTooLong { line: 1, .. } => StatusCode::URI_TOO_LONG,
        HeadError::LineTooLong { .. }
        | HeadError::TooManyHeaders { .. }
        | HeadError::TooLarge { .. } => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        // Not 426: that would name an upgrade, which a server ignores in HTTP/1.0 (RFC 9110 §7.8).
        HeadError::HttpVersion { .. } => StatusCode::HTTP_VERSION_NOT_SUPPORTED,
        HeadError::NotHttp { .. }
        | HeadError::BareLineFeed { .. }
        | HeadError::BareCarriageReturn { .. }
        | HeadError::Folded { .. }
        | HeadError::ControlCharacter { .. }
        | HeadError::Syntax { .. } => StatusCode::BAD_REQUEST,
    }
}
