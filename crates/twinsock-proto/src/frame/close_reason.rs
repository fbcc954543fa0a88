//! The body of a Close frame: a code and a text.

use std::fmt;

use twinsock_simd::SharedText;

use crate::error::Violation;

/// Why a connection is closed: the status code of a Close frame (RFC 6455 §7.4).
///
/// ```
/// use twinsock_proto::CloseCode;
///
/// assert_eq!(CloseCode::GOING_AWAY.value(), 1001);
/// assert_eq!(CloseCode::GOING_AWAY.to_string(), "1001 (going away)");
/// assert!(CloseCode::from(4000).may_be_sent());
/// assert!(!CloseCode::ABNORMAL_CLOSURE.may_be_sent());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CloseCode(u16);

impl CloseCode {
    /// 1000: the purpose of the connection is fulfilled.
    pub const NORMAL: Self = Self(1000);
    /// 1001: the endpoint goes away, such as a server going down.
    pub const GOING_AWAY: Self = Self(1001);
    /// 1002: the peer broke the protocol.
    pub const PROTOCOL_ERROR: Self = Self(1002);
    /// 1003: a type of data came that the endpoint cannot accept.
    pub const UNSUPPORTED_DATA: Self = Self(1003);
    /// 1005: a Close frame came without a code. Never on the wire.
    pub const NO_STATUS_RECEIVED: Self = Self(1005);
    /// 1006: the connection ended without a Close frame. Never on the wire.
    pub const ABNORMAL_CLOSURE: Self = Self(1006);
    /// 1007: a message's data did not fit its type, such as text that is not UTF-8.
    pub const INVALID_PAYLOAD: Self = Self(1007);
    /// 1008: a message broke the endpoint's policy.
    pub const POLICY_VIOLATION: Self = Self(1008);
    /// 1009: a message is too big to be processed.
    pub const MESSAGE_TOO_BIG: Self = Self(1009);
    /// 1010: the client wanted an extension that the server did not agree on.
    pub const MANDATORY_EXTENSION: Self = Self(1010);
    /// 1011: the endpoint met a condition that it did not expect.
    pub const INTERNAL_ERROR: Self = Self(1011);
    /// 1012: the service restarts (IANA registry).
    pub const SERVICE_RESTART: Self = Self(1012);
    /// 1013: try again later (IANA registry).
    pub const TRY_AGAIN_LATER: Self = Self(1013);
    /// 1014: an upstream server gave an invalid response (IANA registry).
    pub const BAD_GATEWAY: Self = Self(1014);
    /// 1015: the TLS handshake failed. Never on the wire.
    pub const TLS_HANDSHAKE: Self = Self(1015);

    /// The code as a number.
    #[must_use]
    pub fn value(self) -> u16 {
        self.0
    }

    /// Whether a Close frame may carry this code: the codes of RFC 6455 §7.4.1 and IANA's
    /// registry that are not reserved, 3000–3999 (registered by libraries) and 4000–4999
    /// (private).
    #[must_use]
    pub fn may_be_sent(self) -> bool {
        matches!(self.0, 1000..=1003 | 1007..=1014 | 3000..=4999)
    }

    fn meaning(self) -> Option<&'static str> {
        Some(match self.0 {
            1000 => "normal closure",
            1001 => "going away",
            1002 => "protocol error",
            1003 => "unsupported data",
            1005 => "no status received",
            1006 => "abnormal closure",
            1007 => "invalid payload data",
            1008 => "policy violation",
            1009 => "message too big",
            1010 => "mandatory extension",
            1011 => "internal error",
            1012 => "service restart",
            1013 => "try again later",
            1014 => "bad gateway",
            1015 => "TLS handshake",
            _ => return None,
        })
    }
}

impl From<u16> for CloseCode {
    fn from(value: u16) -> Self {
        Self(value)
    }
}

impl From<CloseCode> for u16 {
    fn from(code: CloseCode) -> Self {
        code.0
    }
}

impl fmt::Debug for CloseCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "CloseCode({})", self.0)
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.meaning() {
            Some(meaning) => write!(formatter, "{} ({meaning})", self.0),
            None => write!(formatter, "{}", self.0),
        }
    }
}

/// What a Close frame says: a code and a text, or nothing at all (RFC 6455 §5.5.1).
///
/// ```
/// use twinsock_proto::{CloseCode, CloseReason};
///
/// let reason = CloseReason::new(CloseCode::NORMAL, "done")?;
/// assert_eq!(reason.code(), CloseCode::NORMAL);
/// assert_eq!(reason.text(), "done");
/// assert_eq!(CloseReason::empty().code(), CloseCode::NO_STATUS_RECEIVED);
/// # Ok::<(), twinsock_proto::InvalidCloseReason>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CloseReason {
    code: Option<CloseCode>,
    text: SharedText,
}

impl CloseReason {
    /// The longest text, in bytes: a control frame has 125, two of them hold the code.
    pub const MAX_TEXT_LENGTH: usize = 123;

    /// A code and a text; an empty text is none.
    ///
    /// # Errors
    /// When the code must not be sent (RFC 6455 §7.4.1) or the text has more than 123 bytes.
    pub fn new(code: CloseCode, text: &str) -> Result<Self, InvalidCloseReason> {
        if !code.may_be_sent() {
            return Err(InvalidCloseReason::Code(code));
        }
        if text.len() > Self::MAX_TEXT_LENGTH {
            return Err(InvalidCloseReason::TextTooLong(text.len()));
        }
        Ok(Self {
            code: Some(code),
            text: SharedText::from(text),
        })
    }

    /// A Close frame without a body.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// 1000 without a text: all is said.
    #[must_use]
    pub fn normal() -> Self {
        Self::bare(CloseCode::NORMAL)
    }

    /// A code without a text; a code that must not be sent becomes an empty Close.
    pub(crate) fn bare(code: CloseCode) -> Self {
        Self {
            code: Some(code).filter(|code| code.may_be_sent()),
            text: SharedText::default(),
        }
    }

    /// The code; 1005 when the frame has none (RFC 6455 §7.1.5).
    #[must_use]
    pub fn code(&self) -> CloseCode {
        self.code.unwrap_or(CloseCode::NO_STATUS_RECEIVED)
    }

    /// The text; empty when the frame has none.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Reads the body of a Close frame.
    pub(crate) fn decode(body: &[u8]) -> Result<Self, Violation> {
        let Some((code, text)) = body.split_first_chunk::<2>() else {
            return if body.is_empty() {
                Ok(Self::empty())
            } else {
                Err(Violation::CloseTooShort)
            };
        };
        let code = CloseCode(u16::from_be_bytes(*code));
        // RFC 6455 §7.4: reserved and undefined codes must not be on the wire.
        if !code.may_be_sent() {
            return Err(Violation::InvalidCloseCode(code));
        }
        let text = twinsock_simd::from_utf8(text).map_err(|_| Violation::CloseTextNotUtf8)?;
        Ok(Self {
            code: Some(code),
            text: SharedText::from(text),
        })
    }

    /// Appends the body of a Close frame.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        if let Some(code) = self.code {
            out.extend_from_slice(&code.0.to_be_bytes());
            out.extend_from_slice(self.text.as_bytes());
        }
    }
}

impl fmt::Display for CloseReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.code())?;
        if self.text.is_empty() {
            Ok(())
        } else {
            write!(formatter, " {:?}", self.text())
        }
    }
}

/// A close code or text that no Close frame can carry.
///
/// ```
/// use twinsock_proto::{CloseCode, CloseReason};
///
/// let error = CloseReason::new(CloseCode::ABNORMAL_CLOSURE, "").unwrap_err();
/// assert!(error.to_string().contains("1006"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidCloseReason {
    /// The code is reserved or undefined (RFC 6455 §7.4).
    Code(CloseCode),
    /// The text has this many bytes; 123 fit.
    TextTooLong(usize),
}

impl fmt::Display for InvalidCloseReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(
                formatter,
                "expected a close code that may be sent (1000–1003, 1007–1014, 3000–4999), got {code}"
            ),
            Self::TextTooLong(length) => write!(
                formatter,
                "expected a close reason of at most {} bytes, got {length}",
                CloseReason::MAX_TEXT_LENGTH
            ),
        }
    }
}

impl std::error::Error for InvalidCloseReason {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_either_sendable_or_refused() {
        for value in 0..=u16::MAX {
            let code = CloseCode::from(value);
            let body = value.to_be_bytes();
            assert_eq!(CloseReason::new(code, "").is_ok(), code.may_be_sent());
            assert_eq!(CloseReason::decode(&body).is_ok(), code.may_be_sent());
        }
        for reserved in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, u16::MAX] {
            assert!(!CloseCode::from(reserved).may_be_sent(), "{reserved}");
        }
    }

    #[test]
    fn what_is_encoded_is_decoded() {
        for text in ["", "done", "schön", &"x".repeat(123)] {
            let reason = CloseReason::new(CloseCode::from(3999), text).unwrap();
            let mut body = Vec::new();
            reason.encode(&mut body);
            assert_eq!(CloseReason::decode(&body), Ok(reason));
        }
    }

    #[test]
    fn a_text_of_124_bytes_is_refused() {
        let error = CloseReason::new(CloseCode::NORMAL, &"x".repeat(124)).unwrap_err();
        assert_eq!(error, InvalidCloseReason::TextTooLong(124));
    }

    #[test]
    fn half_a_code_and_bad_text_are_violations() {
        assert_eq!(CloseReason::decode(&[3]), Err(Violation::CloseTooShort));
        assert_eq!(
            CloseReason::decode(&[3, 232, 0xFF]),
            Err(Violation::CloseTextNotUtf8)
        );
    }
}
