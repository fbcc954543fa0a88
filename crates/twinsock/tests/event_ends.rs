//! Every end of a connection: which handlers are called, how often, in what order.

mod record;

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};
use twinsock::{
    AbortCause, AcceptOptions, CloseCode, Closed, ErrorKind, Failure, Handlers, Initiator,
    LimitExceeded, MessageType, MessageWebSocket, Overdue, StreamWebSocket, Timeout, Timeouts,
    WebErrorStatus,
};
use twinsock_testkit::raw::RawPeer;
use twinsock_testkit::sockets::{PATIENT, URI, server_of_raw};
use twinsock_testkit::wire;

use record::{Event, Record};

const LONG: Duration = Duration::from_secs(3600);

type Peer<S = DuplexStream> = RawPeer<S>;

async fn recorded_with(options: AcceptOptions) -> (MessageWebSocket, Peer, Record) {
    let (near, far) = duplex(4096);
    let (socket, peer) = tokio::join!(options.accept(near), RawPeer::client(far));
    let (handlers, record) = record::new();
    let socket = socket.expect("a client").with_handlers(handlers);
    (
        socket.expect("it has none yet"),
        peer.expect("a server"),
        record,
    )
}

async fn recorded(timeouts: Timeouts) -> (MessageWebSocket, Peer, Record) {
    recorded_with(AcceptOptions::new().timeouts(timeouts)).await
}

/// The same over TCP.
async fn recorded_over_tcp() -> (MessageWebSocket, Peer<TcpStream>, Record) {
    let (near, far) = tcp().await;
    let (socket, peer) = tokio::join!(MessageWebSocket::accept(near), RawPeer::client(far));
    let (handlers, record) = record::new();
    let socket = socket.expect("a client").with_handlers(handlers);
    (
        socket.expect("it has none yet"),
        peer.expect("a server"),
        record,
    )
}

async fn tcp() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    let (far, near) = tokio::join!(TcpStream::connect(address), listener.accept());
    (near.expect("somebody connects").0, far.expect("it listens"))
}

/// A server's stream with a handler for the end.
async fn stream_with_record(timeouts: Timeouts) -> (StreamWebSocket, Peer, Record) {
    let (near, far) = duplex(4096);
    let options = AcceptOptions::new().timeouts(timeouts);
    let (stream, peer) = tokio::join!(options.accept_stream(near), RawPeer::client(far));
    let (events, record) = record::channel();
    let stream = stream.expect("a client");
    let stream = stream.on_closed(move |closed| events.closed(closed));
    (
        stream.expect("it has none yet"),
        peer.expect("a server"),
        record,
    )
}

async fn next(peer: &mut Peer) -> wire::Frame {
    let frame = timeout(LONG, peer.receive()).await;
    frame.expect("not stuck").expect("open").expect("a frame")
}

/// Tells what the application learns that calls, and that it is the same.
fn assert_same_end(socket: &MessageWebSocket, closed: &Closed) {
    assert_eq!(socket.closed().as_ref(), Some(closed));
}

// ---- Close frames ----

#[tokio::test(start_paused = true)]
async fn the_peers_close_is_told_once() {
    let (socket, mut peer, record) = recorded(PATIENT).await;
    peer.send(&[wire::close(4000, "why not")])
        .await
        .expect("open");
    drop(peer);
    let (messages, closed) = record.messages_and_clean_end().await;
    assert!(messages.is_empty());
    assert_eq!(
        (closed.code(), closed.reason()),
        (CloseCode::from(4000), "why not")
    );
    assert_same_end(&socket, &closed);
}

#[tokio::test(start_paused = true)]
async fn our_close_is_told_once() {
    let (socket, mut peer, record) = recorded(PATIENT).await;
    let answering = tokio::spawn(async move {
        assert_eq!(next(&mut peer).await, wire::close(1000, "done"));
        peer.send(&[wire::text("late"), wire::close(1000, "")])
            .await
            .expect("open");
    });
    socket
        .close(CloseCode::NORMAL, "done")
        .await
        .expect("answered");
    answering.await.expect("no panic");
    let (messages, closed) = record.messages_and_clean_end().await;
    assert!(messages.is_empty(), "discarded: {messages:?}");
    assert_eq!(closed.initiator(), Initiator::Local);
    assert_same_end(&socket, &closed);
}

#[tokio::test(start_paused = true)]
async fn what_comes_after_start_close_is_handled() {
    let (socket, mut peer, record) = recorded(PATIENT).await;
    socket.start_close(CloseCode::NORMAL, "").expect("valid");
    assert_eq!(next(&mut peer).await, wire::close(1000, ""));
    peer.send(&[wire::text("late"), wire::close(1000, "")])
        .await
        .expect("open");
    drop(peer);
    let (messages, closed) = record.messages_and_clean_end().await;
    assert_eq!(messages, ["late"]);
    assert_same_end(&socket, &closed);
}

#[tokio::test(start_paused = true)]
async fn a_handler_may_close() {
    let (near, far) = duplex(4096);
    let (socket, peer) = tokio::join!(MessageWebSocket::accept(near), RawPeer::client(far));
    let (events, record) = record::channel();
    let handlers = Handlers::new()
        .on_message_received_async(|socket, _| async move {
            socket
                .close(CloseCode::NORMAL, "enough")
                .await
                .expect("answered");
        })
        .on_closed(move |closed| events.closed(closed));
    let _socket = socket
        .expect("a client")
        .with_handlers(handlers)
        .expect("it has none yet");
    let mut peer = peer.expect("a server");
    peer.send(&[wire::text("one"), wire::text("two")])
        .await
        .expect("open");
    assert_eq!(next(&mut peer).await, wire::close(1000, "enough"));
    peer.send(&[wire::close(1000, "")]).await.expect("open");
    drop(peer);
    assert!(record.messages_and_clean_end().await.1.is_clean());
}

// ---- lost connections ----

#[tokio::test(start_paused = true)]
async fn the_end_of_the_stream_without_a_close_is_an_error_and_then_the_end() {
    let (socket, peer, record) = recorded(PATIENT).await;
    drop(peer);
    let (kind, closed) = record.failure_and_end().await;
    assert_eq!(kind, ErrorKind::ConnectionLost);
    assert_eq!(closed.failure(), Some(&Failure::EndOfStream));
    assert_same_end(&socket, &closed);
}

#[tokio::test]
async fn a_fin_without_a_close_is_an_error_and_then_the_end() {
    let (socket, mut peer, record) = recorded_over_tcp().await;
    peer.stream.shutdown().await.expect("open");
    let (kind, closed) = record.failure_and_end().await;
    assert_eq!(kind, ErrorKind::ConnectionLost);
    let status = WebErrorStatus::of_closed(&closed);
    assert_eq!(status, Some(WebErrorStatus::ConnectionAborted));
    assert_same_end(&socket, &closed);
}

#[tokio::test]
async fn a_reset_is_an_error_and_then_the_end() {
    let (socket, peer, record) = recorded_over_tcp().await;
    peer.stream.set_zero_linger().expect("open");
    drop(peer);
    let (kind, closed) = record.failure_and_end().await;
    assert_eq!(kind, ErrorKind::ConnectionLost);
    let status = WebErrorStatus::of_closed(&closed);
    assert_eq!(status, Some(WebErrorStatus::ConnectionReset));
    assert_same_end(&socket, &closed);
}

#[tokio::test]
async fn a_reset_while_the_application_sends_is_told_once() {
    let (socket, peer, record) = recorded_over_tcp().await;
    peer.stream.set_zero_linger().expect("open");
    drop(peer);
    while socket.send_binary(&[7; 1000]).await.is_ok() {}
    let (kind, closed) = record.failure_and_end().await;
    assert_eq!(kind, ErrorKind::ConnectionLost);
    assert_same_end(&socket, &closed);
}

#[tokio::test(start_paused = true)]
async fn what_came_before_a_loss_is_handled_first() {
    let (_socket, mut peer, record) = recorded(PATIENT).await;
    peer.send(&[wire::text("one"), wire::text("two")])
        .await
        .expect("open");
    drop(peer);
    let events = record.all().await;
    assert_eq!(events[0], Event::Message("one".to_owned()));
    assert_eq!(events[1], Event::Message("two".to_owned()));
    assert_eq!(events[2].kind(), Some(ErrorKind::ConnectionLost));
    assert!(matches!(&events[3..], [Event::Closed(_)]), "{events:?}");
}

// ---- failures ----

#[tokio::test(start_paused = true)]
async fn a_peer_that_falls_silent_is_an_error_and_then_the_end() {
    let (socket, _peer, record) = recorded(Timeouts::default()).await;
    let (kind, closed) = record.failure_and_end().await;
    assert_eq!(kind, ErrorKind::Timeout(Timeout::Pong));
    assert_eq!(closed.failure(), Some(&Failure::TimedOut(Overdue::Pong)));
    assert_same_end(&socket, &closed);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_does_not_go_on_is_an_error_and_then_the_end() {
    let timeouts = Timeouts {
        receive: Some(Duration::from_secs(1)),
        ..PATIENT
    };
    let (_socket, mut peer, record) = recorded(timeouts).await;
    peer.send(&[wire::text("begin").fragment()])
        .await
        .expect("open");
    let (kind, _) = record.failure_and_end().await;
    assert_eq!(kind, ErrorKind::Timeout(Timeout::Receive));
}

#[tokio::test(start_paused = true)]
async fn a_close_that_is_never_answered_is_an_error_and_then_the_end() {
    let (socket, _peer, record) = recorded(Timeouts::default()).await;
    socket.start_close(CloseCode::NORMAL, "").expect("valid");
    let (kind, closed) = record.failure_and_end().await;
    assert_eq!(kind, ErrorKind::Timeout(Timeout::Close));
    assert_same_end(&socket, &closed);
}

#[tokio::test(start_paused = true)]
async fn a_violation_of_the_protocol_is_an_error_and_then_the_end() {
    let (socket, mut peer, record) = recorded(PATIENT).await;
    peer.send(&[wire::frame(0x83, "")]).await.expect("open");
    assert_eq!(next(&mut peer).await.payload()[..2], 1002_u16.to_be_bytes());
    drop(peer);
    let (kind, closed) = record.failure_and_end().await;
    assert_eq!(kind, ErrorKind::ProtocolViolation);
    assert_same_end(&socket, &closed);
}

#[tokio::test(start_paused = true)]
async fn an_oversized_message_is_an_error_and_then_the_end() {
    let (_socket, mut peer, record) =
        recorded_with(AcceptOptions::new().max_message_size(10)).await;
    peer.send(&[wire::text("much too long")])
        .await
        .expect("open");
    assert_eq!(next(&mut peer).await.payload()[..2], 1009_u16.to_be_bytes());
    drop(peer);
    let (kind, closed) = record.failure_and_end().await;
    assert_eq!(kind, ErrorKind::MessageTooBig);
    let limit = LimitExceeded::MessageSize {
        limit: 10,
        size: 13,
    };
    assert_eq!(closed.failure(), Some(&Failure::LimitExceeded(limit)));
}

#[tokio::test(start_paused = true)]
async fn a_message_given_up_is_an_error_and_then_the_end() {
    let (socket, peer, record) = recorded(PATIENT).await;
    let mut message = socket.send_stream(MessageType::Text).await.expect("open");
    message.write_all(b"half of it").await.expect("open");
    drop(message);
    drop(peer);
    let (kind, closed) = record.failure_and_end().await;
    assert_eq!(kind, ErrorKind::Aborted);
    let cause = AbortCause::MessageUnfinished;
    assert_eq!(closed.failure(), Some(&Failure::Aborted(cause)));
    assert_same_end(&socket, &closed);
}

// ---- the application is gone ----

#[tokio::test(start_paused = true)]
async fn after_the_last_handle_only_the_end_is_told() {
    let (socket, mut peer, record) = recorded(PATIENT).await;
    let other = socket.clone();
    drop(socket);
    peer.send(&[wire::text("still handled")])
        .await
        .expect("open");
    sleep(LONG).await;
    drop(other);
    assert_eq!(next(&mut peer).await, wire::close_with_body(""));
    peer.send(&[wire::text("not any more"), wire::close_with_body("")])
        .await
        .expect("open");
    drop(peer);
    let (messages, closed) = record.messages_and_clean_end().await;
    assert_eq!(messages, ["still handled"]);
    assert_eq!(closed.initiator(), Initiator::Local);
}

#[tokio::test(start_paused = true)]
async fn after_the_last_handle_a_failure_is_told_as_the_end_alone() {
    let (socket, _peer, record) = recorded(Timeouts::default()).await;
    drop(socket);
    let closed = record.failed_end().await;
    assert_eq!(closed.failure(), Some(&Failure::TimedOut(Overdue::Close)));
}

#[tokio::test(start_paused = true)]
async fn a_socket_dropped_outside_of_the_runtime_ends_in_order() {
    let (socket, mut peer, record) = recorded(PATIENT).await;
    std::thread::spawn(move || drop(socket))
        .join()
        .expect("no panic");
    assert_eq!(next(&mut peer).await, wire::close_with_body(""));
    peer.send(&[wire::close_with_body("")]).await.expect("open");
    drop(peer);
    assert!(record.messages_and_clean_end().await.1.is_clean());
}

#[tokio::test(start_paused = true)]
async fn both_halves_of_a_split_socket_keep_the_handlers() {
    let (socket, mut peer, record) = recorded(PATIENT).await;
    let (sender, receiver) = socket.split();
    drop(receiver);
    peer.send(&[wire::text("one")]).await.expect("open");
    sleep(LONG).await;
    drop(sender);
    assert_eq!(next(&mut peer).await, wire::close_with_body(""));
    drop(peer);
    assert_eq!(record.all().await[0], Event::Message("one".to_owned()));
}

// ---- what handlers hold ----

#[tokio::test(start_paused = true)]
async fn the_handler_of_the_end_may_wait_for_what_the_other_one_holds() {
    let (socket, peer) = server_of_raw(PATIENT, 4096).await.expect("a pair");
    let (events, record) = record::channel();
    let (held, released) = oneshot::channel::<()>();
    let handlers = Handlers::new()
        .on_message_received(move |_, _| assert!(!held.is_closed()))
        .on_closed_async(move |closed| async move {
            assert!(released.await.is_err(), "it was dropped");
            events.closed(closed);
        });
    let _socket = socket.with_handlers(handlers).expect("it has none yet");
    drop(peer);
    let closed = timeout(LONG, record.failed_end()).await;
    assert_eq!(
        closed.expect("an end").failure(),
        Some(&Failure::EndOfStream)
    );
}

// ---- streams ----

#[tokio::test(start_paused = true)]
async fn a_streams_end_is_told_when_both_directions_have_ended() {
    let (mut stream, mut peer, mut record) = stream_with_record(PATIENT).await;
    peer.send(&[wire::binary("all"), wire::close(1000, "")])
        .await
        .expect("open");
    let mut all = String::new();
    stream.read_to_string(&mut all).await.expect("a clean end");
    assert!(
        timeout(LONG, record.next()).await.is_err(),
        "we may still write"
    );
    AsyncWriteExt::shutdown(&mut stream).await.expect("open");
    assert_eq!(next(&mut peer).await, wire::close(1000, ""));
    drop(peer);
    assert!(record.messages_and_clean_end().await.1.is_clean());
}

#[tokio::test(start_paused = true)]
async fn a_streams_loss_is_told_though_the_application_does_nothing() {
    let (stream, peer, record) = stream_with_record(PATIENT).await;
    drop(peer);
    let closed = record.failed_end().await;
    assert_eq!(closed.failure(), Some(&Failure::EndOfStream));
    assert_eq!(stream.closed(), Some(closed));
}

#[tokio::test(start_paused = true)]
async fn a_stream_whose_peer_falls_silent_is_told() {
    let (_stream, _peer, record) = stream_with_record(Timeouts::default()).await;
    let closed = record.failed_end().await;
    assert_eq!(closed.failure(), Some(&Failure::TimedOut(Overdue::Pong)));
}

#[tokio::test(start_paused = true)]
async fn a_dropped_streams_end_is_told() {
    let (stream, mut peer, record) = stream_with_record(PATIENT).await;
    let (reader, writer) = stream.split();
    drop(reader);
    drop(writer);
    assert_eq!(next(&mut peer).await, wire::close_with_body(""));
    peer.send(&[wire::close_with_body("")]).await.expect("open");
    drop(peer);
    assert!(record.messages_and_clean_end().await.1.is_clean());
}

#[tokio::test(start_paused = true)]
async fn an_aborted_streams_end_is_told() {
    let (stream, mut peer, record) = stream_with_record(PATIENT).await;
    stream.abort();
    let closed = record.failed_end().await;
    let cause = AbortCause::Requested;
    assert_eq!(closed.failure(), Some(&Failure::Aborted(cause)));
    assert_eq!(closed.sent(), None);
    assert_eq!(
        peer.receive().await.expect("an end"),
        None,
        "nothing was told"
    );
}

#[tokio::test(start_paused = true)]
async fn a_client_sets_the_handler_of_a_streams_end_before_it_connects() {
    let (near, far) = duplex(4096);
    let (events, record) = record::channel();
    let builder = StreamWebSocket::builder().on_closed_async(move |closed| async move {
        sleep(LONG).await;
        events.closed(closed);
    });
    let (client, server) = tokio::join!(
        builder.connect_over(near, URI),
        StreamWebSocket::accept(far)
    );
    let (mut client, mut server) = (client.expect("a server"), server.expect("a client"));
    let (one, other) = tokio::join!(client.shutdown(), server.shutdown());
    one.expect("a clean end");
    other.expect("a clean end");
    assert!(record.messages_and_clean_end().await.1.is_clean());
    let error = client.on_closed(|_| ()).expect_err("it has one");
    assert_eq!(error.kind(), ErrorKind::IllegalCall);
}
