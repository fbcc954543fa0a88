//! What the two ends of a connection agree on for compressed messages, and peers that go wrong
//! (RFC 7692).

mod deflating;

use std::io;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use twinsock::{
    AcceptOptions, CloseCode, Compress, ContextTakeover, DeflateOffer, DeflateTerms, Error,
    ErrorKind, Failure, LimitExceeded, MessageWebSocket, MessageWebSocketBuilder, ReceiveMode,
    Violation, WindowBits,
};
use twinsock_testkit::raw::{REQUEST, read_head, response_to};
use twinsock_testkit::sockets::{PATIENT, URI};
use twinsock_testkit::wire::{self, Frame};

use deflating::{CAPACITY, TAKEOVER, accepting, cost, offering, pair, pair_of, text};

// ---- what is agreed on ----

#[tokio::test]
async fn both_ends_tell_what_was_agreed_on() {
    let (client, server) = pair(DeflateTerms::default()).await;
    let agreed = client.information().deflate().expect("agreed");
    assert_eq!(server.information().deflate(), Some(agreed));
    assert_eq!(agreed.server.context_takeover, ContextTakeover::Off);
    assert_eq!(agreed.client.context_takeover, ContextTakeover::Off);

    let small = WindowBits::new(10).expect("8 to 15");
    let terms = DeflateTerms {
        client_max_window_bits: small,
        ..TAKEOVER
    };
    let (client, server) = pair(terms).await;
    let agreed = client.information().deflate().expect("agreed");
    assert_eq!(server.information().deflate(), Some(agreed));
    assert_eq!(agreed.client.window_bits, small);
    assert_eq!(agreed.server.context_takeover, ContextTakeover::On);
}

#[tokio::test]
async fn without_one_of_the_two_nothing_is_compressed() {
    let plain = MessageWebSocket::builder().timeouts(PATIENT);
    let deaf = AcceptOptions::new().timeouts(PATIENT);
    for (builder, options) in [(offering(), deaf), (plain, accepting(TAKEOVER))] {
        let (client, server) = pair_of(builder, options).await;
        assert_eq!(client.information().deflate(), None);
        assert_eq!(server.information().deflate(), None);
        client.set_compress(Compress::Always);
        let size = cost(&client, client.send(text(1_000))).await;
        assert!(size > 1_000, "{size}");
        let received = server.receive().await.expect("open");
        assert_eq!(received, Some(text(1_000).into()));
    }
}

/// A server that answers the offers with these parameters, whatever they are.
async fn answered(
    builder: MessageWebSocketBuilder,
    extension: &str,
) -> Result<MessageWebSocket, Error> {
    let (near, mut far) = duplex(CAPACITY);
    let answer = async {
        let head = read_head(&mut far).await?;
        let response = response_to(&head).expect("a key");
        let header = format!("\r\nSec-WebSocket-Extensions: {extension}\r\n\r\n");
        let response = response.replace("\r\n\r\n", &header);
        far.write_all(response.as_bytes()).await
    };
    let (connected, answered) = tokio::join!(builder.connect_over(near, URI), answer);
    answered.expect("it is read");
    connected
}

#[tokio::test]
async fn a_server_may_take_a_later_offer() {
    let small = DeflateOffer {
        server_max_window_bits: WindowBits::new(10),
        ..DeflateOffer::default()
    };
    let builder = || MessageWebSocket::builder().timeouts(PATIENT).deflate(small);
    let fallback = builder().deflate(DeflateOffer::default());
    let socket = answered(fallback, "permessage-deflate").await;
    let agreed = socket.expect("the second").information().deflate();
    assert_eq!(
        agreed.map(|agreed| agreed.server.window_bits),
        Some(WindowBits::MAX)
    );
    // Without the second one it is no answer to what was offered.
    let error = answered(builder(), "permessage-deflate").await;
    assert_eq!(
        error.map(drop).map_err(|error| error.kind()),
        Err(ErrorKind::InvalidHandshake)
    );
}

#[tokio::test]
async fn an_answer_that_was_not_offered_fails_the_handshake_and_says_why() {
    for (answer, part) in [
        ("permessage-deflate; server_max_window_bits=16", "\"16\""),
        (
            "permessage-deflate; client_max_window_bits=7",
            "client_max_window_bits",
        ),
        ("permessage-deflate; unheard_of", "unheard_of"),
        ("permessage-bzip2", "permessage-bzip2"),
    ] {
        let error = answered(offering(), answer).await.expect_err(answer);
        assert_eq!(error.kind(), ErrorKind::InvalidHandshake, "{answer}");
        let mut told = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            told = format!("{told}: {cause}");
            source = cause.source();
        }
        assert!(told.contains(part), "{told}");
    }
    // Nothing was offered at all.
    let plain = MessageWebSocket::builder().timeouts(PATIENT);
    let error = answered(plain, "permessage-deflate")
        .await
        .expect_err("none");
    assert_eq!(error.kind(), ErrorKind::InvalidHandshake);
}

#[tokio::test]
async fn more_than_eight_offers_are_refused_before_anything_is_sent() {
    let offers = |count| (0..count).fold(MessageWebSocket::builder().timeouts(PATIENT), add_offer);
    let (near, mut far) = duplex(CAPACITY);
    let error = offers(9)
        .connect_over(near, URI)
        .await
        .expect_err("too many");
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    let mut sent = Vec::new();
    far.read_to_end(&mut sent).await.expect("memory");
    assert_eq!(sent, b"");
    let (client, _server) = pair_of(offers(8), accepting(TAKEOVER)).await;
    assert!(client.information().deflate().is_some());
}

fn add_offer(builder: MessageWebSocketBuilder, _: usize) -> MessageWebSocketBuilder {
    builder.deflate(DeflateOffer::default())
}

// ---- peers that go wrong ----

/// A server that compresses, with `options`, and a client by hand.
async fn server_of_raw(options: AcceptOptions) -> (MessageWebSocket, DuplexStream) {
    let (mut near, far) = duplex(CAPACITY);
    let offer = "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n";
    let opening = async {
        let request = REQUEST.replace("\r\n\r\n", offer);
        near.write_all(request.as_bytes()).await?;
        let head = read_head(&mut near).await?;
        assert!(head.contains("permessage-deflate"), "{head}");
        io::Result::Ok(())
    };
    let (server, opened) = tokio::join!(options.accept(far), opening);
    opened.expect("a handshake");
    (server.expect("a handshake"), near)
}

fn compressed(payload: &[u8]) -> Frame {
    wire::binary(payload).reserved(0b100).masked()
}

/// Sends this, and is told how `receive` fails and with which Close frame.
async fn failed(options: AcceptOptions, frame: Frame) -> (Error, MessageWebSocket, Vec<Frame>) {
    let (server, mut raw) = server_of_raw(options).await;
    raw.write_all(&frame.bytes()).await.expect("room");
    raw.shutdown().await.expect("open");
    let error = server.receive().await.expect_err("it is refused");
    let mut answer = Vec::new();
    raw.read_to_end(&mut answer).await.expect("memory");
    (error, server, wire::read(&answer))
}

#[tokio::test]
async fn what_is_not_deflate_fails_the_connection_with_1007() {
    for mode in [ReceiveMode::FullMessage, ReceiveMode::PartialMessage] {
        let options = accepting(TAKEOVER).receive_mode(mode);
        let (error, server, frames) = failed(options, compressed(&[0xFF; 20])).await;
        assert_eq!(error.kind(), ErrorKind::ProtocolViolation);
        assert!(error.to_string().contains("DEFLATE"), "{error}");
        let closed = server.closed().expect("it has ended");
        let expected = Failure::Violation(Violation::InvalidDeflate);
        assert_eq!(closed.failure(), Some(&expected));
        assert_eq!(frames, [wire::close(1007, error.to_string())]);
    }
}

#[tokio::test]
async fn a_bomb_fails_the_connection_with_1009() {
    let (sender, _) = pair(TAKEOVER).await;
    let size = cost(&sender, sender.send(vec![0; 2 << 20])).await;
    assert!(size < 20_000, "{size}");

    let small = accepting(TAKEOVER).max_message_size(1 << 20);
    let (client, server) = pair_of(offering(), small.clone()).await;
    client.send(vec![0; 1 << 20]).await.expect("open");
    let received = server.receive().await.expect("exactly the limit");
    assert_eq!(received.map(|message| message.len()), Some(1 << 20));
    client.send(vec![0; (1 << 20) + 1]).await.expect("open");
    let (failed, closed) = tokio::join!(server.receive(), client.receive());
    assert_eq!(
        failed.expect_err("too big").kind(),
        ErrorKind::MessageTooBig
    );
    assert_eq!(closed.expect("an answer in order"), None);
    let code = client.closed().map(|closed| closed.code());
    assert_eq!(code, Some(CloseCode::MESSAGE_TOO_BIG));
}

#[tokio::test]
async fn empty_blocks_without_end_fail_the_connection_with_1009() {
    for mode in [ReceiveMode::FullMessage, ReceiveMode::PartialMessage] {
        let options = accepting(TAKEOVER)
            .receive_mode(mode)
            .max_message_size(None);
        let empty = compressed(&[0x00, 0x00, 0x00, 0xFF, 0xFF].repeat(50_000));
        let (error, server, frames) = failed(options, empty.fragment()).await;
        assert_eq!(error.kind(), ErrorKind::MessageTooBig);
        let closed = server.closed().expect("it has ended");
        let expected = LimitExceeded::EmptyBlocks { limit: 64 << 10 };
        assert_eq!(closed.failure(), Some(&expected.into()));
        assert_eq!(frames, [wire::close(1009, error.to_string())]);
    }
}

#[tokio::test]
async fn what_comes_behind_the_own_close_is_not_inflated() {
    for close in [CloseCode::NORMAL, CloseCode::MESSAGE_TOO_BIG] {
        let (server, mut raw) = server_of_raw(accepting(TAKEOVER)).await;
        let closing = async {
            raw.read_u8().await?;
            // It would fail the connection, as a bomb would keep it busy.
            let frames = [compressed(&[0xFF; 20]), wire::close(1000, "").masked()];
            raw.write_all(&wire::join(&frames)).await?;
            raw.shutdown().await
        };
        let (closed, told) = tokio::join!(server.close(close, ""), closing);
        told.expect("memory");
        closed.expect("in order");
        assert!(server.closed().expect("it has ended").is_clean());
    }
}
