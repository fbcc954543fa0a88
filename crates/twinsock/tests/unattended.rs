//! What a socket does while its application is busy with something else.

use std::error::Error as _;
use std::io;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use futures_util::{FutureExt, SinkExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufStream, DuplexStream, duplex};
use twinsock::{AcceptOptions, MessageWebSocket, Timeouts};
use twinsock_testkit::raw::RawPeer;
use twinsock_testkit::sockets::server_of_raw;
use twinsock_testkit::wire;

/// Reads slowly, and answers each Ping at once.
async fn pong(mut peer: RawPeer<DuplexStream>) -> io::Result<()> {
    while let Some(frame) = peer.receive().await? {
        tokio::time::sleep(Duration::from_millis(50)).await;
        if frame == wire::ping(frame.payload()) {
            peer.send(&[wire::pong(frame.payload())]).await?;
        }
    }
    Ok(())
}

/// Nobody receives, and yet the answers to our Pings are noticed.
#[tokio::test(start_paused = true)]
async fn an_application_that_only_sends_keeps_its_connection() {
    let sockets = server_of_raw(Timeouts::default(), 4096).await;
    let (server, peer) = sockets.expect("a pair");
    tokio::spawn(pong(peer));
    for _ in 0..6 {
        // More than the network takes at once: the background task writes the rest.
        server.send_binary(&[0; 20_000]).await.expect("open");
        tokio::time::sleep(Duration::from_secs(25)).await;
    }
}

/// As over TLS: written is not yet sent.
#[tokio::test(start_paused = true)]
async fn what_the_stream_holds_back_goes_out_without_a_later_call() {
    let (near, far) = duplex(64);
    let accepting = MessageWebSocket::accept(BufStream::new(near));
    let (server, peer) = tokio::join!(accepting, RawPeer::client(far));
    let (server, mut peer) = (server.expect("a client"), peer.expect("a server"));
    server.send_binary(&[7; 1000]).await.expect("open");
    let mut message = vec![0; 1004];
    let reading = peer.stream.read_exact(&mut message);
    let read = tokio::time::timeout(Duration::from_secs(3600), reading).await;
    assert_eq!(read.expect("not stuck").expect("open"), 1004);
}

/// Each message after a pause is the first of a turn.
#[tokio::test(start_paused = true)]
async fn a_message_after_a_pause_is_written_at_once() {
    let sockets = server_of_raw(Timeouts::default(), 4096).await;
    let (server, mut peer) = sockets.expect("a pair");
    for text in ["one", "two", "three"] {
        server.send_text(text).await.expect("open");
        // No other task has run since.
        let received = peer.receive().now_or_never().expect("is there");
        assert_eq!(received.expect("open"), Some(wire::text(text)));
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn closing_as_a_sink_does_not_spin() {
    let (near, far) = duplex(4096);
    let options = AcceptOptions::new();
    let (server, peer) = tokio::join!(options.accept(near), RawPeer::client(far));
    let (mut server, _silent) = (server.expect("a client"), peer.expect("a server"));
    let mut polls = 0;
    let mut close = pin!(SinkExt::close(&mut server));
    let counted = std::future::poll_fn(|context| {
        polls += 1;
        match polls {
            100.. => Poll::Ready(()),
            _ => close.as_mut().poll(context).map(|_| ()),
        }
    });
    // Another future of the same task wakes it once.
    tokio::join!(counted, tokio::time::sleep(Duration::from_millis(50)));
    assert!(polls < 10, "{polls} polls");
}

#[tokio::test]
async fn the_systems_error_beneath_a_lost_connection_can_be_found() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let address = listener.local_addr().expect("a port");
    let resetting = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await?;
        stream.set_zero_linger()?;
        stream.read_u8().await
    });
    let error = MessageWebSocket::connect(&format!("ws://{address}/"))
        .await
        .unwrap_err();
    resetting.await.expect("no panic").expect("a request");
    let source = error.source().expect("a cause").downcast_ref::<io::Error>();
    assert_eq!(
        source.expect("the system's").kind(),
        io::ErrorKind::ConnectionReset
    );
    assert_eq!(
        io::Error::from(error).kind(),
        io::ErrorKind::ConnectionReset
    );
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_has_come_is_not_lost_to_a_short_time_limit() {
    let (near, mut far) = duplex(4096);
    let timeouts = Timeouts {
        handshake: Duration::from_millis(500),
        ..Timeouts::default()
    };
    let head = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 1000\r\n\r\nno";
    far.write_all(head.as_bytes()).await.expect("open");
    let builder = MessageWebSocket::builder().timeouts(timeouts);
    let error = builder
        .connect_over(near, "ws://localhost/")
        .await
        .unwrap_err();
    let response = error.response().expect("a refusal");
    assert_eq!(
        (response.status().as_u16(), &response.body()[..]),
        (401, &b"no"[..])
    );
}

#[tokio::test]
async fn messages_under_way_are_not_shown() {
    let sockets = server_of_raw(Timeouts::default(), 4096).await;
    let (server, mut peer) = sockets.expect("a pair");
    let frames = [
        wire::text("first"),
        wire::text("SECRET").fragment(),
        wire::continuation("S"),
    ];
    peer.send(&frames).await.expect("open");
    server.receive().await.expect("open").expect("a message");
    let _ = server.receive().now_or_never();
    let shown = format!("{server:?}");
    assert!(shown.len() < 200 && !shown.contains("SECRET"), "{shown}");
}

#[test]
fn headers_of_a_request_are_not_shown() {
    let builder = MessageWebSocket::builder().header("Authorization", "Bearer SECRET");
    assert!(!format!("{builder:?}").contains("SECRET"));
}

/// The background task writes what waits, and adds nothing to it.
#[tokio::test]
async fn a_message_in_frames_is_not_ended_while_its_sender_pauses() {
    let (client, server) = twinsock_testkit::sockets::pair(4096).await.expect("a pair");
    let receiving = tokio::spawn(async move { server.receive().await });
    for part in ["one ", "two "] {
        let sent = client.send_nonfinal_frame(part).await;
        sent.expect("open");
        client.flush().await.expect("open");
        tokio::task::yield_now().await;
    }
    client.send_final_frame("three").await.expect("open");
    client.flush().await.expect("open");
    let received = receiving.await.expect("no panic").expect("open");
    let message = received.expect("a message");
    assert_eq!(message.as_bytes(), b"one two three");
}
