//! The opening handshake (RFC 6455 §4): how an HTTP/1.1 connection becomes a WebSocket.
//!
//! Both sides are a row of types, one for each thing that is awaited, and each step consumes the one before it:
//! [`client::AwaitResponse`] leads to [`client::Opened`], [`server::AwaitRequest`] to [`server::Received`] and from
//! there to [`server::Accepted`]. Bytes go in as slices of any size and come out ready to send.
//!
//! It covers RFC 6455 §4 with the headers of §11.3, the negotiation rules of §9.1 and the origin check of §10.2;
//! RFC 9112 for the form of the messages; RFC 7692 §7.1 for compression, the one extension.
//!
//! **Left to others:** connecting and TLS; randomness, which comes in as a nonce; and time. A peer that sends one
//! byte a minute breaks no rule that can be checked here, so whoever holds the socket must bound the whole handshake
//! with a deadline, not each read.
//!
//! **What always holds:**
//!
//! * The same bytes give the same result however they are cut, at a cost linear in their number.
//! * Memory is bounded by [`HeadLimits`] and by the piece of input at hand, whatever the peer announces.
//! * Nothing that a caller or a peer supplies can add a line to a message, because it is checked by its type before
//!   it is written.
//! * The bytes after a head are handed on untouched, as the beginning of the first frame.
//!
//! # Both sides, in memory
//!
//! ```
//! use twinsock_proto::handshake::{HeadLimits, client, server};
//!
//! // The client asks. Its nonce comes from a source that cannot be predicted.
//! let request = client::Request::new("wss://game.example/live?room=7".parse()?)
//!     .header("Origin", "https://game.example")?
//!     .protocol("chat.v2".parse()?)?;
//! let nonce = *b"the sample nonce";
//! let (client, to_server) = client::AwaitResponse::start(request, nonce, HeadLimits::default());
//!
//! // The server listens, and decides.
//! let server = server::AwaitRequest::new(HeadLimits::default());
//! let server::Step::Received(received) = server.proceed(&to_server)? else { panic!("cut short") };
//! assert_eq!((received.host(), received.resource()), ("game.example", "/live?room=7"));
//! let policy = server::Policy::new().protocol("chat.v2".parse()?)?;
//! let accepted = received.accept(&policy)?;
//!
//! // The client checks the answer; here it arrives in two pieces.
//! let (first, second) = accepted.response().split_at(20);
//! let client::Step::Incomplete(client) = client.proceed(first)? else { panic!("too soon") };
//! let client::Step::Opened(opened) = client.proceed(second)? else { panic!("cut short") };
//! assert_eq!(opened.protocol(), accepted.protocol());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
mod excerpt;
mod extension;
pub(crate) mod extra_headers;
mod head;
pub(crate) mod head_parser;
pub(crate) mod head_writer;
pub(crate) mod header_list;
mod key;
mod received_head;
pub(crate) mod response_collector;
mod subprotocol;

pub mod client;
pub mod server;

pub use error::{HandshakeError, HeadError, Misuse, RequestError};
pub use excerpt::Excerpt;
pub use head::HeadLimits;
pub use key::{Accept, Key, KeyError};
pub use received_head::ReceivedHead;
pub use subprotocol::{Subprotocol, SubprotocolError};
