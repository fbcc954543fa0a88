//! Every way in which a connection ends, and what is known of it then.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncWriteExt, DuplexStream, duplex};
use tokio::time::Instant;
use twinsock::{
    AcceptOptions, CloseCode, Error, ErrorKind, Failure, Initiator, Message, MessageWebSocket,
    Timeout, Timeouts,
};
use twinsock_testkit::counting::{Counting, Counts};
use twinsock_testkit::raw::{REQUEST, RawPeer};
use twinsock_testkit::script::{Script, Step};
use twinsock_testkit::sockets::{PATIENT, URI, client_of_raw, pair, pair_with, server_over};
use twinsock_testkit::wire;

const SECOND: Duration = Duration::from_secs(1);

const HASTY: Timeouts = Timeouts {
    close: SECOND,
    ..PATIENT
};

/// A client whose transport tells when it is dropped, and its raw server.
async fn counted_client(
    timeouts: Timeouts,
    capacity: usize,
) -> (MessageWebSocket, RawPeer<DuplexStream>, Arc<Counts>) {
    let (near, far) = duplex(capacity);
    let (near, counts) = Counting::new(near);
    let builder = MessageWebSocket::builder().timeouts(timeouts);
    let (client, raw) = tokio::join!(builder.connect_over(near, URI), RawPeer::server(far));
    (
        client.expect("a handshake"),
        raw.expect("a handshake"),
        counts,
    )
}

async fn receive_to_the_end(socket: &MessageWebSocket) -> Result<Vec<Message>, Error> {
    let mut messages = Vec::new();
    while let Some(message) = socket.receive().await? {
        messages.push(message);
    }
    Ok(messages)
}

#[tokio::test]
async fn both_sides_know_who_closed_with_which_code_and_reason() {
    let (client, server) = pair(1024).await.expect("a pair");
    assert!(client.closed().is_none());
    let code = CloseCode::from(4001);
    let (closed, received) =
        tokio::join!(client.close(code, "enough"), receive_to_the_end(&server));
    closed.expect("clean");
    assert_eq!(received.expect("clean"), []);
    let (near, far) = (
        client.closed().expect("closed"),
        server.closed().expect("closed"),
    );
    assert!(near.is_clean() && far.is_clean());
    assert_eq!(
        (near.initiator(), far.initiator()),
        (Initiator::Local, Initiator::Peer)
    );
    assert_eq!((near.code(), far.code()), (code, code));
    assert_eq!((near.reason(), far.reason()), ("", "enough"));
    assert_eq!(near.sent().expect("sent").text(), "enough");
}

#[tokio::test]
async fn a_close_frame_without_a_code_is_1005() {
    let (client, mut raw) = client_of_raw(PATIENT, 1024).await.expect("a pair");
    raw.send(&[wire::close_with_body("")]).await.expect("open");
    let answer = async {
        let answer = raw.receive().await.expect("open");
        drop(raw);
        answer
    };
    let (received, answer) = tokio::join!(client.receive(), answer);
    assert_eq!(received.expect("clean"), None);
    assert_eq!(answer, Some(wire::close_with_body("")));
    assert_eq!(
        client.closed().expect("closed").code(),
        CloseCode::NO_STATUS_RECEIVED
    );
}

#[tokio::test]
async fn an_end_without_a_close_frame_is_an_error_and_1006_each_time() {
    let (client, mut raw) = client_of_raw(PATIENT, 1024).await.expect("a pair");
    raw.send(&[wire::text("first"), wire::text("second")])
        .await
        .expect("open");
    drop(raw);
    for expected in ["first", "second"] {
        let message = client.receive().await.expect("received before the end");
        assert_eq!(message, Some(Message::from(expected)));
    }
    for _ in 0..3 {
        let error = client.receive().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionLost);
    }
    assert_eq!(
        client.send("late").await.unwrap_err().kind(),
        ErrorKind::ConnectionLost
    );
    let closed = client.closed().expect("closed");
    assert!(!closed.is_clean());
    assert_eq!(closed.code(), CloseCode::ABNORMAL_CLOSURE);
    assert_eq!(closed.failure(), Some(&Failure::EndOfStream));
}

#[tokio::test]
async fn a_violation_is_told_to_the_peer_and_comes_behind_the_messages_before_it() {
    let (client, mut raw) = client_of_raw(HASTY, 1024).await.expect("a pair");
    raw.send(&[
        wire::text("good"),
        wire::frame(0x83, ""),
        wire::text("unseen"),
    ])
    .await
    .expect("open");
    let message = client.receive().await.expect("before the violation");
    assert_eq!(message, Some(Message::from("good")));
    let (error, told) = tokio::join!(client.receive(), async {
        let told = raw.receive_all().await.expect("open");
        drop(raw);
        told
    });
    let kind = error.unwrap_err().kind();
    assert_eq!(kind, ErrorKind::ProtocolViolation);
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].payload()[..2], 1002_u16.to_be_bytes());
    assert_eq!(client.receive().await.unwrap_err().kind(), kind);
    assert_eq!(client.flush().await.unwrap_err().kind(), kind);
}

#[tokio::test]
async fn a_reset_while_closing_is_an_error() {
    let request = Step::Bytes(REQUEST.into());
    let stream = Script::new([request, Step::Pending, Step::Pending, Step::Reset], []);
    let server = server_over(stream, PATIENT).await.expect("a good request");
    let error = server.close(CloseCode::NORMAL, "").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionLost);
}

#[tokio::test]
async fn any_number_of_tasks_may_close_and_receive_at_once() {
    let (client, server) = pair(1024).await.expect("a pair");
    let client = Arc::new(client);
    let receiving = tokio::spawn({
        let client = Arc::clone(&client);
        async move { client.receive().await }
    });
    tokio::task::yield_now().await;
    let (first, second, third, server) = tokio::join!(
        client.close(CloseCode::NORMAL, "first"),
        client.close(CloseCode::GOING_AWAY, "second"),
        client.close(CloseCode::NORMAL, "third"),
        receive_to_the_end(&server),
    );
    (first.and(second).and(third)).expect("clean");
    server.expect("clean");
    assert_eq!(receiving.await.expect("no panic").expect("clean"), None);
    assert_eq!(
        client
            .closed()
            .expect("closed")
            .sent()
            .expect("sent")
            .text(),
        "first"
    );
    client
        .close(CloseCode::NORMAL, "")
        .await
        .expect("closed already");
    assert_eq!(
        client.send("late").await.unwrap_err().kind(),
        ErrorKind::Closed
    );
}

#[tokio::test]
async fn sockets_that_close_at_the_same_time_both_close_cleanly() {
    let (client, server) = pair(1024).await.expect("a pair");
    let (near, far) = tokio::join!(
        client.close(CloseCode::NORMAL, "client"),
        server.close(CloseCode::GOING_AWAY, "server"),
    );
    near.and(far).expect("clean");
    assert_eq!(client.closed().expect("closed").reason(), "server");
    assert_eq!(server.closed().expect("closed").reason(), "client");
}

#[tokio::test]
async fn start_close_still_receives_what_was_under_way() {
    let (client, mut raw) = client_of_raw(PATIENT, 1024).await.expect("a pair");
    client
        .start_close(CloseCode::NORMAL, "")
        .expect("a good code");
    assert_eq!(
        client.send("late").await.unwrap_err().kind(),
        ErrorKind::Closed
    );
    assert_eq!(
        raw.receive().await.expect("open"),
        Some(wire::close(1000, ""))
    );
    raw.send(&[wire::text("one"), wire::text("two"), wire::close(1000, "")])
        .await
        .expect("open");
    drop(raw);
    let messages = receive_to_the_end(&client).await.expect("clean");
    assert_eq!(messages, ["one", "two"].map(Message::from));
}

#[tokio::test]
async fn what_was_sent_before_the_drop_arrives_and_then_an_empty_close() {
    let (client, mut raw, counts) = counted_client(PATIENT, 1024).await;
    for number in 0..10 {
        client.send(vec![number; 10_000]).await.expect("room");
        if number == 5 {
            break;
        }
    }
    drop(client);
    for number in 0..=5 {
        let frame = raw.receive().await.expect("open");
        assert!(frame == Some(wire::binary(vec![number; 10_000])));
    }
    assert_eq!(
        raw.receive().await.expect("open"),
        Some(wire::close_with_body(""))
    );
    assert!(!counts.is_released());
    raw.send(&[wire::close_with_body("")]).await.expect("open");
    raw.stream.shutdown().await.expect("open");
    assert_eq!(raw.receive().await.expect("open"), None);
    assert!(counts.is_released());
}

#[tokio::test(start_paused = true)]
async fn a_dropped_socket_whose_peer_never_reads_ends_within_the_close_timeout() {
    let (client, mut raw, counts) = counted_client(HASTY, 1024).await;
    client.send(vec![0; 100_000]).await.expect("room");
    let start = Instant::now();
    drop(client);
    tokio::time::sleep(2 * SECOND).await;
    assert!(counts.is_released(), "after {:?}", start.elapsed());
    assert!(raw.receive().await.is_err(), "the message is cut off");
}

#[tokio::test(start_paused = true)]
async fn a_dropped_socket_whose_peer_never_answers_ends_within_the_close_timeout() {
    let (client, mut raw, counts) = counted_client(HASTY, 1024).await;
    drop(client);
    assert_eq!(
        raw.receive_all().await.expect("open"),
        [wire::close_with_body("")]
    );
    assert!(counts.is_released());
}

#[test]
fn a_socket_may_be_dropped_outside_of_a_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.expect("a runtime");
    let (client, mut raw, counts) = runtime.block_on(counted_client(PATIENT, 1024));
    runtime.block_on(client.send("last words")).expect("open");
    drop(client);
    assert!(counts.is_released());
    let frames = runtime.block_on(raw.receive_all()).expect("open");
    assert_eq!(
        frames,
        [wire::text("last words"), wire::close_with_body("")]
    );
}

#[test]
fn a_socket_outlives_its_runtime_and_ends_in_another() {
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_all().build().expect("a runtime")
    };
    let first = runtime();
    let (client, server) = first
        .block_on(pair_with(1024, Timeouts::default()))
        .expect("a pair");
    // A timer of this runtime now runs.
    let waiting = async { tokio::time::timeout(Duration::ZERO, client.receive()).await };
    first.block_on(waiting).unwrap_err();
    drop(first);
    runtime().block_on(async {
        let (closed, received) = tokio::join!(
            client.close(CloseCode::NORMAL, ""),
            receive_to_the_end(&server)
        );
        closed.expect("clean");
        received.expect("clean");
    });
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_never_answers_close_is_given_up() {
    let (client, _raw, counts) = counted_client(HASTY, 1024).await;
    let start = Instant::now();
    for _ in 0..2 {
        let error = client.close(CloseCode::NORMAL, "").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout(Timeout::Close));
    }
    assert!(start.elapsed() < 2 * SECOND);
    assert!(counts.is_released());
    let error = client.receive().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout(Timeout::Close));
}

#[tokio::test]
async fn a_server_ends_its_stream_even_if_that_takes_several_attempts() {
    let close = wire::close(1000, "").masked().bytes();
    let reads = [Step::Bytes(REQUEST.into()), Step::Bytes(close)];
    let stream = Script::new(reads, []).with_shutdown(vec![Step::Pending; 5]);
    let wire = stream.wire();
    let server = server_over(stream, HASTY).await.expect("a good request");
    tokio::time::pause();
    assert_eq!(server.receive().await.expect("clean"), None);
    assert!(wire.has_ended());
}

#[tokio::test]
async fn a_close_that_cannot_be_is_refused_and_nothing_is_sent() {
    let (client, server) = pair(1024).await.expect("a pair");
    for (code, reason) in [(1005, ""), (1006, ""), (0, ""), (1000, &*"x".repeat(124))] {
        let error = client.close(code.into(), reason).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(client.start_close(code.into(), reason).is_err());
    }
    client.send("still open").await.expect("open");
    let message = server.receive().await.expect("open");
    assert_eq!(message, Some(Message::from("still open")));
}

#[tokio::test]
async fn an_accepted_socket_closes_like_any_other() {
    let (near, far) = duplex(1024);
    let options = AcceptOptions::new();
    let (client, server) = tokio::join!(MessageWebSocket::connect_over(near, URI), async {
        options.accept(far).await
    });
    let (client, server) = (client.expect("open"), server.expect("open"));
    let (closed, received) = tokio::join!(
        server.close(CloseCode::GOING_AWAY, "down"),
        receive_to_the_end(&client)
    );
    closed.expect("clean");
    received.expect("clean");
    assert_eq!(client.closed().expect("closed").reason(), "down");
}
