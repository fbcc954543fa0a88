//! A request that waits for its answer.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};

use http::{Request, Response, StatusCode};
use twinsock_proto::Settings;
use twinsock_proto::handshake::Subprotocol;
use twinsock_proto::handshake::server::Received;

use crate::accept::arrived::Place;
use crate::accept::handshake::{self, Requested, send_last};
use crate::accept::options::AcceptOptions;
use crate::driver::ByteStream;
use crate::error::Error;
use crate::message::MessageWebSocket;
use crate::opening::Opened;
use crate::stream::StreamWebSocket;
use crate::tls::TlsInformation;

/// A client's request for a connection, which the server may look at before it decides.
///
/// ```
/// # async fn run(listener: twinsock::Listener) -> Result<(), Box<dyn std::error::Error>> {
/// let handshake = listener.accept().await?.receive_request().await?;
/// if handshake.request().uri().path() == "/live" {
///     let socket = handshake.accept().await?;
///     socket.send_text("welcome").await?;
/// } else {
///     handshake.reject(twinsock::http::StatusCode::NOT_FOUND, "there is only /live").await?;
/// }
/// # Ok(())
/// # }
/// ```
pub struct PendingHandshake {
    /// Never locked: the mutex makes it possible to share a reference among threads, whatever
    /// the stream is.
    stream: Mutex<Box<dyn ByteStream>>,
    received: Received,
    options: AcceptOptions,
    place: Place,
}

impl PendingHandshake {
    pub(crate) fn new(requested: Requested, options: AcceptOptions, place: Place) -> Self {
        Self {
            stream: Mutex::new(requested.stream),
            received: requested.received,
            options,
            place,
        }
    }

    /// The request: its path, its headers.
    #[must_use]
    pub fn request(&self) -> &Request<()> {
        self.received.request()
    }

    /// The client's address; `None` over a stream that is not a TCP connection of this library.
    #[must_use]
    pub fn peer_address(&self) -> Option<SocketAddr> {
        self.place.addresses.map(|addresses| addresses.peer)
    }

    /// The TLS beneath, with the client's certificate if it showed one; `None` without TLS, and
    /// over a stream of the caller's own.
    #[must_use]
    pub fn tls(&self) -> Option<&TlsInformation> {
        self.place.tls.as_ref()
    }

    /// The subprotocols that the client offers, its preferred one first.
    pub fn protocols(&self) -> impl Iterator<Item = &str> {
        self.received.protocols().iter().map(Subprotocol::as_str)
    }

    /// Opens the connection, unless the page's origin is not allowed.
    ///
    /// # Errors
    /// `InvalidHandshake` when the origin was turned away; `ConnectionLost`; `Timeout`.
    ///
    /// # Cancel safety
    /// Dropping the future drops the connection.
    pub async fn accept(self) -> Result<MessageWebSocket, Error> {
        let (opened, settings) = self.open().await?;
        opened.into_message_socket(settings)
    }

    /// Opens the connection for a socket that carries bytes, unless the page's origin is not
    /// allowed.
    ///
    /// # Errors
    /// As [`accept`](Self::accept).
    ///
    /// # Cancel safety
    /// Dropping the future drops the connection.
    pub async fn accept_stream(self) -> Result<StreamWebSocket, Error> {
        let options = self.options.stream_options();
        let (opened, settings) = self.open().await?;
        opened.into_stream_socket(settings, options)
    }

    /// Sends the response, and gives what a socket is made of; apart as in
    /// [`AcceptOptions::accept`].
    fn open(self) -> Pin<Box<impl Future<Output = Result<(Opened, Settings), Error>>>> {
        Box::pin(async move {
            let requested = Requested {
                stream: into_inner(self.stream),
                received: self.received,
            };
            let opened = handshake::accept(requested, &self.options).await?;
            let settings = self.options.settings(&opened.opening);
            Ok((self.place.tell(opened), settings))
        })
    }

    /// Turns the client away with a status and a text of the application's own.
    ///
    /// # Errors
    /// `InvalidArgument` when the status is no refusal (1xx, 204, 304); `ConnectionLost`;
    /// `Timeout`.
    ///
    /// # Cancel safety
    /// Dropping the future drops the connection.
    pub async fn reject(self, status: StatusCode, body: &str) -> Result<(), Error> {
        let mut response = Response::new(body);
        *response.status_mut() = status;
        self.reject_with(response).await
    }

    /// Turns the client away with a whole response: status, headers such as `WWW-Authenticate` or
    /// `Location`, and body.
    ///
    /// # Errors
    /// As [`reject`](Self::reject), and `InvalidArgument` for a header that the handshake itself
    /// sets.
    ///
    /// # Cancel safety
    /// Dropping the future drops the connection.
    pub async fn reject_with(self, response: Response<impl AsRef<[u8]>>) -> Result<(), Error> {
        let (head, body) = response.into_parts();
        let bytes = self
            .received
            .reject(head.status, &head.headers, body.as_ref())?;
        Box::pin(send_last(into_inner(self.stream), &bytes)).await
    }
}

fn into_inner(stream: Mutex<Box<dyn ByteStream>>) -> Box<dyn ByteStream> {
    stream.into_inner().unwrap_or_else(PoisonError::into_inner)
}

impl std::fmt::Debug for PendingHandshake {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("PendingHandshake")
            .field("request", self.request())
            .finish_non_exhaustive()
    }
}
