//! Sockets of the library, connected to each other and to raw peers.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{DuplexStream, duplex};
use tokio::task::JoinHandle;
use twinsock::{
    AcceptOptions, ByteStream, Closed, Error, Incoming, Listener, MessageWebSocket, Timeouts,
};

use crate::raw::RawPeer;

/// The address of a server over a stream that is already there.
pub const URI: &str = "ws://localhost/";

/// Timeouts none of which runs out.
pub const PATIENT: Timeouts = Timeouts {
    resolve: Duration::MAX,
    connect: Duration::MAX,
    proxy: Duration::MAX,
    tls: Duration::MAX,
    handshake: Duration::MAX,
    overall: None,
    accept: Duration::MAX,
    close: Duration::MAX,
    keep_alive: None,
    pong: None,
    send: None,
    receive: None,
};

/// A client and a server over `capacity` bytes of memory each way.
///
/// # Errors
/// Never, but for a bug.
pub async fn pair(capacity: usize) -> Result<(MessageWebSocket, MessageWebSocket), Error> {
    pair_with(capacity, PATIENT).await
}

/// The same with these timeouts for both.
///
/// # Errors
/// Never, but for a bug.
pub async fn pair_with(
    capacity: usize,
    timeouts: Timeouts,
) -> Result<(MessageWebSocket, MessageWebSocket), Error> {
    let (client, server) = duplex(capacity);
    tokio::try_join!(
        MessageWebSocket::builder()
            .timeouts(timeouts)
            .connect_over(client, URI),
        async {
            let options = AcceptOptions::new().timeouts(timeouts);
            options.accept(server).await
        }
    )
}

/// A client of the library and the raw server that it talks to.
///
/// # Errors
/// When the handshake breaks.
pub async fn client_of_raw(
    timeouts: Timeouts,
    capacity: usize,
) -> io::Result<(MessageWebSocket, RawPeer<DuplexStream>)> {
    let (near, far) = duplex(capacity);
    let builder = MessageWebSocket::builder().timeouts(timeouts);
    let (client, raw) = tokio::join!(builder.connect_over(near, URI), RawPeer::server(far));
    Ok((client?, raw?))
}

/// A server of the library and the raw client that it talks to.
///
/// # Errors
/// When the handshake breaks.
pub async fn server_of_raw(
    timeouts: Timeouts,
    capacity: usize,
) -> io::Result<(MessageWebSocket, RawPeer<DuplexStream>)> {
    let (near, far) = duplex(capacity);
    let options = AcceptOptions::new().timeouts(timeouts);
    let (server, raw) = tokio::join!(options.accept(near), RawPeer::client(far));
    Ok((server?, raw?))
}

/// A server of the library over a stream whose script begins with the client's request.
///
/// # Errors
/// When the handshake breaks.
pub async fn server_over(
    stream: impl ByteStream + 'static,
    timeouts: Timeouts,
) -> Result<MessageWebSocket, Error> {
    AcceptOptions::new().timeouts(timeouts).accept(stream).await
}

/// An echo server on a free port of this host, until its task is aborted.
///
/// `ended` learns how each connection ended.
///
/// # Errors
/// When there is no free port.
pub async fn echo_server(
    options: AcceptOptions,
    ended: impl Fn(Result<Option<Closed>, Error>) + Clone + Send + Sync + 'static,
) -> Result<(SocketAddr, JoinHandle<()>), Error> {
    let listener = Listener::bind("127.0.0.1:0").await?.with_options(options);
    let address = listener.local_address();
    let accepting = tokio::spawn(async move {
        while let Ok(incoming) = listener.accept().await {
            let ended = ended.clone();
            tokio::spawn(async move { ended(echo(incoming).await) });
        }
    });
    Ok((address, accepting))
}

async fn echo(incoming: Incoming) -> Result<Option<Closed>, Error> {
    let socket = incoming.accept().await?;
    while let Some(message) = socket.receive().await? {
        socket.send(message).await?;
    }
    Ok(socket.closed())
}
