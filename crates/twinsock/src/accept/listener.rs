//! A server's TCP socket.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream, ToSocketAddrs};

use crate::accept::arrived::{Arrived, Place};
use crate::accept::options::AcceptOptions;
use crate::accept::pending::PendingHandshake;
use crate::accept::secure;
use crate::error::Error;
use crate::message::MessageWebSocket;
use crate::opening::{Addresses, Opened};
use crate::stream::StreamWebSocket;
use crate::tls::ServerTls;

/// Listens on a TCP port.
///
/// [`accept`](Self::accept) gives each TCP connection as it comes; the opening handshake is a
/// step of its own, so that a client that dawdles keeps no other waiting.
///
/// ```no_run
/// # async fn run() -> Result<(), twinsock::Error> {
/// use twinsock::Listener;
///
/// let listener = Listener::bind("127.0.0.1:9001").await?;
/// loop {
///     let incoming = listener.accept().await?;
///     tokio::spawn(async move {
///         let socket = incoming.accept().await?;
///         while let Some(message) = socket.receive().await? {
///             socket.send(message).await?;
///         }
///         Ok::<(), twinsock::Error>(())
///     });
/// }
/// # }
/// ```
#[derive(Debug)]
pub struct Listener {
    listener: TcpListener,
    options: Arc<AcceptOptions>,
    tls: Option<ServerTls>,
    local_address: SocketAddr,
}

/// A TCP connection whose opening handshake is still to be done; see [`Listener`] for an example.
#[derive(Debug)]
pub struct Incoming {
    stream: TcpStream,
    options: Arc<AcceptOptions>,
    tls: Option<ServerTls>,
    addresses: Addresses,
}

/// How long to wait when the process has no descriptor left.
const EXHAUSTED: Duration = Duration::from_millis(50);

impl Listener {
    /// Listens on `address`, with port 0 on any free port, and accepts with default settings.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) for an address that
    /// cannot be, [`ErrorKind::System`](crate::ErrorKind::System) when the port cannot be had.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn bind(address: impl ToSocketAddrs) -> Result<Self, Error> {
        let listener = TcpListener::bind(address)
            .await
            .map_err(Error::cannot_listen)?;
        Self::over(listener)
    }

    /// Listens with a socket that is already bound.
    ///
    /// # Errors
    /// [`ErrorKind::System`](crate::ErrorKind::System) when it has no local address.
    pub fn over(listener: TcpListener) -> Result<Self, Error> {
        let local_address = listener.local_addr().map_err(Error::cannot_listen)?;
        Ok(Self {
            listener,
            options: Arc::default(),
            tls: None,
            local_address,
        })
    }

    /// Accepts with these settings from now on.
    #[must_use]
    pub fn with_options(mut self, options: AcceptOptions) -> Self {
        self.options = Arc::new(options);
        self
    }

    /// Speaks TLS with all that connect from now on: the port is one for `wss`.
    ///
    /// TLS is agreed on when an [`Incoming`] is accepted, so that a client that dawdles keeps no
    /// other waiting.
    #[must_use]
    pub fn with_tls(mut self, tls: ServerTls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// The address that is listened on.
    #[must_use]
    pub fn local_address(&self) -> SocketAddr {
        self.local_address
    }

    /// The next TCP connection.
    ///
    /// A connection that broke while it was accepted is passed over, and when the process has run
    /// out of descriptors it waits for one: a server's loop need not handle either.
    ///
    /// # Errors
    /// [`ErrorKind::System`](crate::ErrorKind::System) when the listening socket itself is
    /// broken.
    ///
    /// # Cancel safety
    /// Dropping the future loses no connection.
    pub async fn accept(&self) -> Result<Incoming, Error> {
        loop {
            let trouble = match self.listener.accept().await {
                Ok((stream, _)) => match self.incoming(stream) {
                    Some(incoming) => return Ok(incoming),
                    None => continue,
                },
                Err(error) => Trouble::from(error),
            };
            match trouble {
                Trouble::WithThisConnection => {}
                Trouble::Exhausted => tokio::time::sleep(EXHAUSTED).await,
                Trouble::WithTheListener(error) => {
                    return Err(Error::system("cannot accept connections", error));
                }
            }
        }
    }

    /// `None` when the client is gone already.
    fn incoming(&self, stream: TcpStream) -> Option<Incoming> {
        self.options.apply_to(&stream).ok()?;
        let addresses = Addresses::of(&stream).ok()?;
        Some(Incoming {
            stream,
            options: Arc::clone(&self.options),
            tls: self.tls.clone(),
            addresses,
        })
    }
}

/// What an error of the system's accept concerns.
enum Trouble {
    WithThisConnection,
    Exhausted,
    WithTheListener(io::Error),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::NetworkDown
            | io::ErrorKind::TimedOut
            | io::ErrorKind::Interrupted => Self::WithThisConnection,
            io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported => {
                Self::WithTheListener(error)
            }
            // EMFILE, ENFILE and the like have no kind of their own.
            _ => Self::Exhausted,
        }
    }
}

impl Incoming {
    /// The client's address.
    #[must_use]
    pub fn peer_address(&self) -> SocketAddr {
        self.addresses.peer
    }

    /// The TCP connection itself, for instance to put TLS of your own on it;
    /// [`AcceptOptions::accept`] then takes the TLS stream. Its options are set: `TCP_NODELAY`,
    /// and what [`AcceptOptions`] was told. The settings of [`Listener::with_tls`] have no effect
    /// on it.
    #[must_use]
    pub fn into_stream(self) -> TcpStream {
        self.stream
    }

    /// Does the opening handshake, and TLS before it when the listener has it.
    ///
    /// # Errors
    /// See [`AcceptOptions::accept`]; and with TLS `TlsFailed` when the client does not speak it,
    /// or shows no certificate that is accepted, and [`Timeout::Tls`](crate::Timeout::Tls) after
    /// [`Timeouts::accept`](crate::Timeouts::accept). A client that speaks plain HTTP to a port
    /// with TLS gets the status 400.
    ///
    /// # Cancel safety
    /// Dropping the future drops the connection.
    pub async fn accept(self) -> Result<MessageWebSocket, Error> {
        let options = Arc::clone(&self.options);
        let opened = Box::pin(self.open()).await?;
        let settings = options.settings(&opened.opening);
        opened.into_message_socket(settings)
    }

    /// Does the opening handshake for a socket that carries bytes.
    ///
    /// # Errors
    /// See [`accept`](Self::accept).
    ///
    /// # Cancel safety
    /// Dropping the future drops the connection.
    pub async fn accept_stream(self) -> Result<StreamWebSocket, Error> {
        let options = Arc::clone(&self.options);
        let opened = Box::pin(self.open()).await?;
        let settings = options.settings(&opened.opening);
        opened.into_stream_socket(settings, options.stream_options())
    }

    /// Reads the client's request and leaves the decision to the caller.
    ///
    /// # Errors
    /// See [`accept`](Self::accept).
    ///
    /// # Cancel safety
    /// Dropping the future drops the connection.
    pub async fn receive_request(self) -> Result<PendingHandshake, Error> {
        let receiving = async move {
            let options = Arc::clone(&self.options);
            options.receive_request_of(self.arrive().await?).await
        };
        Box::pin(receiving).await
    }

    async fn open(self) -> Result<Opened, Error> {
        let options = Arc::clone(&self.options);
        options.open(self.arrive().await?).await
    }

    /// Agrees on TLS, if that is what the port is for.
    async fn arrive(self) -> Result<Arrived, Error> {
        let addresses = Some(self.addresses);
        let Some(tls) = self.tls else {
            let mut arrived = Arrived::over(self.stream);
            arrived.place.addresses = addresses;
            return Ok(arrived);
        };
        let (stream, tls) = secure::secure(self.stream, &tls, self.options.timeout()).await?;
        let tls = Some(tls);
        let place = Place { addresses, tls };
        Ok(Arrived { stream, place })
    }
}
