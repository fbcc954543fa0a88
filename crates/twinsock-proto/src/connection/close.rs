//! The closing handshake (RFC 6455 §7).

use std::fmt;

use crate::error::Failure;
use crate::frame::close_reason::{CloseCode, CloseReason};

/// Where this endpoint stands in the closing handshake (RFC 6455 §7.1).
///
/// ```text
///   Open ── close() ──▶ CloseSent ── peer's Close ──▶ Draining ── end of stream, ──▶ Closed
///     │                    │                           ▲   ▲        or too late        ▲
///     ├── peer's Close, answered ──────────────────────┘   │                           │
///     ├── failure that the peer can be told ───────────────┘                           │
///     └── end of stream, or failure that it cannot be told ────────────────────────────┘
/// ```
///
/// What an open connection does not need stands apart, for most connections are open.
#[derive(Debug)]
pub(crate) enum CloseState {
    Open,
    /// Our Close is queued, or our output failed; the peer's Close is awaited.
    CloseSent(Option<Box<CloseReason>>),
    /// All is said; the end of the stream is awaited, what comes is discarded.
    Draining(Box<Closed>),
    Closed(Box<Closed>),
}

/// How a connection ended.
///
/// ```
/// # use std::time::Instant;
/// use bytes::BufMut;
/// use twinsock_proto::{CloseCode, Connection, Role, Settings};
///
/// let now = Instant::now();
/// let mut client = Connection::new(Role::Client, Settings::default(), [0; 32], now);
/// client.receive_memory().put_slice(b"\x88\x02\x03\xe9");
/// client.handle_received(now);
/// client.poll_event();
/// client.handle_end_of_stream(now);
/// let closed = client.closed().expect("the peer closed");
/// assert_eq!(closed.code(), CloseCode::GOING_AWAY);
/// assert!(closed.is_clean());
/// assert_eq!(closed.to_string(), "closed cleanly by the peer: 1001 (going away)");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    sent: Option<CloseReason>,
    received: Option<CloseReason>,
    initiator: Initiator,
    failure: Option<Failure>,
}

/// Which end began to close.
///
/// ```
/// assert_eq!(twinsock_proto::Initiator::Peer.to_string(), "the peer");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Initiator {
    /// This endpoint: it closed, or failed the connection.
    Local,
    /// The peer: its Close came first, or its stream ended.
    Peer,
}

impl fmt::Display for Initiator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Local => "this endpoint",
            Self::Peer => "the peer",
        })
    }
}

impl Closed {
    /// The peer closed, and was answered with `sent`.
    pub(crate) fn by_peer(received: CloseReason, sent: CloseReason) -> Self {
        Self {
            sent: Some(sent),
            received: Some(received),
            initiator: Initiator::Peer,
            failure: None,
        }
    }

    /// This endpoint closed with `sent`, and the peer answered; without `sent`, the peer closed
    /// and could not be answered.
    pub(crate) fn answered(sent: Option<CloseReason>, received: CloseReason) -> Self {
        let initiator = match sent {
            Some(_) => Initiator::Local,
            None => Initiator::Peer,
        };
        Self {
            sent,
            received: Some(received),
            initiator,
            failure: None,
        }
    }

    /// The connection failed after `sent`.
    pub(crate) fn failed(sent: Option<CloseReason>, failure: Failure) -> Self {
        let initiator = match failure {
            Failure::EndOfStream | Failure::Reset if sent.is_none() => Initiator::Peer,
            _ => Initiator::Local,
        };
        Self {
            sent,
            received: None,
            initiator,
            failure: Some(failure),
        }
    }

    /// Our Close frame was queued but lost.
    pub(crate) fn forget_sent(&mut self) {
        self.sent = None;
    }

    /// The connection close code (RFC 6455 §7.1.5): the peer's; 1005 when its Close frame had
    /// none, 1006 when none came.
    #[must_use]
    pub fn code(&self) -> CloseCode {
        self.received
            .as_ref()
            .map_or(CloseCode::ABNORMAL_CLOSURE, CloseReason::code)
    }

    /// The connection close reason (RFC 6455 §7.1.6): the text of the peer's Close frame, or "".
    #[must_use]
    pub fn reason(&self) -> &str {
        self.received.as_ref().map_or("", CloseReason::text)
    }

    /// The Close frame that this endpoint sent.
    #[must_use]
    pub fn sent(&self) -> Option<&CloseReason> {
        self.sent.as_ref()
    }

    /// The Close frame that came from the peer.
    #[must_use]
    pub fn received(&self) -> Option<&CloseReason> {
        self.received.as_ref()
    }

    /// Which end began.
    #[must_use]
    pub fn initiator(&self) -> Initiator {
        self.initiator
    }

    /// Whether both Close frames were exchanged (RFC 6455 §7.1.4).
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.failure.is_none() && self.sent.is_some() && self.received.is_some()
    }

    /// Why the connection failed, if it did.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        self.failure.as_ref()
    }
}

impl fmt::Display for Closed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(failure) = &self.failure {
            return write!(formatter, "failed: {failure}");
        }
        let manner = if self.is_clean() {
            "cleanly"
        } else {
            "without a full handshake"
        };
        write!(formatter, "closed {manner} by {}: ", self.initiator)?;
        match (&self.received, &self.sent) {
            (Some(reason), _) | (None, Some(reason)) => reason.fmt(formatter),
            (None, None) => CloseCode::ABNORMAL_CLOSURE.fmt(formatter),
        }
    }
}
