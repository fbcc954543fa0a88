//! The WebSocket protocol (RFC 6455) as pure state machines.
//!
//! No socket, clock, randomness, thread or `async` is in here: bytes, the time and a seed come in
//! as arguments, and events, bytes and the next deadline come out. Whoever holds a socket drives
//! it; the `twinsock` crate does so for tokio.
//!
//! # What it covers
//! * The opening handshake of both sides, and a refusal with the beginning of its body: [`handshake`].
//! * What may come before it: a tunnel through an HTTP or a SOCKS 5 proxy ([`proxy`]), the answer to a server or
//!   proxy that asks for a password ([`authentication`]), and where a redirect leads
//!   ([`WebSocketUri::join`](uri::WebSocketUri::join)).
//! * Addresses, with zones of IPv6 addresses and, with the feature `idn`, host names of any script: [`uri`].
//! * The open connection: messages, parts of messages, Ping and Pong, keep-alive, closing, compression
//!   (RFC 7692), limits and statistics: [`Connection`].
//!
//! TLS, names, sockets and the choice of a proxy are its driver's.
//!
//! # Map
//! ```text
//!   proxy/           tunnels: CONNECT (RFC 9110), SOCKS 5 (RFC 1928, RFC 1929)
//!   authentication/  Basic (RFC 7617) and Digest (RFC 7616)
//!   handshake/       the opening handshake, both roles (§4)
//!   uri/             ws:// addresses (§3; RFC 3986, RFC 6874)
//!
//!   connection/      an open connection: joins the parts below, closing handshake (§7), timers
//!   receive/         bytes → frames → messages (§5.4, §6.2, §8.1)
//!   send/            messages → frames → bytes (§6.1)
//!   frame/           one frame on the wire (§5.2–§5.5)
//!   deflate/         compressed messages (RFC 7692)
//!   message          whole messages, lent and owned                limits    every size and time
//!   error            failures, sorted by whose fault they are      role      client or server
//! ```
//! Dependencies point downwards only. `connection` uses `receive` and `send`, both use `frame`
//! and `deflate`.
//!
//! # Driving a connection
//! One input, then all outputs, then wait; see [`Connection`] for the contract and a
//! walk-through that runs, and [`handshake`], [`authentication`] and [`proxy`] for the steps before it.
//!
//! # What always holds
//! * The same bytes give the same events however they are cut.
//! * Memory is reserved for what arrived, never for what a header claims; [`Limits`] bounds it.
//! * Nothing that comes from outside makes it panic.
//! * After a failure nothing more is received, and what was queued before still goes out first.

pub mod authentication;
pub mod handshake;
pub mod proxy;
pub mod uri;

mod connection;
mod deflate;
mod error;
mod frame;
mod limits;
mod message;
mod receive;
mod role;
mod send;

pub use connection::bandwidth::BandwidthStatistics;
pub use connection::close::{Closed, Initiator};
pub use connection::compression::DeflateMemory;
pub use connection::event::Event;
pub use connection::lending::LentMessages;
pub use connection::statistics::{Statistics, Traffic};
pub use connection::{Connection, Settings, Transmit};
pub use deflate::offer::{ClientWindow, DeflateOffer};
pub use deflate::parameter_list::DeflateParameterError;
pub use deflate::parameters::{ContextTakeover, DeflateDirection, DeflateParameters, WindowBits};
pub use deflate::settings::{Compress, Compression, Deflate, DeflateLevel};
pub use deflate::terms::DeflateTerms;
pub use error::{AbortCause, Failure, LimitExceeded, Loss, NotOpen, Overdue, SendError, Violation};
pub use frame::close_reason::{CloseCode, CloseReason, InvalidCloseReason};
pub use frame::control::ControlPayload;
pub use frame::opcode::Opcode;
pub use limits::{Limits, ReceiveMode, TextPolicy, Timing};
pub use message::{Message, MessageRef, MessageType, Utf8Bytes};
pub use role::Role;
pub use send::outgoing::OutgoingBytes;
pub use send::queue::SendQueue;
pub use send::sender::Fragment;
