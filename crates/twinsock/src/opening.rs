//! What the opening handshake left behind.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::task::{Context, Poll};

use bytes::{BufMut, BytesMut};
use http::{Request, Response};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use twinsock_proto::handshake::{ReceivedHead, Subprotocol};
use twinsock_proto::{Compression, Deflate, DeflateParameters, ReceiveMode, Role, Settings};

use crate::connect::ConnectReport;
use crate::driver::{ByteStream, Driver, Surface, memory};
use crate::error::Error;
use crate::message::MessageWebSocket;
use crate::stream::{StreamOptions, StreamWebSocket};
use crate::tls::TlsInformation;

/// What is known of a connection since its opening handshake.
#[derive(Debug)]
pub(crate) struct Opening {
    pub(crate) head: Head,
    pub(crate) protocol: Option<Subprotocol>,
    /// What was agreed on for compressed messages.
    pub(crate) deflate: Option<DeflateParameters>,
    pub(crate) addresses: Option<Addresses>,
    /// What was agreed on beneath; nothing without TLS, and over a stream of the caller's.
    pub(crate) tls: Option<TlsInformation>,
    /// How a client came here; nothing for a server, or over a stream of the caller's.
    pub(crate) report: Option<Box<ConnectReport>>,
}

/// What the peer said.
#[derive(Debug)]
pub(crate) enum Head {
    FromServer(ReceivedHead<Response<()>>),
    FromClient(ReceivedHead<Request<()>>),
}

/// Both ends of a TCP connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Addresses {
    pub(crate) local: SocketAddr,
    pub(crate) peer: SocketAddr,
}

/// A byte stream on which the opening handshake is done.
pub(crate) struct Opened {
    pub(crate) stream: Box<dyn ByteStream>,
    pub(crate) opening: Opening,
    /// What came behind the handshake: the beginning of the first frame.
    pub(crate) leftover: BytesMut,
}

impl Addresses {
    pub(crate) fn of(stream: &TcpStream) -> io::Result<Self> {
        Ok(Self {
            local: stream.local_addr()?,
            peer: stream.peer_addr()?,
        })
    }
}

impl Opening {
    pub(crate) fn new(head: Head, protocol: Option<Subprotocol>) -> Self {
        Self {
            head,
            protocol,
            deflate: None,
            addresses: None,
            tls: None,
            report: None,
        }
    }

    pub(crate) fn protocol(&self) -> Option<&str> {
        self.protocol.as_ref().map(Subprotocol::as_str)
    }

    pub(crate) fn response(&self) -> Option<&Response<()>> {
        match &self.head {
            Head::FromServer(response) => Some(response.get()),
            Head::FromClient(_) => None,
        }
    }

    pub(crate) fn request(&self) -> Option<&Request<()>> {
        match &self.head {
            Head::FromClient(request) => Some(request.get()),
            Head::FromServer(_) => None,
        }
    }

    pub(crate) fn local_address(&self) -> Option<SocketAddr> {
        self.addresses.map(|addresses| addresses.local)
    }

    pub(crate) fn peer_address(&self) -> Option<SocketAddr> {
        self.addresses.map(|addresses| addresses.peer)
    }

    /// What the driver has to know of it.
    pub(crate) fn compressed(&self, compression: Compression) -> Option<Deflate> {
        self.deflate.map(|parameters| Deflate {
            parameters,
            compression,
        })
    }

    fn role(&self) -> Role {
        match self.head {
            Head::FromServer(_) => Role::Client,
            Head::FromClient(_) => Role::Server,
        }
    }
}

impl Opened {
    /// Where the connection runs, once that is known.
    pub(crate) fn at(mut self, addresses: Option<Addresses>) -> Self {
        self.opening.addresses = addresses;
        self
    }

    /// What TLS it runs over.
    pub(crate) fn over_tls(mut self, tls: Option<TlsInformation>) -> Self {
        self.opening.tls = tls;
        self
    }

    pub(crate) fn reported(mut self, report: ConnectReport) -> Self {
        self.opening.report = Some(Box::new(report));
        self
    }

    pub(crate) fn into_message_socket(self, settings: Settings) -> Result<MessageWebSocket, Error> {
        let (driver, opening) = self.into_driver(settings, Surface::Messages)?;
        Ok(MessageWebSocket::new(driver, opening))
    }

    pub(crate) fn into_stream_socket(
        self,
        settings: Settings,
        options: StreamOptions,
    ) -> Result<StreamWebSocket, Error> {
        let settings = Settings {
            receive_mode: ReceiveMode::PartialMessage,
            text: options.text,
            ..settings
        };
        let (driver, opening) = self.into_driver(settings, Surface::Stream(options.framing))?;
        Ok(StreamWebSocket::new(driver, opening, options))
    }

    fn into_driver(self, settings: Settings, surface: Surface) -> Result<(Driver, Opening), Error> {
        let role = self.opening.role();
        let driver = Driver::new(self.stream, role, settings, surface, &self.leftover)?;
        Ok((driver, self.opening))
    }
}

/// Reads once and lets `look` see what came: nothing at the end of the stream.
///
/// The memory is the thread's, so that a handshake that waits for its peer holds none.
pub(crate) fn poll_read<T>(
    stream: &mut Box<dyn ByteStream>,
    context: &mut Context<'_>,
    look: impl FnOnce(&[u8]) -> T,
) -> Poll<io::Result<T>> {
    let mut memory = memory::take();
    let mut room = (&mut memory).limit(READ_SIZE);
    let read = pin!(stream.read_buf(&mut room)).poll(context);
    let result = read.map_ok(|_| look(&memory));
    memory::give_back(memory);
    result
}

/// How much of a head is read at once.
const READ_SIZE: usize = 4 * 1024;
