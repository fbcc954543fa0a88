//! Sockets that compress, connected to each other.

// Each test file uses its own part of this module.
#![allow(dead_code)]

use std::future::Future;

use tokio::io::duplex;
use twinsock::{
    AcceptOptions, ContextTakeover, DeflateOffer, DeflateTerms, Error, MessageWebSocket,
    MessageWebSocketBuilder, WindowBits,
};
use twinsock_testkit::sockets::{PATIENT, URI};

/// Enough for all that a test sends before anybody reads.
pub(crate) const CAPACITY: usize = 4 << 20;

pub(crate) const TAKEOVER: DeflateTerms = DeflateTerms {
    server_max_window_bits: WindowBits::MAX,
    client_max_window_bits: WindowBits::MAX,
    server_context_takeover: ContextTakeover::On,
    client_context_takeover: ContextTakeover::On,
};

pub(crate) fn offering() -> MessageWebSocketBuilder {
    MessageWebSocket::builder()
        .timeouts(PATIENT)
        .deflate(DeflateOffer::default())
}

pub(crate) fn accepting(terms: DeflateTerms) -> AcceptOptions {
    AcceptOptions::new().timeouts(PATIENT).deflate(terms)
}

pub(crate) async fn pair_of(
    builder: MessageWebSocketBuilder,
    options: AcceptOptions,
) -> (MessageWebSocket, MessageWebSocket) {
    let (near, far) = duplex(CAPACITY);
    tokio::try_join!(builder.connect_over(near, URI), options.accept(far)).expect("they agree")
}

pub(crate) async fn pair(terms: DeflateTerms) -> (MessageWebSocket, MessageWebSocket) {
    pair_of(offering(), accepting(terms)).await
}

/// Text that is like itself, of so many bytes.
pub(crate) fn text(size: usize) -> String {
    "compress me, compress me; "
        .chars()
        .cycle()
        .take(size)
        .collect()
}

pub(crate) fn sent_bytes(socket: &MessageWebSocket) -> u64 {
    socket.information().statistics().sent.bytes
}

/// How many bytes go out with this.
pub(crate) async fn cost<T>(
    socket: &MessageWebSocket,
    action: impl Future<Output = Result<T, Error>>,
) -> u64 {
    let before = sent_bytes(socket);
    action.await.expect("open");
    socket.flush().await.expect("open");
    sent_bytes(socket) - before
}
