//! Messages that are on loan, and what others do with the socket meanwhile.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::DuplexStream;
use tokio::time::{Instant, sleep, timeout};
use twinsock::{
    CloseCode, Error, ErrorKind, Handlers, Message, MessageLender, MessageRef, MessageType,
    MessageWebSocket, Timeout, Timeouts,
};
use twinsock_testkit::raw::RawPeer;
use twinsock_testkit::sockets::{PATIENT, server_of_raw};
use twinsock_testkit::wire::{self, Frame};

const LONG: Duration = Duration::from_secs(3_600);

type Peer = RawPeer<DuplexStream>;

/// Another handle of the socket, which lends.
fn lend(socket: &MessageWebSocket) -> MessageLender {
    let (_, receiver) = socket.clone().split();
    receiver.lend()
}

async fn next(lender: &mut MessageLender) -> Result<Option<Message>, Error> {
    let message = lender.receive().await?;
    Ok(message.map(MessageRef::into_owned))
}

fn number(number: u32) -> Frame {
    wire::binary(number.to_le_bytes())
}

fn numbered(message: &[u8]) -> u32 {
    u32::from_le_bytes(message.try_into().expect("four bytes"))
}

async fn raw(timeouts: Timeouts) -> (MessageWebSocket, Peer) {
    server_of_raw(timeouts, 1 << 20).await.expect("a pair")
}

#[tokio::test(start_paused = true)]
async fn another_receiver_waits_for_what_is_on_loan_and_gets_it() {
    let (server, mut peer) = raw(PATIENT).await;
    peer.send(&[1, 2, 3].map(number)).await.expect("open");
    let mut lender = lend(&server);
    assert!(next(&mut lender).await.expect("open").is_some());
    let waiting = tokio::spawn({
        let server = server.clone();
        async move { server.receive().await }
    });
    sleep(LONG).await;
    assert!(!waiting.is_finished(), "the rest is on loan");
    drop(lender);
    let message = timeout(LONG, waiting).await.expect("it is woken");
    let message = message
        .expect("no panic")
        .expect("open")
        .expect("a message");
    assert_eq!(numbered(message.as_bytes()), 2);
}

#[tokio::test(start_paused = true)]
async fn pings_behind_what_is_on_loan_are_answered_when_it_is_back() {
    let (server, mut peer) = raw(PATIENT).await;
    server.attend();
    let mut lender = lend(&server);
    let frames = [number(1), number(2), wire::ping("there?")];
    let (sent, message) = tokio::join!(peer.send(&frames), next(&mut lender));
    sent.expect("open");
    assert!(message.expect("open").is_some());
    drop(lender);
    let pong = timeout(LONG, peer.receive())
        .await
        .expect("the attendant is woken");
    assert_eq!(pong.expect("open"), Some(wire::pong("there?")));
}

#[tokio::test(start_paused = true)]
async fn a_close_of_the_peer_is_answered_behind_what_is_on_loan() {
    let (server, mut peer) = raw(PATIENT).await;
    let mut lender = lend(&server);
    let frames = [number(1), number(2), wire::close(1001, "bye")];
    let (sent, message) = tokio::join!(peer.send(&frames), next(&mut lender));
    sent.expect("open");
    assert!(message.expect("open").is_some());
    server.attend();
    assert!(
        timeout(LONG, peer.receive()).await.is_err(),
        "it may still be replied to"
    );
    server.send("reply").await.expect("open");
    assert!(next(&mut lender).await.expect("open").is_some());
    server.send("another").await.expect("open");
    let end = tokio::spawn(async move { next(&mut lender).await });
    let frames = peer.receive_all().await.expect("a good end");
    assert_eq!(
        frames,
        [
            wire::text("reply"),
            wire::text("another"),
            wire::close(1001, "")
        ]
    );
    drop(peer);
    assert_eq!(end.await.expect("no panic").expect("a good end"), None);
    assert!(server.closed().expect("closed").is_clean());
}

#[tokio::test(start_paused = true)]
async fn what_was_lent_is_received_after_closing_began() {
    let (server, mut peer) = raw(PATIENT).await;
    peer.send(&[1, 2, 3].map(number)).await.expect("open");
    let mut lender = lend(&server);
    assert!(next(&mut lender).await.expect("open").is_some());
    server.start_close(CloseCode::NORMAL, "").expect("valid");
    assert_eq!(
        peer.receive().await.expect("open"),
        Some(wire::close(1000, ""))
    );
    peer.send(&[number(4), wire::close(1000, "")])
        .await
        .expect("open");
    for expected in 2..=4 {
        let message = next(&mut lender).await.expect("open").expect("a message");
        assert_eq!(numbered(message.as_bytes()), expected);
    }
    let end = tokio::spawn(async move { next(&mut lender).await });
    assert_eq!(peer.receive().await.expect("a good end"), None);
    drop(peer);
    assert_eq!(end.await.expect("no panic").expect("a good end"), None);
}

/// The application has had enough in the midst of a batch.
#[tokio::test(start_paused = true)]
async fn closing_in_the_midst_of_a_loop_takes_no_longer_than_the_peer() {
    let (server, mut peer) = raw(Timeouts::default()).await;
    peer.send(&[1, 2, 3].map(number)).await.expect("open");
    let mut lender = lend(&server);
    let peer = tokio::spawn(async move {
        while let Some(frame) = peer.receive().await.expect("open") {
            peer.send(&[frame]).await.expect("open");
        }
    });
    let start = Instant::now();
    while let Some(message) = lender.receive().await.expect("open") {
        if numbered(message.as_bytes()) == 2 {
            break;
        }
    }
    drop(lender);
    server
        .close(CloseCode::NORMAL, "")
        .await
        .expect("a good end");
    assert!(
        start.elapsed() < Duration::from_secs(1),
        "{:?}",
        start.elapsed()
    );
    assert!(server.closed().expect("closed").is_clean());
    peer.await.expect("no panic");
}

/// As is told in the lender's documentation.
#[tokio::test(start_paused = true)]
async fn closing_with_messages_on_loan_gives_up_in_time() {
    let (server, mut peer) = raw(Timeouts::default()).await;
    peer.send(&[1, 2, 3].map(number)).await.expect("open");
    let mut lender = lend(&server);
    let peer = tokio::spawn(async move { peer.receive_all().await });
    let message = lender.receive().await.expect("open").expect("a message");
    let start = Instant::now();
    let closed = server.close(CloseCode::NORMAL, "").await;
    let error = closed.expect_err("no answer is read");
    assert_eq!(error.kind(), ErrorKind::Timeout(Timeout::Close));
    assert!(start.elapsed() < Timeouts::default().close + Duration::from_secs(1));
    assert_eq!(numbered(message.as_bytes()), 1);
    let frames = peer.await.expect("no panic").expect("an end");
    assert_eq!(frames, [wire::close(1000, "")]);
}

#[tokio::test(start_paused = true)]
async fn a_handler_gets_what_a_lender_leaves() {
    let (server, mut peer) = raw(PATIENT).await;
    peer.send(&[1, 2, 3].map(number)).await.expect("open");
    let mut lender = lend(&server);
    assert!(next(&mut lender).await.expect("open").is_some());
    let handled = Arc::new(Mutex::new(Vec::new()));
    let handlers = Handlers::new().on_message_received({
        let handled = Arc::clone(&handled);
        move |_, message| {
            let message = message.expect("open");
            handled
                .lock()
                .expect("no panic")
                .push(numbered(message.as_bytes()));
        }
    });
    let server = server.with_handlers(handlers).expect("a runtime");
    sleep(LONG).await;
    assert_eq!(*handled.lock().expect("no panic"), [0; 0], "all is on loan");
    drop(lender);
    sleep(LONG).await;
    assert_eq!(*handled.lock().expect("no panic"), [2, 3]);
    let error = next(&mut lend(&server))
        .await
        .expect_err("they have a handler");
    assert_eq!(error.kind(), ErrorKind::IllegalCall);
}

async fn answer_pings(mut peer: Peer) {
    while let Some(frame) = peer.receive().await.expect("open") {
        let answer = match frame.first_byte() {
            0x89 => vec![wire::pong(frame.payload())],
            _ => vec![],
        };
        peer.send(&answer).await.expect("open");
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_is_not_given_up_while_the_application_is_busy_with_what_it_sent() {
    let (server, mut peer) = raw(Timeouts::default()).await;
    server.attend();
    let mut lender = lend(&server);
    let frames = [1, 2, 3].map(number);
    let (sent, message) = tokio::join!(peer.send(&frames), next(&mut lender));
    sent.expect("open");
    assert!(message.expect("open").is_some());
    let answering = tokio::spawn(answer_pings(peer));
    sleep(LONG).await;
    assert_eq!(server.closed(), None);
    for expected in [2, 3] {
        let message = next(&mut lender).await.expect("open").expect("a message");
        assert_eq!(numbered(message.as_bytes()), expected);
    }
    drop(lender);
    sleep(LONG).await;
    assert_eq!(server.closed(), None);
    // Nor is one kept that is gone.
    answering.abort();
    sleep(LONG).await;
    assert!(server.closed().is_some());
}

#[tokio::test(start_paused = true)]
async fn what_is_on_loan_outlives_the_connection() {
    let (server, mut peer) = raw(PATIENT).await;
    peer.send(&[1, 2, 3].map(number)).await.expect("open");
    let mut lender = lend(&server);
    assert!(next(&mut lender).await.expect("open").is_some());
    // A message whose rest will not come fails the connection.
    let writer = server.send_stream(MessageType::Text).await.expect("open");
    drop(writer);
    drop(peer);
    sleep(LONG).await;
    let rest: Vec<_> = [
        next(&mut lender).await.ok().flatten(),
        next(&mut lender).await.ok().flatten(),
    ]
    .into();
    let rest: Vec<_> = rest
        .iter()
        .flatten()
        .map(|message| numbered(message.as_bytes()))
        .collect();
    assert_eq!(rest, [2, 3]);
    assert!(
        timeout(LONG, next(&mut lender)).await.is_ok(),
        "the end is told"
    );
}
