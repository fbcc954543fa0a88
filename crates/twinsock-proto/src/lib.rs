//! The WebSocket protocol (RFC 6455) as pure state machines.

pub mod handshake;
pub mod uri;

mod connection;
mod error;
mod frame;
mod limits;
mod message;
mod receive;
mod role;
mod send;

pub use connection::close::{Closed, Initiator};
pub use connection::event::Event;
pub use connection::{Connection, Settings, Transmit};
pub use error::{Failure, LimitExceeded, NotOpen, Overdue, Violation};
pub use frame::close_reason::{CloseCode, CloseReason, InvalidCloseReason};
pub use frame::control::ControlPayload;
pub use frame::opcode::Opcode;
pub use limits::{Limits, Timing};
pub use message::{Message, MessageRef, MessageType, Utf8Bytes};
pub use role::Role;
pub use send::queue::SendQueue;
