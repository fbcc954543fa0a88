use std::error::Error;
use std::fmt;

use crate::handshake::excerpt::Excerpt;

/// The peer's head is not HTTP/1.1, or is beyond our [limits](crate::handshake::HeadLimits). Lines count from 1.
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
    /// A line is longer than [`HeadLimits::line`](crate::handshake::HeadLimits::line).
    LineTooLong {
        /// The line's number; 1 is the request or status line.
        line: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// There are more headers than [`HeadLimits::headers`](crate::handshake::HeadLimits::headers).
    TooManyHeaders {
        /// The limit.
        limit: usize,
    },
    /// The head is longer than [`HeadLimits::total`](crate::handshake::HeadLimits::total).
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
