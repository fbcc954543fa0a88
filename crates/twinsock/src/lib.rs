//! WebSockets for Rust (RFC 6455): messages and byte streams, client and server.
//!
//! [`MessageWebSocket`] and [`StreamWebSocket`] are the sockets of the Universal Windows Platform
//! of these names, in Rust: strict towards the peer, bounded in memory whatever the peer does, and
//! fast in the loop that everyone writes. The first carries whole messages, or parts of them, by
//! call or by event, and does all through `&self`; the second reads and writes bytes like a TCP
//! stream. Both answer Pings, close by the book and say afterwards how the connection ended.
//!
//! It speaks `ws://` and, with TLS by rustls, `wss://`, as client and as server, and compresses
//! messages where it is told to ([`compression`]).
//!
//! # A client
//! ```no_run
//! use twinsock::{CloseCode, Message, MessageWebSocket};
//!
//! #[tokio::main]
//! async fn main() -> Result<(), twinsock::Error> {
//!     let socket = MessageWebSocket::connect("ws://127.0.0.1:9001/").await?;
//!     socket.send_text("Hello, world!").await?;
//!     if let Some(message) = socket.receive().await? {
//!         match message {
//!             Message::Text(text) => println!("{text}"),
//!             Message::Binary(bytes) => println!("{} bytes", bytes.len()),
//!         }
//!     }
//!     socket.close(CloseCode::NORMAL, "done").await?;
//!     println!("{}", socket.closed().expect("just closed"));
//!     Ok(())
//! }
//! ```
//!
//! The address may begin with `wss://`: then TLS goes before, and whom the system trusts is trusted.
//!
//! # The way to the server
//! A client takes these steps, each with a [time of its own](Timeouts). All but the last are left
//! out by `connect_over`, which takes a byte stream that is there already.
//!
//! 1. **Proxy.** The one that the environment names, as for curl: HTTP CONNECT over TCP or TLS, or
//!    SOCKS5. [`ProxyChoice`] has the variables, and how to name another or none.
//! 2. **Addresses.** The system finds those of the name, or a [`Resolve`] of your own. Five of them
//!    are tried, IPv6 and IPv4 in turns, a quarter of a second after each other (RFC 8305).
//! 3. **TLS.** [`ClientTls`] has the settings: roots, a certificate of the client's own, pins,
//!    revocation lists, versions, [whose cryptography](ClientTlsBuilder::crypto_provider).
//!    `server_custom_validation` of a builder asks the application.
//! 4. **Handshake.** A [`Credential`] answers a server that asks who is there, by Basic or Digest; a
//!    [`CookieStore`] keeps cookies; a [`RedirectPolicy`] follows redirects, which by default is not
//!    done.
//!
//! A [`ConnectReport`] has each step with its time, of a socket and of a failure:
//!
//! ```no_run
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! use twinsock::{Credential, MessageWebSocket, Proxy};
//!
//! let connecting = MessageWebSocket::builder()
//!     .proxy(Proxy::parse("http://proxy.example:3128")?)
//!     .proxy_credential(Credential::new("me", "secret")?)
//!     .connect("wss://echo.example/");
//! match connecting.await {
//!     Ok(socket) => println!("{:?}", socket.information().connect_report()),
//!     Err(error) => println!("{error}: {:?}", error.connect_report()),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # A byte stream
//! ```no_run
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//! use twinsock::StreamWebSocket;
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let mut stream = StreamWebSocket::connect("ws://127.0.0.1:9001/").await?;
//!     stream.write_all(b"as over TCP").await?;
//!     let mut echo = [0; 11];
//!     stream.read_exact(&mut echo).await?;
//!     stream.shutdown().await?;
//!     Ok(())
//! }
//! ```
//!
//! # Many small messages
//! A receiver can [lend](MessageReceiver::lend) each message where it stands, without an
//! allocation, a copy or a lock; see [`MessageLender`].
//!
//! # A server
//! ```no_run
//! #[tokio::main]
//! async fn main() -> Result<(), twinsock::Error> {
//!     let listener = twinsock::Listener::bind("127.0.0.1:9001").await?;
//!     loop {
//!         let incoming = listener.accept().await?;
//!         tokio::spawn(async move {
//!             let socket = incoming.accept().await?;
//!             while let Some(message) = socket.receive().await? {
//!                 socket.send(message).await?;
//!             }
//!             Ok::<(), twinsock::Error>(())
//!         });
//!     }
//! }
//! ```
//!
//! With [`Listener::with_tls`] the same server is one for `wss://`; see [`ServerTls`], which also
//! exchanges the certificate while connections stand.
//!
//! # The picture
//! ```text
//!  your task ── send, receive, close ──▶ MessageWebSocket ◀── any other task
//!              read, write, shutdown ──▶ StreamWebSocket
//!                                              │
//!                                          driver: one poll at a time, in the calling task
//!                                   bytes ┌────┴────┐ messages, bytes, deadlines
//!                                         ▼         ▼
//!                              byte stream           twinsock-proto: the whole protocol,
//!                (TCP, TLS, or what you pass)        without sockets, clock or tasks
//! ```
//! * A **client** begins with [`MessageWebSocket::connect`] or, with settings, with
//!   [`MessageWebSocket::builder`].
//! * A **server** begins with [`Listener`], or with [`AcceptOptions`] over any byte stream.
//! * A **stream** is a [`StreamWebSocket`], of a server with [`Incoming::accept_stream`].
//! * [`Handlers`] are the event form: called with what comes, and at the end, by a task of the
//!   socket. A client sets them with its builder, a server with
//!   [`MessageWebSocket::with_handlers`].
//! * [`Closed`] tells how a connection ended, [`Error`] why something failed, sorted by whose
//!   fault it is ([`ErrorKind`]).
//! * [`Information`] tells at any time how a socket stands and what went over it.
//! * [`ClientTls`] and [`ServerTls`] are the settings of TLS, which a client needs only where the
//!   defaults do not do; [`CertificateError`] is what can be wrong with a certificate, and
//!   [`TlsInformation`] what was agreed on.
//! * [`Proxy`], [`Credential`], [`CookieStore`], [`RedirectPolicy`] and [`Resolve`] are the further
//!   settings of a client.
//! * [`DeflateOffer`] and [`DeflateTerms`] turn compression on, in a client and in a server;
//!   [`Compression`] and [`Compress`] say what is compressed. [`compression`] is about all of it.
//! * [`Timeouts`] has every wait with its default.
//! * [`DataWriter`] and [`DataReader`] put numbers, strings and times into messages and byte
//!   streams, and take them out.
//!
//! # What can be relied on
//! * **Cancel safety.** Every future may be dropped at any point: a dropped `receive` loses
//!   nothing, a dropped `send` has queued the whole message or nothing. Only the `finish` of a
//!   [`MessageWriter`] takes the connection with it, rather than pass a part for the whole.
//! * **Bounds.** Every wait for a peer is finite by default, and so is that for the addresses of a
//!   name, though a lookup of the system keeps its thread until the system answers. What a peer can
//!   make a socket hold is listed under [`MessageWebSocket`](MessageWebSocket#memory) and
//!   [`StreamWebSocket`](StreamWebSocket#memory).
//! * **Order.** What was received before a failure is handed out first; what was sent before it
//!   goes out first, and then the Close frame that tells the peer what it did.
//! * **Ends.** Every end of a connection is told, with its kind: an orderly close, the end of TCP
//!   without one, a reset, silence, a broken rule.
//! * **Secrets.** Passwords, private keys and the values of added headers are in no error, no
//!   `Debug` and no report; credentials go to the party that they are for, and to no other origin.
//!
//! Who knows the original sockets finds each of their members under [`coming_from_uwp`].
//!
//! # Features
//! None is on by default, and all that has no feature is always there.
//!
//! * `cookie-store`: the jar of the crate `cookie_store` as a [`CookieStore`].
//! * `idn`: host names of any script in addresses, such as `wss://bücher.example/`. Without it they
//!   are written in their `xn--` form.
//! * `sink`: [`MessageWebSocket`] is a `futures_sink::Sink` too, for `SinkExt` and whatever else takes
//!   one. `futures_core::Stream` it always is.

mod accept;
#[doc = include_str!("../docs/compression.md")]
pub mod compression;
mod connect;
mod cookies;
mod data;
mod driver;
mod error;
mod events;
mod information;
mod message;
mod opening;
mod proxy;
mod received;
mod redirect;
mod stream;
mod tcp_options;
mod timeout;
mod tls;
mod web_error_status;

pub use bytes::Bytes;
#[cfg(feature = "cookie-store")]
pub use cookie_store;
pub use http;
pub use rustls;
pub use twinsock_proto::authentication::{Credential, InvalidCredential};
pub use twinsock_proto::{
    AbortCause, BandwidthStatistics, ClientWindow, CloseCode, CloseReason, Closed, Compress,
    Compression, ContextTakeover, DeflateDirection, DeflateLevel, DeflateMemory, DeflateOffer,
    DeflateParameterError, DeflateParameters, DeflateTerms, Failure, Initiator, InvalidCloseReason,
    LimitExceeded, Message, MessageRef, MessageType, Opcode, Overdue, ReceiveMode, Statistics,
    Traffic, Utf8Bytes, Violation, WindowBits,
};

pub use crate::accept::{AcceptOptions, Incoming, Listener, PendingHandshake};
pub use crate::connect::{ConnectPhase, ConnectReport, ConnectStep, Resolve, Resolving};
pub use crate::cookies::CookieStore;
pub use crate::data::{
    ByteOrder, DataError, DataReader, DataWriter, DateTime, Guid, InMemory, InputStreamOptions,
    StoreTarget, TimeSpan, UnicodeEncoding,
};
pub use crate::driver::{ByteStream, StreamFraming};
pub use crate::error::{AddressFailure, Error, ErrorKind, FailedAddress, RedirectFault};
pub use crate::events::Handlers;
pub use crate::information::{Information, SocketState};
pub use crate::message::{
    MessageLender, MessageReader, MessageReceiver, MessageSender, MessageWebSocket,
    MessageWebSocketBuilder, MessageWriter,
};
pub use crate::proxy::{Proxy, ProxyChoice, ProxyScheme};
pub use crate::received::Received;
pub use crate::redirect::RedirectPolicy;
pub use crate::stream::{StreamReader, StreamWebSocket, StreamWebSocketBuilder, StreamWriter};
pub use crate::tcp_options::LocalAddress;
pub use crate::timeout::{Timeout, Timeouts};
pub use crate::tls::{
    Certificate, CertificateError, CertificateErrorSeverity, ClientCertificates, ClientTls,
    ClientTlsBuilder, Identity, RevocationList, ServerTls, ServerTlsBuilder, TlsInformation,
    TlsVersion, Verdict,
};
pub use crate::web_error_status::WebErrorStatus;

#[doc = include_str!("../docs/coming-from-uwp.md")]
pub mod coming_from_uwp {}

/// Compiles the examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
