//! Stream sockets of the library, connected to each other and to raw peers.

use std::io;

use tokio::io::{DuplexStream, duplex};
use tokio::net::{TcpListener, TcpStream};
use twinsock::{AcceptOptions, ByteStream, Error, StreamWebSocket, StreamWebSocketBuilder};

use crate::raw::RawPeer;
use crate::sockets::{PATIENT, URI};

/// The settings of a client none of whose timeouts runs out.
#[must_use]
pub fn patient() -> StreamWebSocketBuilder {
    StreamWebSocket::builder().timeouts(PATIENT)
}

/// A client and a server over `capacity` bytes of memory each way.
///
/// # Errors
/// Never, but for a bug.
pub async fn pair(capacity: usize) -> Result<(StreamWebSocket, StreamWebSocket), Error> {
    let (client, server) = duplex(capacity);
    pair_over(client, server).await
}

/// A client and a server over two ends of a byte stream.
///
/// # Errors
/// When the handshake breaks.
pub async fn pair_over(
    client: impl ByteStream + 'static,
    server: impl ByteStream + 'static,
) -> Result<(StreamWebSocket, StreamWebSocket), Error> {
    let options = AcceptOptions::new().timeouts(PATIENT);
    tokio::try_join!(
        patient().connect_over(client, URI),
        options.accept_stream(server)
    )
}

/// Both ends of a TCP connection on this host.
///
/// # Errors
/// When there is no free port.
pub async fn tcp_pair() -> io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let (near, far) = tokio::try_join!(
        TcpStream::connect(listener.local_addr()?),
        listener.accept()
    )?;
    near.set_nodelay(true)?;
    far.0.set_nodelay(true)?;
    Ok((near, far.0))
}

/// A client of the library and the raw server that it talks to.
///
/// # Errors
/// When the handshake breaks.
pub async fn client_of_raw(
    builder: StreamWebSocketBuilder,
    capacity: usize,
) -> io::Result<(StreamWebSocket, RawPeer<DuplexStream>)> {
    let (near, far) = duplex(capacity);
    let (client, raw) = tokio::join!(builder.connect_over(near, URI), RawPeer::server(far));
    Ok((client?, raw?))
}

/// A server of the library and the raw client that it talks to.
///
/// # Errors
/// When the handshake breaks.
pub async fn server_of_raw(
    options: AcceptOptions,
    capacity: usize,
) -> io::Result<(StreamWebSocket, RawPeer<DuplexStream>)> {
    let (near, far) = duplex(capacity);
    let (server, raw) = tokio::join!(options.accept_stream(near), RawPeer::client(far));
    Ok((server?, raw?))
}
