//! What can go wrong on an open connection, sorted by whose fault it is.

use std::fmt;

use crate::frame::close_reason::CloseCode;
use crate::frame::opcode::Opcode;

/// Why a connection failed rather than closed (RFC 6455 §7.1.7).
///
/// ```
/// use twinsock_proto::{CloseCode, Failure, Violation};
///
/// let failure = Failure::Violation(Violation::UnmaskedFrame);
/// assert_eq!(failure.close_code(), Some(CloseCode::PROTOCOL_ERROR));
/// assert_eq!(failure.to_string(), "expected a masked frame, got an unmasked one");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// The peer broke the protocol.
    Violation(Violation),
    /// The peer sent more than this endpoint is willing to hold.
    LimitExceeded(LimitExceeded),
    /// The peer did not do in time what was due.
    TimedOut(Overdue),
    /// The byte stream ended without a Close frame from the peer.
    EndOfStream,
    /// The byte stream was reset, as TCP does when an end crashes or drops unread bytes.
    Reset,
    /// The network failed in another way.
    Network,
    /// This endpoint gave the connection up.
    Aborted(AbortCause),
}

impl Failure {
    /// The code for the Close frame that tells the peer; `None` when it cannot be told.
    #[must_use]
    pub fn close_code(&self) -> Option<CloseCode> {
        match self {
            Self::Violation(violation) => Some(violation.close_code()),
            Self::LimitExceeded(_) => Some(CloseCode::MESSAGE_TOO_BIG),
            Self::TimedOut(Overdue::Pong | Overdue::Receive) => Some(CloseCode::INTERNAL_ERROR),
            Self::Aborted(_) => Some(CloseCode::INTERNAL_ERROR),
            Self::TimedOut(Overdue::Send | Overdue::Close)
            | Self::EndOfStream
            | Self::Reset
            | Self::Network => None,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Violation(violation) => violation.fmt(formatter),
            Self::LimitExceeded(limit) => limit.fmt(formatter),
            Self::TimedOut(overdue) => overdue.fmt(formatter),
            Self::EndOfStream => {
                formatter.write_str("expected a Close frame, got the end of the connection")
            }
            Self::Reset => {
                formatter.write_str("expected a Close frame, got a reset of the connection")
            }
            Self::Network => {
                formatter.write_str("expected a Close frame, got an error of the network")
            }
            Self::Aborted(cause) => cause.fmt(formatter),
        }
    }
}

impl std::error::Error for Failure {}

impl From<LimitExceeded> for Failure {
    fn from(limit: LimitExceeded) -> Self {
        Self::LimitExceeded(limit)
    }
}

impl From<Violation> for Failure {
    fn from(violation: Violation) -> Self {
        Self::Violation(violation)
    }
}

/// Why this endpoint gave a connection up.
///
/// ```
/// let cause = twinsock_proto::AbortCause::MessageUnfinished;
/// assert_eq!(cause.to_string(), "a message was given up before its end");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AbortCause {
    /// A message of which parts had been sent was given up: ending it would pass the truncated
    /// message for a whole one.
    MessageUnfinished,
    /// The application's handler for what is received panicked.
    HandlerPanicked,
    /// The application asked for it; the peer is told nothing.
    Requested,
}

impl fmt::Display for AbortCause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::MessageUnfinished => "a message was given up before its end",
            Self::HandlerPanicked => "the handler of received messages panicked",
            Self::Requested => "the application aborted the connection",
        })
    }
}

/// How the network lost a connection.
///
/// ```
/// use twinsock_proto::{Failure, Loss};
///
/// assert_eq!(Failure::from(Loss::Reset), Failure::Reset);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Loss {
    /// The byte stream ended.
    EndOfStream,
    /// It was reset.
    Reset,
    /// The system gave up sending: nothing was acknowledged in time.
    TimedOut,
    /// Anything else.
    Network,
}

impl From<Loss> for Failure {
    fn from(loss: Loss) -> Self {
        match loss {
            Loss::EndOfStream => Self::EndOfStream,
            Loss::Reset => Self::Reset,
            Loss::TimedOut => Self::TimedOut(Overdue::Send),
            Loss::Network => Self::Network,
        }
    }
}

/// How the peer broke the protocol.
///
/// ```
/// use twinsock_proto::{CloseCode, Violation};
///
/// assert_eq!(Violation::InvalidUtf8.close_code(), CloseCode::INVALID_PAYLOAD);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Violation {
    /// A reserved bit is set where nothing that was negotiated defines it (RFC 6455 §5.2, RFC 7692
    /// §6); the three bits.
    ReservedBits(u8),
    /// The opcode is reserved (RFC 6455 §5.2).
    UnknownOpcode(u8),
    /// A control frame is fragmented (RFC 6455 §5.5).
    FragmentedControlFrame(Opcode),
    /// A control frame has more than 125 bytes (RFC 6455 §5.5).
    ControlFrameTooLong(Opcode),
    /// A client's frame is not masked (RFC 6455 §5.1).
    UnmaskedFrame,
    /// A server's frame is masked (RFC 6455 §5.1).
    MaskedFrame,
    /// The length is written in more bytes than it needs (RFC 6455 §5.2).
    LengthNotMinimal(u64),
    /// The top bit of a 64-bit length is set (RFC 6455 §5.2).
    LengthTopBitSet(u64),
    /// A continuation frame came while no message was under way (RFC 6455 §5.4).
    UnexpectedContinuation,
    /// A new message began before the fragmented one under way had ended (RFC 6455 §5.4).
    MessageInterrupted(Opcode),
    /// A text message is not UTF-8 (RFC 6455 §8.1).
    InvalidUtf8,
    /// A compressed message is not what DEFLATE makes, or ends before it does (RFC 7692 §7.2.2);
    /// code 1007, since the frames are sound and their payload is not.
    InvalidDeflate,
    /// A text message came where only bytes are taken (RFC 6455 §7.4.1, code 1003).
    TextRefused,
    /// A Close frame has a body of one byte (RFC 6455 §5.5.1).
    CloseTooShort,
    /// A Close frame has a code that must not be on the wire (RFC 6455 §7.4).
    InvalidCloseCode(CloseCode),
    /// The text of a Close frame is not UTF-8 (RFC 6455 §5.5.1).
    CloseTextNotUtf8,
}

impl Violation {
    /// The code for our Close frame (RFC 6455 §7.4.1).
    #[must_use]
    pub fn close_code(&self) -> CloseCode {
        match self {
            Self::InvalidUtf8 | Self::InvalidDeflate | Self::CloseTextNotUtf8 => {
                CloseCode::INVALID_PAYLOAD
            }
            Self::TextRefused => CloseCode::UNSUPPORTED_DATA,
            Self::ReservedBits(_)
            | Self::UnknownOpcode(_)
            | Self::FragmentedControlFrame(_)
            | Self::ControlFrameTooLong(_)
            | Self::UnmaskedFrame
            | Self::MaskedFrame
            | Self::LengthNotMinimal(_)
            | Self::LengthTopBitSet(_)
            | Self::UnexpectedContinuation
            | Self::MessageInterrupted(_)
            | Self::CloseTooShort
            | Self::InvalidCloseCode(_) => CloseCode::PROTOCOL_ERROR,
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ReservedBits(bits) => {
                write!(
                    out,
                    "expected only reserved bits that were negotiated, got {bits:03b}"
                )
            }
            Self::UnknownOpcode(bits) => {
                write!(out, "expected a known opcode, got {bits:#x}")
            }
            Self::FragmentedControlFrame(opcode) => {
                write!(out, "expected a whole {opcode:?} frame, got a fragment")
            }
            Self::ControlFrameTooLong(opcode) => {
                write!(
                    out,
                    "expected a {opcode:?} frame of at most 125 bytes, got a longer one"
                )
            }
            Self::UnmaskedFrame => out.write_str("expected a masked frame, got an unmasked one"),
            Self::MaskedFrame => out.write_str("expected an unmasked frame, got a masked one"),
            Self::LengthNotMinimal(length) => write!(
                out,
                "expected the payload length {length} in its shortest form, got a longer one"
            ),
            Self::LengthTopBitSet(length) => {
                write!(out, "expected a payload length below 2^63, got {length:#x}")
            }
            Self::UnexpectedContinuation => {
                out.write_str("expected a new message, got a continuation frame")
            }
            Self::MessageInterrupted(opcode) => {
                write!(out, "expected a continuation frame, got a {opcode:?} frame")
            }
            Self::InvalidUtf8 => out.write_str("expected text in UTF-8, got other bytes"),
            Self::InvalidDeflate => {
                out.write_str("expected a message compressed with DEFLATE, got other bytes")
            }
            Self::TextRefused => out.write_str("expected a binary message, got a text message"),
            Self::CloseTooShort => {
                out.write_str("expected a close code of two bytes, got one byte")
            }
            Self::InvalidCloseCode(code) => {
                write!(out, "expected a close code that may be sent, got {code}")
            }
            Self::CloseTextNotUtf8 => {
                out.write_str("expected a close reason in UTF-8, got other bytes")
            }
        }
    }
}

impl std::error::Error for Violation {}

/// Which limit of this endpoint the peer exceeded.
///
/// ```
/// use twinsock_proto::LimitExceeded;
///
/// let error = LimitExceeded::MessageSize { limit: 1024, size: 1 << 62 };
/// assert_eq!(error.to_string(), "expected a message of at most 1024 bytes, got 4611686018427387904");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LimitExceeded {
    /// A message is, or claims to be, larger than [`Limits::max_message_size`](crate::Limits).
    MessageSize {
        /// The limit, in bytes.
        limit: u64,
        /// The size so far, with what the newest frame claims, in bytes.
        size: u64,
    },
    /// A compressed message consists of empty blocks for longer than any compressor makes them.
    ///
    /// It is bounded beside the size of a message, since nothing comes out of them: they would go
    /// on for ever where a message has no limit, or is received in parts.
    EmptyBlocks {
        /// The limit, in compressed bytes.
        limit: u64,
    },
}

impl fmt::Display for LimitExceeded {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MessageSize { limit, size } => {
                write!(
                    formatter,
                    "expected a message of at most {limit} bytes, got {size}"
                )
            }
            Self::EmptyBlocks { limit } => {
                write!(
                    formatter,
                    "expected content in {limit} compressed bytes of a message, got empty blocks"
                )
            }
        }
    }
}

impl std::error::Error for LimitExceeded {}

/// What the peer did not do in time.
///
/// ```
/// assert_eq!(twinsock_proto::Overdue::Pong.to_string(), "no answer to a ping in time");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Overdue {
    /// Take bytes that wait to be sent.
    Send,
    /// Go on with a message that it had begun.
    Receive,
    /// Answer a keep-alive ping.
    Pong,
    /// Answer our Close frame.
    Close,
}

impl fmt::Display for Overdue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Send => "the peer took no bytes in time",
            Self::Receive => "the peer did not go on with its message in time",
            Self::Pong => "no answer to a ping in time",
            Self::Close => "no answer to our Close frame in time",
        })
    }
}

/// Why a message, or a part of one, was not queued; nothing of it was.
///
/// ```
/// use std::time::Instant;
///
/// use twinsock_proto::{Connection, Fragment, Message, MessageType, Role, SendError, Settings};
///
/// let mut client = Connection::new(Role::Client, Settings::default(), [7; 32], Instant::now());
/// client.send_fragment(MessageType::Text, Fragment::Nonfinal, b"hel".as_slice().into())?;
/// assert_eq!(client.send(Message::from("other")), Err(SendError::MessageUnfinished));
/// client.send_fragment(MessageType::Text, Fragment::Final, b"lo".as_slice().into())?;
/// # Ok::<(), SendError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SendError {
    /// The connection is closing or closed.
    NotOpen,
    /// A message is being sent in parts: they must not be interleaved (RFC 6455 §5.4).
    MessageUnfinished,
    /// The parts of a text message are no UTF-8 together (RFC 6455 §5.6).
    InvalidUtf8,
}

impl fmt::Display for SendError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOpen => NotOpen.fmt(formatter),
            Self::MessageUnfinished => formatter.write_str(
                "expected the rest of the message that is being sent, got another message",
            ),
            Self::InvalidUtf8 => formatter.write_str("expected text in UTF-8, got other bytes"),
        }
    }
}

impl std::error::Error for SendError {}

impl From<NotOpen> for SendError {
    fn from(NotOpen: NotOpen) -> Self {
        Self::NotOpen
    }
}

/// A command that the connection's state does not allow: sending after the close.
///
/// ```
/// assert_eq!(twinsock_proto::NotOpen.to_string(), "the connection is closing or closed");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotOpen;

impl fmt::Display for NotOpen {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the connection is closing or closed")
    }
}

impl std::error::Error for NotOpen {}
