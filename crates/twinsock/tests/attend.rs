//! Sockets that a background task drives while the application does nothing.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::timeout;
use twinsock::{
    AcceptOptions, CloseCode, ErrorKind, Failure, Message, MessageWebSocket, Overdue,
    StreamWebSocket, Timeouts,
};
use twinsock_testkit::raw::RawPeer;
use twinsock_testkit::sockets::{PATIENT, server_of_raw};
use twinsock_testkit::wire::{self, Frame};

const LONG: Duration = Duration::from_secs(3600);

type Peer = RawPeer<DuplexStream>;

async fn attended(timeouts: Timeouts, capacity: usize) -> (MessageWebSocket, Peer) {
    let pair = server_of_raw(timeouts, capacity).await;
    let (server, peer) = pair.expect("a pair");
    server.attend();
    (server, peer)
}

async fn attended_stream() -> (StreamWebSocket, Peer) {
    let (near, far) = duplex(1 << 16);
    let options = AcceptOptions::new().timeouts(PATIENT);
    let (server, peer) = tokio::join!(options.accept_stream(near), RawPeer::client(far));
    let server = server.expect("a client");
    server.attend();
    (server, peer.expect("a server"))
}

/// The peer's next frame, which comes without any help.
async fn next(peer: &mut Peer) -> Option<Frame> {
    let frame = timeout(LONG, peer.receive()).await;
    frame.expect("not stuck").expect("open")
}

#[tokio::test(start_paused = true)]
async fn pings_are_answered_while_the_application_does_nothing() {
    let (_server, mut peer) = attended(PATIENT, 4096).await;
    for payload in ["one", "two"] {
        peer.send(&[wire::ping(payload)]).await.expect("open");
        assert_eq!(next(&mut peer).await, Some(wire::pong(payload)));
    }
}

#[tokio::test(start_paused = true)]
async fn the_keep_alive_runs_while_the_application_does_nothing() {
    let (server, mut peer) = attended(Timeouts::default(), 4096).await;
    let ping = next(&mut peer).await.expect("a ping");
    assert_eq!(ping.first_byte(), 0x89);
    peer.send(&[wire::pong(ping.payload())])
        .await
        .expect("open");
    assert_eq!(
        next(&mut peer).await.map(|ping| ping.first_byte()),
        Some(0x89)
    );
    assert!(server.round_trip_time().is_some());
    // The second one is never answered.
    tokio::time::sleep(LONG).await;
    let closed = server.closed().expect("noticed");
    let overdue = Failure::TimedOut(Overdue::Pong);
    assert_eq!(closed.failure(), Some(&overdue));
}

#[tokio::test(start_paused = true)]
async fn a_close_is_answered_while_the_application_does_nothing() {
    let (server, mut peer) = attended(PATIENT, 4096).await;
    peer.send(&[wire::close(1001, "bye")]).await.expect("open");
    assert_eq!(next(&mut peer).await, Some(wire::close(1001, "")));
    assert_eq!(next(&mut peer).await, None);
    drop(peer);
    tokio::time::sleep(Duration::from_millis(1)).await;
    let closed = server.closed().expect("noticed");
    assert!(closed.is_clean());
    assert_eq!(closed.code(), CloseCode::GOING_AWAY);
    assert_eq!(server.receive().await.expect("a clean end"), None);
}

#[tokio::test(start_paused = true)]
async fn an_end_without_a_close_is_noticed_while_the_application_does_nothing() {
    let (server, peer) = attended(PATIENT, 4096).await;
    drop(peer);
    tokio::time::sleep(Duration::from_millis(1)).await;
    let closed = server.closed().expect("noticed");
    assert_eq!(closed.failure(), Some(&Failure::EndOfStream));
}

#[tokio::test(start_paused = true)]
async fn what_came_before_the_close_can_be_replied_to_until_the_last_of_it_is_received() {
    let (server, mut peer) = attended(PATIENT, 4096).await;
    let frames = [wire::text("one"), wire::text("two"), wire::close(1000, "")];
    peer.send(&frames).await.expect("open");
    tokio::time::sleep(LONG).await;
    assert_eq!(
        server.receive().await.expect("open"),
        Some(Message::from("one"))
    );
    server.send_text("reply").await.expect("not answered yet");
    assert_eq!(next(&mut peer).await, Some(wire::text("reply")));
    assert_eq!(
        server.receive().await.expect("open"),
        Some(Message::from("two"))
    );
    // The application asks for nothing more: the Close is answered all the same.
    assert_eq!(next(&mut peer).await, Some(wire::close(1000, "")));
    let refused = server.send_text("late").await.expect_err("closing");
    assert_eq!(refused.kind(), ErrorKind::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_sends_on_is_made_to_wait() {
    const MESSAGE: usize = 1000;
    let (server, mut peer) = attended(PATIENT, 4096).await;
    let mut taken = 0;
    let frame = wire::binary([7; MESSAGE]);
    while let Ok(sent) = timeout(LONG, peer.send(std::slice::from_ref(&frame))).await {
        sent.expect("open");
        taken += MESSAGE;
        assert!(taken < 256 * 1024, "reading ahead has no bound");
    }
    assert!(taken > 48 * 1024, "{taken}");
    for _ in 0..taken / MESSAGE {
        let message = server.receive().await.expect("open").expect("a message");
        assert_eq!(message.len(), MESSAGE);
    }
}

#[tokio::test(start_paused = true)]
async fn messages_go_out_though_no_other_call_follows() {
    let (server, mut peer) = attended(PATIENT, 4096).await;
    // The background task has nothing to do and sleeps.
    tokio::time::sleep(LONG).await;
    for text in ["one", "two", "three"] {
        server.send_text(text).await.expect("open");
    }
    for text in ["one", "two", "three"] {
        assert_eq!(next(&mut peer).await, Some(wire::text(text)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_large_message_goes_out_though_no_other_call_follows() {
    let (server, mut peer) = attended(PATIENT, 64).await;
    tokio::time::sleep(LONG).await;
    server.send(vec![7; 10_000]).await.expect("open");
    let frame = next(&mut peer).await.expect("a message");
    assert_eq!(frame.payload().len(), 10_000);
}

#[tokio::test(start_paused = true)]
async fn closing_by_this_end_needs_no_other_call() {
    let (server, mut peer) = attended(Timeouts::default(), 4096).await;
    server
        .start_close(CloseCode::NORMAL, "done")
        .expect("valid");
    assert_eq!(next(&mut peer).await, Some(wire::close(1000, "done")));
    tokio::time::sleep(LONG).await;
    let closed = server.closed().expect("in time");
    let overdue = Failure::TimedOut(Overdue::Close);
    assert_eq!(closed.failure(), Some(&overdue));
}

#[tokio::test(start_paused = true)]
async fn dropping_the_socket_ends_an_attended_connection() {
    let (server, mut peer) = attended(PATIENT, 4096).await;
    tokio::time::sleep(LONG).await;
    drop(server);
    assert_eq!(next(&mut peer).await, Some(wire::close_with_body("")));
    peer.send(&[wire::close_with_body("")]).await.expect("open");
    assert_eq!(next(&mut peer).await, None);
}

#[tokio::test(start_paused = true)]
async fn the_pings_of_a_streams_peer_are_answered_while_the_application_does_nothing() {
    let (_server, mut peer) = attended_stream().await;
    peer.send(&[wire::ping("there?")]).await.expect("open");
    assert_eq!(next(&mut peer).await, Some(wire::pong("there?")));
}

#[tokio::test(start_paused = true)]
async fn what_a_stream_wrote_goes_out_together_though_it_was_not_flushed() {
    let (mut server, mut peer) = attended_stream().await;
    tokio::time::sleep(LONG).await;
    for _ in 0..3 {
        server.write_all(b"word ").await.expect("open");
        tokio::task::yield_now().await;
    }
    assert_eq!(next(&mut peer).await, Some(wire::binary("word word word ")));
}

#[tokio::test(start_paused = true)]
async fn after_a_streams_end_the_application_may_go_on_writing() {
    let (mut server, mut peer) = attended_stream().await;
    let frames = [wire::binary("all"), wire::close(1000, "")];
    peer.send(&frames).await.expect("open");
    tokio::time::sleep(LONG).await;
    let mut all = String::new();
    server.read_to_string(&mut all).await.expect("a clean end");
    assert_eq!(all, "all");
    server.write_all(b"still here").await.expect("open");
    server.flush().await.expect("open");
    assert_eq!(next(&mut peer).await, Some(wire::binary("still here")));
    let closing = tokio::spawn(async move { server.shutdown().await });
    assert_eq!(next(&mut peer).await, Some(wire::close(1000, "")));
    drop(peer);
    closing.await.expect("no panic").expect("a clean end");
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_both_ends_closed_ends_while_the_application_does_nothing() {
    let (mut server, mut peer) = attended_stream().await;
    AsyncWriteExt::shutdown(&mut server).await.expect("open");
    assert_eq!(next(&mut peer).await, Some(wire::close(1000, "")));
    peer.send(&[wire::close(1000, "")]).await.expect("open");
    assert_eq!(next(&mut peer).await, None);
    drop(peer);
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert!(server.closed().expect("noticed").is_clean());
    let mut rest = Vec::new();
    assert_eq!(server.read_to_end(&mut rest).await.expect("the end"), 0);
}

#[tokio::test(start_paused = true)]
async fn what_came_before_the_answer_to_our_close_is_still_read() {
    let (mut server, mut peer) = attended_stream().await;
    AsyncWriteExt::shutdown(&mut server).await.expect("open");
    let frames = [wire::binary("rest"), wire::close(1000, "")];
    peer.send(&frames).await.expect("open");
    tokio::time::sleep(LONG).await;
    let mut rest = Vec::new();
    server.read_to_end(&mut rest).await.expect("the end");
    assert_eq!(rest, b"rest");
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_stream_goes_out_though_nobody_waits_for_it_any_more() {
    const CAPACITY: usize = 1024;
    let (near, far) = duplex(CAPACITY);
    let options = AcceptOptions::new().timeouts(PATIENT);
    let (server, peer) = tokio::join!(options.accept_stream(near), RawPeer::client(far));
    let (mut server, mut peer) = (server.expect("a client"), peer.expect("a server"));
    // With its header it fills the way.
    let all = [7; CAPACITY - 4];
    server.write_all(&all).await.expect("open");
    server.flush().await.expect("room");
    tokio::time::sleep(Duration::from_millis(1)).await;
    let given_up = timeout(
        Duration::from_millis(1),
        AsyncWriteExt::shutdown(&mut server),
    );
    given_up.await.expect_err("no room");
    assert_eq!(next(&mut peer).await, Some(wire::binary(all)));
    assert_eq!(next(&mut peer).await, Some(wire::close(1000, "")));
}
