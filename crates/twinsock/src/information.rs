//! What can be seen of a socket at any time, from anywhere.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, Request, Response};
use twinsock_proto::{
    BandwidthStatistics, Closed, Connection, DeflateMemory, DeflateParameters, Statistics,
};

use crate::connect::ConnectReport;
use crate::driver::{Driver, Shared};
use crate::opening::Opening;
use crate::tls::{Certificate, CertificateError, CertificateErrorSeverity, TlsInformation};

/// What can be seen of a socket: where it is connected, what was agreed on, how it stands now and
/// what went over it (`MessageWebSocketInformation` and `StreamWebSocketInformation` in UWP).
///
/// A clone may be kept anywhere and asked at any time, also while the socket is busy in another
/// task, after it has closed and after it was dropped. It does not keep the connection open, and
/// asking never waits for the network.
///
/// ```
/// # async fn run() -> Result<(), twinsock::Error> {
/// use twinsock::{MessageWebSocket, SocketState};
///
/// let socket = MessageWebSocket::connect("ws://echo.example/").await?;
/// let information = socket.information().clone();
/// tokio::spawn(async move {
///     while information.state() != SocketState::Closed {
///         let received = information.statistics().received;
///         println!("{} messages, {} bytes", received.messages, received.bytes);
///         tokio::time::sleep(std::time::Duration::from_secs(1)).await;
///     }
/// });
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Information {
    shared: Arc<Shared>,
    opening: Arc<Opening>,
}

/// How a socket stands in its closing handshake (RFC 6455 §7.1).
///
/// The peer's Close frame is seen when the socket is driven: while the application receives,
/// sends and has to wait, or after `attend`.
///
/// ```
/// # fn run(socket: &twinsock::MessageWebSocket) {
/// use twinsock::SocketState;
///
/// if socket.information().state() == SocketState::CloseReceived {
///     println!("the peer will take no more than the answers that are under way");
/// }
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SocketState {
    /// Nobody has begun to close.
    Open,
    /// This endpoint has begun to close, or can send nothing more: the peer's Close frame is
    /// awaited, and what comes before it may still be received.
    CloseSent,
    /// The peer has begun to close and is not answered yet: the application may still send.
    CloseReceived,
    /// Both Close frames are there, or the connection has failed: its end is awaited.
    Closing,
    /// The connection has ended.
    Closed,
}

impl SocketState {
    pub(crate) fn of(connection: &Connection) -> Self {
        match (connection.is_open(), connection.holds_close()) {
            _ if connection.closed().is_some() => Self::Closed,
            _ if connection.ending().is_some() => Self::Closing,
            (true, false) => Self::Open,
            (true, true) => Self::CloseReceived,
            (false, false) => Self::CloseSent,
            (false, true) => Self::Closing,
        }
    }
}

impl Information {
    pub(crate) fn new(driver: &Driver, opening: Opening) -> Self {
        Self {
            shared: driver.shared(),
            opening: Arc::new(opening),
        }
    }

    /// This end's address; `None` over a stream that is not a TCP connection of this library
    /// (`LocalAddress` in UWP).
    #[must_use]
    pub fn local_address(&self) -> Option<SocketAddr> {
        self.opening.local_address()
    }

    /// The peer's address; `None` over a stream that is not a TCP connection of this library.
    #[must_use]
    pub fn peer_address(&self) -> Option<SocketAddr> {
        self.opening.peer_address()
    }

    /// The subprotocol that was agreed on (`Protocol` in UWP).
    #[must_use]
    pub fn protocol(&self) -> Option<&str> {
        self.opening.protocol()
    }

    /// What was agreed on for compressed messages (RFC 7692 §7.1); `None` when messages are not
    /// compressed.
    #[must_use]
    pub fn deflate(&self) -> Option<DeflateParameters> {
        self.opening.deflate
    }

    /// What compression holds in memory now.
    #[must_use]
    pub fn deflate_memory(&self) -> DeflateMemory {
        self.shared.look(Connection::deflate_memory)
    }

    /// The TLS beneath: its version, the peer's certificate, in a server that of a client which
    /// showed one; `None` without TLS, and over a stream of the caller's own.
    #[must_use]
    pub fn tls(&self) -> Option<&TlsInformation> {
        self.opening.tls.as_ref()
    }

    /// The server's certificate; `None` without TLS, and in a server (`ServerCertificate` in UWP).
    #[must_use]
    pub fn server_certificate(&self) -> Option<&Certificate> {
        self.servers_tls()?.peer_certificate()
    }

    /// The other certificates that the server sent (`ServerIntermediateCertificates` in UWP).
    #[must_use]
    pub fn server_intermediate_certificates(&self) -> &[Certificate] {
        self.servers_tls()
            .map_or(&[], TlsInformation::intermediate_certificates)
    }

    /// What is wrong with the server's certificate and was ignored (`ServerCertificateErrors` in
    /// UWP).
    #[must_use]
    pub fn server_certificate_errors(&self) -> &[CertificateError] {
        self.servers_tls()
            .map_or(&[], TlsInformation::certificate_errors)
    }

    /// How bad that is (`ServerCertificateErrorSeverity` in UWP).
    #[must_use]
    pub fn server_certificate_error_severity(&self) -> CertificateErrorSeverity {
        CertificateErrorSeverity::of(self.server_certificate_errors())
    }

    /// The TLS of a client: its peer is a server.
    fn servers_tls(&self) -> Option<&TlsInformation> {
        self.tls().filter(|_| self.response().is_some())
    }

    /// The server's response to the opening handshake; `None` in a server.
    #[must_use]
    pub fn response(&self) -> Option<&Response<()>> {
        self.opening.response()
    }

    /// The headers of that response.
    #[must_use]
    pub fn response_headers(&self) -> Option<&HeaderMap> {
        self.response().map(Response::headers)
    }

    /// The client's request of the opening handshake; `None` in a client.
    #[must_use]
    pub fn request(&self) -> Option<&Request<()>> {
        self.opening.request()
    }

    /// In which steps the connection was made, and how long each took; `None` in a server, and
    /// over a stream of the caller's own.
    #[must_use]
    pub fn connect_report(&self) -> Option<&ConnectReport> {
        self.opening.report.as_deref()
    }

    /// How the socket stands now.
    #[must_use]
    pub fn state(&self) -> SocketState {
        self.shared.look(SocketState::of)
    }

    /// How the connection ended: both codes and reasons, who began, clean or not; `None` while it
    /// has not ended.
    #[must_use]
    pub fn closed(&self) -> Option<Closed> {
        self.shared.closed()
    }

    /// The bytes, frames and messages that have gone in each direction.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        self.shared.look(Connection::statistics)
    }

    /// How much the network carries in each direction, estimated from the socket's own traffic
    /// (`BandwidthStatistics` in UWP).
    #[must_use]
    pub fn bandwidth_statistics(&self) -> BandwidthStatistics {
        self.shared
            .look(|connection| connection.bandwidth_statistics(crate::driver::now()))
    }

    /// How long the newest answered Ping took, ours or the keep-alive's; `None` before the first
    /// answer.
    #[must_use]
    pub fn round_trip_time(&self) -> Option<Duration> {
        self.shared.look(Connection::round_trip_time)
    }

    /// How often an unsolicited Pong really goes out: what was asked for, but no more often
    /// than each second; `None` for never (`Control.ActualUnsolicitedPongInterval` in UWP).
    #[must_use]
    pub fn actual_unsolicited_pong_interval(&self) -> Option<Duration> {
        self.shared.look(Connection::unsolicited_pong_interval)
    }
}

/// Shows where it is connected and how it stands; never what was said.
impl fmt::Debug for Information {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Information")
            .field("peer_address", &self.peer_address())
            .field("protocol", &self.protocol())
            .field("state", &self.state())
            .field("statistics", &self.statistics())
            .finish_non_exhaustive()
    }
}

/// Writes the short ways to the information of a socket that has a method `information`: they are
/// the same for both sockets, and so is what is said of them.
macro_rules! shared_information {
    ($socket:ident) => {
        impl $socket {
            /// The subprotocol that was agreed on (`Information.Protocol` in UWP).
            #[must_use]
            pub fn protocol(&self) -> Option<&str> {
                self.information().protocol()
            }

            /// The server's response to the opening handshake; `None` in a server.
            #[must_use]
            pub fn response(&self) -> Option<&$crate::http::Response<()>> {
                self.information().response()
            }

            /// The client's request of the opening handshake; `None` in a client.
            #[must_use]
            pub fn request(&self) -> Option<&$crate::http::Request<()>> {
                self.information().request()
            }

            /// This end's address; `None` over a stream that is not a TCP connection of this library
            /// (`Information.LocalAddress` in UWP).
            #[must_use]
            pub fn local_address(&self) -> Option<::std::net::SocketAddr> {
                self.information().local_address()
            }

            /// The peer's address; `None` over a stream that is not a TCP connection of this library.
            #[must_use]
            pub fn peer_address(&self) -> Option<::std::net::SocketAddr> {
                self.information().peer_address()
            }

            /// How often an unsolicited Pong really goes out: what was asked for, but no more often
            /// than each second; `None` for never (`Control.ActualUnsolicitedPongInterval` in UWP).
            #[must_use]
            pub fn actual_unsolicited_pong_interval(&self) -> Option<::std::time::Duration> {
                self.information().actual_unsolicited_pong_interval()
            }

            /// How long the newest answered Ping took, ours or the keep-alive's; `None` before the first
            /// answer.
            #[must_use]
            pub fn round_trip_time(&self) -> Option<::std::time::Duration> {
                self.information().round_trip_time()
            }
        }
    };
}

pub(crate) use shared_information;
