//! What can go wrong in a handshake, sorted by whose fault it is.

use std::error::Error;
use std::fmt;

use http::StatusCode;
use http::header::HeaderName;

use super::client::Refusal;
use super::excerpt::Excerpt;
use super::key::KeyError;
use super::subprotocol::Subprotocol;
use crate::uri::UriError;

/// The peer's head is not HTTP/1.1, or is beyond our [limits](super::HeadLimits). Lines count from 1.
///
/// ```
/// use twinsock_proto::handshake::HeadError;
/// assert_eq!(HeadError::BareLineFeed { line: 2 }.to_string(), "expected CR LF, got a bare LF in line 2");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeadError {
    /// The first line is of another protocol.
    NotHttp {
        /// How it begins.
        beginning: Excerpt,
    },
    /// The version is not HTTP/1.1 (RFC 6455 §4.1, §4.2.1).
    HttpVersion {
        /// The version that came.
        got: Excerpt,
    },
    /// A line ends with LF alone.
    BareLineFeed {
        /// The line's number.
        line: usize,
    },
    /// A CR is not followed by LF (RFC 9112 §2.2).
    BareCarriageReturn {
        /// The line's number.
        line: usize,
    },
    /// A header is continued on a second line (RFC 9112 §5.2).
    Folded {
        /// The line's number.
        line: usize,
    },
    /// A control character other than a tab.
    ControlCharacter {
        /// The line's number.
        line: usize,
        /// The character.
        byte: u8,
    },
    /// A part of a line breaks its grammar (RFC 9112 §3, §4, §5).
    Syntax {
        /// What was expected in its place.
        expected: &'static str,
    },
    /// A line is longer than [`HeadLimits::line`](super::HeadLimits::line).
    LineTooLong {
        /// The line's number; 1 is the request or status line.
        line: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// There are more headers than [`HeadLimits::headers`](super::HeadLimits::headers).
    TooManyHeaders {
        /// The limit.
        limit: usize,
    },
    /// The head is longer than [`HeadLimits::total`](super::HeadLimits::total).
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
}

impl fmt::Display for HeadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotHttp { beginning } => write!(f, "expected HTTP/1.1, got {beginning}"),
            Self::HttpVersion { got } => write!(f, "expected version HTTP/1.1, got {got}"),
            Self::BareLineFeed { line } => {
                write!(f, "expected CR LF, got a bare LF in line {line}")
            }
            Self::BareCarriageReturn { line } => {
                write!(f, "expected CR LF, got a bare CR in line {line}")
            }
            Self::Folded { line } => write!(f, "expected a header, got a folded line {line}"),
            Self::ControlCharacter { line, byte } => {
                write!(
                    f,
                    "expected visible characters, got byte {byte:#04x} in line {line}"
                )
            }
            Self::Syntax { expected } => write!(f, "expected {expected}, got something else"),
            Self::LineTooLong { line, limit } => {
                write!(f, "expected at most {limit} bytes in line {line}, got more")
            }
            Self::TooManyHeaders { limit } => {
                write!(f, "expected at most {limit} headers, got more")
            }
            Self::TooLarge { limit } => {
                write!(f, "expected at most {limit} bytes in the head, got more")
            }
        }
    }
}

impl Error for HeadError {}

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
            Self::Protocol { got } => {
                write!(f, "expected no subprotocol but those offered, got {got}")
            }
            Self::Body { name } => {
                write!(f, "expected no body in a 101 response, got a {name} header")
            }
        }
    }
}

impl Error for HandshakeError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Refused(refusal) => Some(&**refusal),
            _ => None,
        }
    }
}

impl From<HeadError> for HandshakeError {
    fn from(error: HeadError) -> Self {
        Self::Head(error)
    }
}

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
            // RFC 6455 §4.2.2, item 1, names this status.
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
