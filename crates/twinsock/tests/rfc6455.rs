//! What RFC 6455 asks of the part that opens, feeds and closes the byte stream.
//!
//! The peer is written by hand over an in-memory stream or TCP; bytes are compared as they come.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use twinsock::{AcceptOptions, CloseCode, Error, ErrorKind, MessageWebSocket};
use twinsock_testkit::wire;

/// Long enough for all that is to happen at once.
const SOON: Duration = Duration::from_secs(5);

/// The sample handshake of RFC 6455 §1.3.
const REQUEST: &str = "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

type Connecting = JoinHandle<Result<MessageWebSocket, Error>>;

/// A client under way, and the server's end of its stream.
fn connecting() -> (Connecting, DuplexStream) {
    let (ours, theirs) = tokio::io::duplex(1 << 20);
    let client = tokio::spawn(MessageWebSocket::connect_over(ours, "ws://h/"));
    (client, theirs)
}

async fn read_head(stream: &mut (impl AsyncReadExt + Unpin)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

/// What comes until the stream ends, which must be soon.
async fn read_to_end(stream: &mut (impl AsyncReadExt + Unpin)) -> Vec<u8> {
    let mut bytes = Vec::new();
    let read = timeout(SOON, stream.read_to_end(&mut bytes)).await;
    read.expect("the stream is ended soon").unwrap();
    bytes
}

fn key_of(request: &str) -> &str {
    let (_, rest) = request.split_once("Sec-WebSocket-Key: ").unwrap();
    rest.split_once("\r\n").unwrap().0
}

/// The right answer to a request, computed by the other side of this library.
async fn answer_to(request: &str) -> Vec<u8> {
    let (ours, mut theirs) = tokio::io::duplex(1 << 16);
    theirs.write_all(request.as_bytes()).await.unwrap();
    let _server = MessageWebSocket::accept(ours).await.unwrap();
    read_head(&mut theirs).await.into_bytes()
}

/// An open client, and the server's end of its stream.
async fn client() -> (MessageWebSocket, DuplexStream) {
    let (client, mut stream) = connecting();
    let answer = answer_to(&read_head(&mut stream).await).await;
    stream.write_all(&answer).await.unwrap();
    (client.await.unwrap().unwrap(), stream)
}

/// An open server, and the client's end of its stream.
async fn server() -> (MessageWebSocket, DuplexStream) {
    let (ours, mut theirs) = tokio::io::duplex(1 << 20);
    theirs.write_all(REQUEST.as_bytes()).await.unwrap();
    let server = MessageWebSocket::accept(ours).await.unwrap();
    read_head(&mut theirs).await;
    (server, theirs)
}

#[tokio::test]
async fn section_4_1_each_connection_has_a_nonce_of_its_own() {
    let mut keys = Vec::new();
    for _ in 0..100 {
        let (_client, mut stream) = connecting();
        keys.push(key_of(&read_head(&mut stream).await).to_owned());
    }
    assert!(keys.iter().all(|key| key.len() == 24));
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 100);
}

#[tokio::test(start_paused = true)]
async fn section_4_1_nothing_is_sent_before_the_answer() {
    let (client, mut stream) = connecting();
    let request = read_head(&mut stream).await;
    let more = timeout(Duration::from_secs(30), stream.read_u8()).await;
    assert!(more.is_err(), "got {more:?}");
    assert!(!client.is_finished());
    stream.write_all(&answer_to(&request).await).await.unwrap();
    client.await.unwrap().unwrap();
}

#[tokio::test]
async fn section_4_1_addresses_that_are_none_fail_before_connecting() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    for uri in [format!("ws://{address}/#a"), format!("http://{address}/")] {
        let error = MessageWebSocket::connect(&uri).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{uri}");
    }
    let incoming = timeout(Duration::from_millis(50), listener.accept()).await;
    assert!(incoming.is_err(), "got {incoming:?}");
}

#[tokio::test]
async fn section_4_1_nothing_secure_is_sent_in_plain_text() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("wss://{}/", listener.local_addr().unwrap());
    let connecting = tokio::spawn(async move { MessageWebSocket::connect(&uri).await });
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut sent = vec![0; 5];
    stream.read_exact(&mut sent).await.unwrap();
    // Not to be spoken to in TLS.
    stream
        .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        .await
        .unwrap();
    let error = connecting.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TlsFailed);
    stream.read_to_end(&mut sent).await.unwrap();
    assert_eq!(sent[..2], [22, 3], "a handshake record (RFC 8446 §5.1)");
    let plain = sent
        .windows(4)
        .any(|bytes| bytes == b"GET " || bytes == b"HTTP");
    assert!(!plain, "{sent:?}");
}

#[tokio::test]
async fn section_4_1_a_connection_that_cannot_be_opened_fails() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("ws://{}/", listener.local_addr().unwrap());
    drop(listener);
    let error = MessageWebSocket::connect(&uri).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CannotConnect);
}

#[tokio::test]
async fn section_4_1_tcp_is_opened_to_the_host_and_port() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let client =
        tokio::spawn(async move { MessageWebSocket::connect(&format!("ws://{address}/a")).await });
    let (mut stream, _) = listener.accept().await.unwrap();
    let request = read_head(&mut stream).await;
    assert!(request.starts_with(&format!("GET /a HTTP/1.1\r\nHost: {address}\r\n")));
    stream.write_all(&answer_to(&request).await).await.unwrap();
    let client = client.await.unwrap().unwrap();
    assert_eq!(client.peer_address(), Some(address));
}

#[tokio::test]
async fn section_4_1_a_wrong_answer_ends_the_connection() {
    for (said, instead) in [
        ("Sec-WebSocket-Accept: ", "Sec-WebSocket-Accept: x"),
        ("Upgrade: websocket", "Upgrade: h2c"),
        ("Connection: Upgrade", "Connection: close"),
        ("HTTP/1.1 101", "HTTP/1.0 101"),
    ] {
        let (client, mut stream) = connecting();
        let answer = answer_to(&read_head(&mut stream).await).await;
        let answer = String::from_utf8(answer).unwrap().replace(said, instead);
        stream.write_all(answer.as_bytes()).await.unwrap();
        let error = client.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidHandshake, "{instead}");
        assert_eq!(read_to_end(&mut stream).await, b"");
    }
}

#[tokio::test]
async fn section_4_2_1_a_wrong_request_is_answered_and_the_connection_ended() {
    for (said, instead, status) in [
        ("GET", "POST", "405"),
        ("HTTP/1.1", "HTTP/1.0", "505"),
        ("Upgrade: websocket", "Upgrade: h2c", "426"),
        ("Version: 13", "Version: 8", "426"),
        ("Key: ", "Key: x", "400"),
    ] {
        let (ours, mut theirs) = tokio::io::duplex(1 << 16);
        let server = tokio::spawn(MessageWebSocket::accept(ours));
        let request = REQUEST.replace(said, instead);
        theirs.write_all(request.as_bytes()).await.unwrap();
        let response = String::from_utf8(read_to_end(&mut theirs).await).unwrap();
        let start = format!("HTTP/1.1 {status} ");
        assert!(response.starts_with(&start), "{instead}: {response}");
        drop(theirs);
        let error = server.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidHandshake);
    }
}

#[tokio::test]
async fn section_4_2_2_another_origin_is_answered_403() {
    let (ours, mut theirs) = tokio::io::duplex(1 << 16);
    let options = AcceptOptions::new();
    let server = tokio::spawn(async move { options.accept(ours).await });
    let request = REQUEST.replace("\r\n\r\n", "\r\nOrigin: http://evil.example\r\n\r\n");
    theirs.write_all(request.as_bytes()).await.unwrap();
    let response = read_to_end(&mut theirs).await;
    assert!(response.starts_with(b"HTTP/1.1 403 "));
    drop(theirs);
    assert!(server.await.unwrap().is_err());
}

#[tokio::test]
async fn section_5_3_each_connection_has_masking_keys_of_its_own() {
    let mut keys = Vec::new();
    for _ in 0..3 {
        let (client, mut stream) = client().await;
        client.send_text("the same").await.unwrap();
        client.flush().await.unwrap();
        let mut bytes = [0; 14];
        stream.read_exact(&mut bytes).await.unwrap();
        let frames = wire::read(&bytes);
        assert_eq!(frames[0].payload(), b"the same");
        keys.push(frames[0].key());
    }
    assert!(keys[0] != keys[1] && keys[1] != keys[2]);
}

/// §7.1.1: the server ends TCP first, at once, whoever began to close.
#[tokio::test]
async fn section_5_5_1_a_server_ends_tcp_as_soon_as_both_closes_are_exchanged() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap())
        .await
        .unwrap();
    let (stream, _) = listener.accept().await.unwrap();
    client.write_all(REQUEST.as_bytes()).await.unwrap();
    let server = MessageWebSocket::accept(stream).await.unwrap();
    read_head(&mut client).await;
    let received = tokio::spawn(async move { server.receive().await });

    let close = wire::close(1000, "");
    client
        .write_all(&close.clone().masked().bytes())
        .await
        .unwrap();
    assert_eq!(wire::read(&read_to_end(&mut client).await), [close]);
    assert!(!received.is_finished(), "our end is still open");
    drop(client);
    assert_eq!(received.await.unwrap().unwrap(), None);
}

/// §7.1.1: so a client leaves the end of TCP to the server.
#[tokio::test(start_paused = true)]
async fn section_5_5_1_a_client_waits_for_the_server_to_end_tcp() {
    let (client, mut stream) = client().await;
    let closing = tokio::spawn(async move { client.close(CloseCode::NORMAL, "").await });
    let mut close = [0; 8];
    stream.read_exact(&mut close).await.unwrap();
    assert_eq!(wire::read(&close)[0].first_byte(), 0x88);
    stream
        .write_all(&wire::close(1000, "").bytes())
        .await
        .unwrap();
    let more = timeout(Duration::from_secs(1), stream.read_u8()).await;
    assert!(more.is_err(), "got {more:?}");
    assert!(!closing.is_finished());
    drop(stream);
    closing.await.unwrap().unwrap();
}

#[tokio::test]
async fn section_7_1_7_whoever_fails_the_connection_ends_tcp() {
    let (client, client_stream) = client().await;
    let (server, server_stream) = server().await;
    for (socket, mut stream, frame) in [
        (client, client_stream, wire::frame(0x83, "")),
        (server, server_stream, wire::frame(0x83, "").masked()),
    ] {
        let received = tokio::spawn(async move { socket.receive().await });
        stream.write_all(&frame.bytes()).await.unwrap();
        let frames = wire::read(&read_to_end(&mut stream).await);
        assert_eq!(frames.len(), 1);
        assert_eq!(frames[0].first_byte(), 0x88);
        assert_eq!(frames[0].payload()[..2], 1002u16.to_be_bytes());
        drop(stream);
        let error = received.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ProtocolViolation);
    }
}

#[tokio::test]
async fn section_7_2_1_a_lost_connection_has_failed() {
    let (client, client_stream) = client().await;
    let (server, server_stream) = server().await;
    for (socket, stream) in [(client, client_stream), (server, server_stream)] {
        drop(stream);
        let error = socket.receive().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionLost);
        let closed = socket.closed().unwrap();
        assert_eq!(closed.code(), CloseCode::ABNORMAL_CLOSURE);
        assert!(!closed.is_clean());
        assert!(socket.send_text("late").await.is_err());
    }
}
