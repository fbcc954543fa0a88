//! A peer that is no WebSocket library: a minimal opening handshake, then frames by hand.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use twinsock_proto::Role;
use twinsock_proto::handshake::Key;

use crate::wire::{self, Frame};

/// A byte stream to the library under test, with its opening handshake done.
#[derive(Debug)]
pub struct RawPeer<S> {
    /// The stream, for whatever bytes a test wants to send.
    pub stream: S,
    role: Role,
}

/// The request of the opening handshake, as a client sends it.
pub const REQUEST: &str = "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";

impl RawPeer<TcpStream> {
    /// A client over TCP.
    ///
    /// # Errors
    /// When the connection or the handshake breaks.
    pub async fn connect(address: SocketAddr) -> io::Result<Self> {
        Self::client(TcpStream::connect(address).await?).await
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> RawPeer<S> {
    /// A client.
    ///
    /// # Errors
    /// When the handshake breaks.
    pub async fn client(mut stream: S) -> io::Result<Self> {
        stream.write_all(REQUEST.as_bytes()).await?;
        let head = read_head(&mut stream).await?;
        if !head.starts_with("HTTP/1.1 101 ") {
            return Err(io::Error::other(head));
        }
        let role = Role::Client;
        Ok(Self { stream, role })
    }

    /// A server.
    ///
    /// # Errors
    /// When the handshake breaks.
    pub async fn server(mut stream: S) -> io::Result<Self> {
        let head = read_head(&mut stream).await?;
        let response = response_to(&head).ok_or_else(|| io::Error::other(head))?;
        stream.write_all(response.as_bytes()).await?;
        let role = Role::Server;
        Ok(Self { stream, role })
    }

    /// Sends frames, masked as the role demands.
    ///
    /// # Errors
    /// When the connection breaks.
    pub async fn send(&mut self, frames: &[Frame]) -> io::Result<()> {
        let honest = |frame: &Frame| frame.clone().sent_by(self.role).bytes();
        let bytes: Vec<u8> = frames.iter().flat_map(honest).collect();
        self.stream.write_all(&bytes).await
    }

    /// The next frame, unmasked; `None` at the end of the stream.
    ///
    /// # Errors
    /// When the connection breaks, or ends inside a frame.
    pub async fn receive(&mut self) -> io::Result<Option<Frame>> {
        let mut bytes = vec![0; 2];
        if self.stream.read(&mut bytes[..1]).await? == 0 {
            return Ok(None);
        }
        self.stream.read_exact(&mut bytes[1..]).await?;
        let more = match bytes[1] & 0x7F {
            126 => 2,
            127 => 8,
            _ => 0,
        } + usize::from(bytes[1] >> 7) * 4;
        self.read_more(&mut bytes, more).await?;
        let length = wire::payload_length(&bytes);
        self.read_more(&mut bytes, length).await?;
        Ok(wire::read(&bytes).pop().map(Frame::unmasked))
    }

    /// All frames until the end of the stream.
    ///
    /// # Errors
    /// When the connection breaks, or ends inside a frame.
    pub async fn receive_all(&mut self) -> io::Result<Vec<Frame>> {
        let mut frames = Vec::new();
        while let Some(frame) = self.receive().await? {
            frames.push(frame);
        }
        Ok(frames)
    }

    async fn read_more(&mut self, bytes: &mut Vec<u8>, count: usize) -> io::Result<()> {
        let start = bytes.len();
        bytes.resize(start + count, 0);
        self.stream.read_exact(&mut bytes[start..]).await?;
        Ok(())
    }
}

/// Reads an HTTP head byte by byte, so that nothing behind it is taken.
///
/// # Errors
/// When the connection breaks or ends.
pub async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    String::from_utf8(head).map_err(io::Error::other)
}

/// The answer that opens the connection; `None` when the request has no key.
#[must_use]
pub fn response_to(request: &str) -> Option<String> {
    let key = request.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("sec-websocket-key")
            .then_some(value)
    })?;
    let accept = Key::from_header(key.as_bytes()).ok()?.accept();
    Some(format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {}\r\n\r\n",
        accept.as_str()
    ))
}
