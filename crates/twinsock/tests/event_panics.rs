//! Handlers that panic: their own connection ends, and nothing else does.

mod record;

use std::sync::Arc;
use std::time::Duration;

use tokio::io::DuplexStream;
use tokio::sync::Notify;
use tokio::time::sleep;
use twinsock::{AbortCause, ErrorKind, Failure, Handlers, MessageWebSocket, WebErrorStatus};
use twinsock_testkit::raw::RawPeer;
use twinsock_testkit::sockets::{PATIENT, server_of_raw};
use twinsock_testkit::wire;

const LONG: Duration = Duration::from_secs(3600);

type Peer = RawPeer<DuplexStream>;

async fn next(peer: &mut Peer) -> wire::Frame {
    peer.receive().await.expect("open").expect("a frame")
}

/// Another connection, with handlers that do no harm.
async fn bystander() -> (MessageWebSocket, Peer) {
    let (socket, peer) = server_of_raw(PATIENT, 4096).await.expect("a pair");
    let (handlers, _) = record::new();
    let socket = socket.with_handlers(handlers).expect("it has none yet");
    (socket, peer)
}

/// How a connection ends whose handlers are these, once a message has come.
async fn end_after_panic(handlers: Handlers) {
    let (bystander, mut other_peer) = bystander().await;
    let (socket, mut peer) = server_of_raw(PATIENT, 4096).await.expect("a pair");
    let (events, record) = record::channel();
    let handlers = handlers.on_closed(move |closed| events.closed(closed));
    let socket = socket.with_handlers(handlers).expect("it has none yet");
    peer.send(&[wire::text("one"), wire::text("two")])
        .await
        .expect("open");
    let close = next(&mut peer).await;
    assert_eq!(
        (close.first_byte(), &close.payload()[..2]),
        (0x88, &1011_u16.to_be_bytes()[..])
    );
    drop(peer);
    let closed = record.failed_end().await;
    let cause = AbortCause::HandlerPanicked;
    assert_eq!(closed.failure(), Some(&Failure::Aborted(cause)));
    assert_eq!(socket.closed().as_ref(), Some(&closed));
    let error = socket.send_text("late").await.expect_err("closed");
    assert_eq!(error.kind(), ErrorKind::Aborted);
    assert_eq!(WebErrorStatus::of_closed(&closed), Some(error.status()));
    bystander.send_text("unharmed").await.expect("open");
    assert_eq!(next(&mut other_peer).await, wire::text("unharmed"));
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_panics_closes_its_connection_alone() {
    end_after_panic(Handlers::new().on_message_received(|_, _| panic!("on purpose"))).await;
}

#[tokio::test(start_paused = true)]
async fn an_async_handler_may_panic_before_it_is_polled() {
    let handler = |_, _| -> std::future::Ready<()> { panic!("on purpose") };
    end_after_panic(Handlers::new().on_message_received_async(handler)).await;
}

#[tokio::test(start_paused = true)]
async fn an_async_handler_may_panic_at_its_first_poll() {
    let handler = |_, _| async { panic!("on purpose") };
    end_after_panic(Handlers::new().on_message_received_async(handler)).await;
}

#[tokio::test(start_paused = true)]
async fn an_async_handler_may_panic_at_a_later_poll() {
    let handler = |_, _| async {
        sleep(Duration::from_secs(1)).await;
        panic!("on purpose");
    };
    end_after_panic(Handlers::new().on_message_received_async(handler)).await;
}

/// Panics when it is dropped.
struct Fragile;

impl Drop for Fragile {
    fn drop(&mut self) {
        unreachable!("on purpose");
    }
}

#[tokio::test(start_paused = true)]
async fn an_async_handler_may_panic_when_it_is_dropped() {
    let handler = |_, _| {
        let fragile = Fragile;
        std::future::poll_fn(move |_| {
            let _ = &fragile;
            std::task::Poll::Ready(())
        })
    };
    end_after_panic(Handlers::new().on_message_received_async(handler)).await;
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_panics_over_an_error_leaves_the_end_as_it_is() {
    let (socket, peer) = server_of_raw(PATIENT, 4096).await.expect("a pair");
    let (events, record) = record::channel();
    let handlers = Handlers::new()
        .on_message_received(|_, received| drop(received.expect("on purpose")))
        .on_closed(move |closed| events.closed(closed));
    let _socket = socket.with_handlers(handlers).expect("it has none yet");
    drop(peer);
    let closed = record.failed_end().await;
    assert_eq!(closed.failure(), Some(&Failure::EndOfStream));
}

#[tokio::test(start_paused = true)]
async fn a_handler_of_the_end_that_panics_harms_nothing() {
    let (bystander, mut other_peer) = bystander().await;
    let called = Arc::new(Notify::new());
    for handlers in [
        Handlers::new().on_closed(|_| panic!("on purpose")),
        Handlers::new().on_closed_async(|_| async { panic!("on purpose") }),
    ] {
        let (socket, peer) = server_of_raw(PATIENT, 4096).await.expect("a pair");
        let called = Arc::clone(&called);
        let handlers = handlers.on_message_received(move |_, _| called.notify_one());
        let socket = socket.with_handlers(handlers).expect("it has none yet");
        drop(peer);
        sleep(LONG).await;
        assert!(socket.closed().is_some());
    }
    called.notified().await;
    bystander.send_text("unharmed").await.expect("open");
    assert_eq!(next(&mut other_peer).await, wire::text("unharmed"));
}
