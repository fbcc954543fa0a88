//! A client learns why it could not connect.

use std::error::Error as _;

use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use twinsock::{ErrorKind, MessageWebSocket};
use twinsock_testkit::raw::{RawPeer, read_head};
use twinsock_testkit::sockets::URI;

/// A server that reads one request and gives this answer, whatever was asked.
async fn server(answer: &'static str) -> (JoinHandle<std::io::Result<()>>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let uri = format!("ws://{}/", listener.local_addr().expect("bound"));
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await?;
        read_head(&mut stream).await?;
        stream.write_all(answer.as_bytes()).await?;
        stream.shutdown().await
    });
    (serving, uri)
}

async fn error_for(answer: &'static str) -> twinsock::Error {
    let (_serving, uri) = server(answer).await;
    let opened = MessageWebSocket::connect(&uri).await;
    opened.expect_err("no WebSocket")
}

#[tokio::test]
async fn a_refusal_comes_with_the_whole_response() {
    let error =
        error_for("HTTP/1.1 403 Forbidden\r\nX-Why: because\r\nContent-Length: 7\r\n\r\nno entry")
            .await;
    assert_eq!(error.kind(), ErrorKind::HandshakeRefused);
    let response = error.response().expect("a response");
    assert_eq!(response.status(), 403);
    assert_eq!(response.headers()["x-why"], "because");
    assert!(response.body().starts_with(b"no entr"));
}

#[tokio::test]
async fn servers_that_speak_something_else_are_an_invalid_handshake() {
    for answer in [
        "SSH-2.0-OpenSSH_9.6\r\n",
        "",
        "HTTP/1.1 101 Switching Protocols\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n",
    ] {
        let error = error_for(answer).await;
        assert_eq!(error.kind(), ErrorKind::InvalidHandshake, "{answer:?}");
        assert!(error.response().is_none());
    }
}

#[tokio::test]
async fn a_response_head_without_end_is_an_invalid_handshake() {
    let (near, mut far) = duplex(1024);
    let serving = tokio::spawn(async move {
        read_head(&mut far).await?;
        far.write_all(b"HTTP/1.1 101 Switching Protocols\r\n")
            .await?;
        loop {
            far.write_all(b"X-Again: and again\r\n").await?;
        }
        #[expect(unreachable_code, reason = "it names the type of the error")]
        Ok::<(), std::io::Error>(())
    });
    let error = MessageWebSocket::connect_over(near, URI).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidHandshake);
    assert!(
        serving.await.expect("no panic").is_err(),
        "the stream was dropped"
    );
}

#[tokio::test]
async fn a_port_that_nobody_listens_on_cannot_be_connected_to() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    drop(listener);
    let error = MessageWebSocket::connect(&format!("ws://{address}/"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CannotConnect);
    assert!(error.to_string().contains(&address.to_string()));
    assert!(error.source().is_some());
}

#[tokio::test]
async fn a_name_without_an_address_is_not_resolved() {
    let error = MessageWebSocket::connect("ws://no-such-host.invalid/")
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NameNotResolved);
}

#[tokio::test]
async fn arguments_that_cannot_be_are_told_before_anything_is_sent() {
    for uri in [
        "",
        "no address",
        "http://localhost/",
        "ws://",
        "ws://localhost/#fragment",
    ] {
        let error = MessageWebSocket::connect(uri).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{uri:?}");
    }
    let builder = MessageWebSocket::builder;
    for builder in [
        builder().header("X-Name", "two\r\nlines"),
        builder().header("no name", "value"),
        builder().header("Sec-WebSocket-Key", "mine"),
        builder().protocol("no token"),
        builder().protocol("twice").protocol("twice"),
        builder().max_addresses(0),
    ] {
        let (near, mut far) = duplex(1024);
        let error = builder.connect_over(near, URI).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        let mut sent = Vec::new();
        far.read_to_end(&mut sent).await.expect("dropped");
        assert_eq!(sent, b"");
    }
}

#[tokio::test]
async fn a_secret_in_a_bad_header_is_not_shown() {
    let builder = MessageWebSocket::builder().header("Authorization", "hunter2\n");
    let error = builder.connect(URI).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter2"));
}

#[tokio::test]
async fn wss_over_a_stream_of_ones_own_is_not_encrypted_again() {
    let (near, far) = duplex(1024);
    let connect = MessageWebSocket::connect_over(near, "wss://localhost/");
    let (client, raw) = tokio::join!(connect, RawPeer::server(far));
    client.expect("a handshake");
    raw.expect("a handshake");
}

#[tokio::test]
async fn a_ping_that_is_too_long_is_refused() {
    let (near, far) = duplex(1024);
    let connect = MessageWebSocket::connect_over(near, URI);
    let (client, _raw) = tokio::join!(connect, RawPeer::server(far));
    let client = client.expect("a handshake");
    let error = client.ping(&[0; 126]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    client.ping(&[0; 125]).await.expect("open");
}

#[tokio::test]
async fn a_dropped_attempt_leaves_no_connection_behind() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let uri = format!("ws://{}/", listener.local_addr().expect("bound"));
    let connecting = tokio::spawn(async move { MessageWebSocket::connect(&uri).await });
    let (mut stream, _) = listener.accept().await.expect("a client");
    read_head(&mut stream).await.expect("a request");
    connecting.abort();
    assert!(connecting.await.is_err());
    assert_eq!(stream.read(&mut [0; 1]).await.expect("an end"), 0);
}
