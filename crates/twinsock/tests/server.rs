//! A server decides whom it lets in, and no client keeps another waiting.

use http::{Response, StatusCode};
use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::net::TcpStream;
use tokio::task::{JoinHandle, JoinSet};
use tokio_test::{assert_pending, task};
use twinsock::{AcceptOptions, Error, ErrorKind, Listener, Message, MessageWebSocket};
use twinsock_testkit::raw::{REQUEST, RawPeer};
use twinsock_testkit::sockets::{PATIENT, echo_server, server_of_raw};
use twinsock_testkit::wire;

async fn listener(options: AcceptOptions) -> (Listener, String) {
    let listener = Listener::bind("127.0.0.1:0").await.expect("a port");
    let uri = format!("ws://{}/path?query", listener.local_address());
    (listener.with_options(options), uri)
}

/// Accepts one connection.
async fn serve_one(
    options: AcceptOptions,
) -> (JoinHandle<Result<MessageWebSocket, Error>>, String) {
    let (listener, uri) = listener(options).await;
    let accepting = tokio::spawn(async move { listener.accept().await?.accept().await });
    (accepting, uri)
}

#[tokio::test]
async fn both_ends_know_each_other() {
    let (accepting, uri) = serve_one(AcceptOptions::new()).await;
    let client = MessageWebSocket::connect(&uri).await.expect("a server");
    let server = accepting.await.expect("no panic").expect("a client");
    assert_eq!(client.local_address(), server.peer_address());
    assert_eq!(client.peer_address(), server.local_address());
    assert_eq!(server.request().expect("a request").uri(), "/path?query");
    assert_eq!(client.response().expect("a response").status(), 101);
    assert!(client.request().is_none() && server.response().is_none());
    assert_eq!(client.protocol(), None);
}

#[tokio::test]
async fn the_servers_preferred_protocol_is_chosen() {
    let options = AcceptOptions::new()
        .protocol("v2")
        .and_then(|options| options.protocol("v1"));
    let (accepting, uri) = serve_one(options.expect("tokens")).await;
    let builder = MessageWebSocket::builder()
        .protocol("v1")
        .protocol("v2")
        .protocol("v3");
    let client = builder.connect(&uri).await.expect("a server");
    let server = accepting.await.expect("no panic").expect("a client");
    assert_eq!(client.protocol(), server.protocol());
    assert_eq!(client.protocol(), Some("v2"));
}

#[tokio::test]
async fn pages_of_another_host_are_turned_away_unless_listed() {
    let strict = AcceptOptions::new();
    let listed = AcceptOptions::new()
        .origin("https://game.example")
        .expect("an origin");
    let open = AcceptOptions::new().any_origin_dangerously();
    for (options, origin, is_let_in) in [
        (&strict, "https://evil.example", false),
        (&listed, "https://evil.example", false),
        (&listed, "https://game.example", true),
        (&open, "https://evil.example", true),
    ] {
        let (accepting, uri) = serve_one(options.clone()).await;
        let builder = MessageWebSocket::builder().header("Origin", origin);
        let connected = builder.connect(&uri).await;
        let accepted = accepting.await.expect("no panic");
        assert_eq!(connected.is_ok(), is_let_in, "{origin}");
        assert_eq!(accepted.is_ok(), is_let_in, "{origin}");
        if let (Err(near), Err(far)) = (connected, accepted) {
            assert_eq!(near.kind(), ErrorKind::HandshakeRefused);
            assert_eq!(near.response().expect("a response").status(), 403);
            assert_eq!(far.kind(), ErrorKind::InvalidHandshake);
        }
    }
}

#[tokio::test]
async fn the_application_may_look_at_the_request_and_refuse_it() {
    let (listener, uri) = listener(AcceptOptions::new()).await;
    let serving = tokio::spawn(async move {
        let pending = listener.accept().await?.receive_request().await?;
        assert_eq!(pending.request().uri().path(), "/path");
        assert_eq!(pending.protocols().collect::<Vec<_>>(), ["chat"]);
        pending
            .reject(StatusCode::IM_A_TEAPOT, "short and stout")
            .await
    });
    let builder = MessageWebSocket::builder().protocol("chat");
    let error = builder.connect(&uri).await.unwrap_err();
    serving.await.expect("no panic").expect("a refusal");
    assert_eq!(error.kind(), ErrorKind::HandshakeRefused);
    let response = error.response().expect("a response");
    assert_eq!(response.status(), StatusCode::IM_A_TEAPOT);
    assert_eq!(&response.body()[..], b"short and stout");
}

#[tokio::test]
async fn a_refusal_may_have_headers() {
    let (listener, uri) = listener(AcceptOptions::new()).await;
    let serving = tokio::spawn(async move {
        let pending = listener.accept().await?.receive_request().await?;
        let response = Response::builder()
            .status(StatusCode::UNAUTHORIZED)
            .header("WWW-Authenticate", "Basic")
            .body("who are you?");
        pending.reject_with(response.expect("a response")).await
    });
    let error = MessageWebSocket::connect(&uri).await.unwrap_err();
    serving.await.expect("no panic").expect("a refusal");
    let response = error.response().expect("a response");
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(response.headers()["WWW-Authenticate"], "Basic");
    assert_eq!(&response.body()[..], b"who are you?");
}

#[tokio::test]
async fn the_response_that_opens_may_have_headers() {
    let options = AcceptOptions::new().header("Set-Cookie", "a=b");
    let (accepting, uri) = serve_one(options.expect("a header")).await;
    let client = MessageWebSocket::connect(&uri).await.expect("a server");
    accepting.await.expect("no panic").expect("a client");
    assert_eq!(
        client.response().expect("a client's").headers()["Set-Cookie"],
        "a=b"
    );
    for (name, value) in [("Upgrade", "x"), ("a b", "x"), ("X-Line", "a\r\nb: c")] {
        let error = AcceptOptions::new().header(name, value).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{name}");
    }
}

#[tokio::test]
async fn a_status_that_is_no_refusal_is_an_invalid_argument() {
    let (listener, uri) = listener(AcceptOptions::new()).await;
    let serving = tokio::spawn(async move {
        let pending = listener.accept().await?.receive_request().await?;
        pending.reject(StatusCode::SWITCHING_PROTOCOLS, "").await
    });
    assert!(MessageWebSocket::connect(&uri).await.is_err());
    let error = serving.await.expect("no panic").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
}

#[tokio::test]
async fn clients_that_dawdle_in_the_handshake_keep_nobody_waiting() {
    let options = AcceptOptions::new().timeouts(PATIENT);
    let (address, server) = echo_server(options, |_| {}).await.expect("a port");
    let mut dawdlers = Vec::new();
    for length in 0..10 {
        let mut stream = TcpStream::connect(address).await.expect("a server");
        let part = &REQUEST.as_bytes()[..length * 10];
        stream.write_all(part).await.expect("open");
        dawdlers.push(stream);
    }
    let client = MessageWebSocket::connect(&format!("ws://{address}/"))
        .await
        .expect("a turn");
    client.send("hello").await.expect("open");
    assert_eq!(
        client.receive().await.expect("open"),
        Some(Message::from("hello"))
    );
    server.abort();
}

#[tokio::test]
async fn frames_that_come_with_the_request_are_received() {
    let (accepting, uri) = serve_one(AcceptOptions::new()).await;
    let address = uri
        .trim_start_matches("ws://")
        .trim_end_matches("/path?query");
    let mut stream = TcpStream::connect(address).await.expect("a server");
    let eager = [REQUEST.as_bytes(), &wire::text("eager").masked().bytes()].concat();
    stream.write_all(&eager).await.expect("open");
    let server = accepting.await.expect("no panic").expect("a client");
    assert_eq!(
        server.receive().await.expect("open"),
        Some(Message::from("eager"))
    );
}

#[tokio::test]
async fn what_is_no_websocket_request_gets_an_http_answer() {
    for (request, status) in [
        ("GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 4"),
        ("nonsense\r\n\r\n", "HTTP/1.1 400 "),
        (
            &REQUEST.replace("Version: 13", "Version: 8"),
            "HTTP/1.1 426 ",
        ),
    ] {
        let (accepting, uri) = serve_one(AcceptOptions::new()).await;
        let address = uri
            .trim_start_matches("ws://")
            .trim_end_matches("/path?query");
        let mut stream = TcpStream::connect(address).await.expect("a server");
        stream.write_all(request.as_bytes()).await.expect("open");
        stream.shutdown().await.expect("open");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("an answer");
        assert!(answer.starts_with(status), "{answer}");
        let error = accepting.await.expect("no panic").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidHandshake);
    }
}

#[tokio::test]
async fn a_listener_serves_many_at_once() {
    let (address, server) = echo_server(AcceptOptions::new(), |_| {})
        .await
        .expect("a port");
    let mut tasks = JoinSet::new();
    for _ in 0..50 {
        tasks.spawn(async move {
            let mut peer = RawPeer::connect(address).await?;
            peer.send(&[wire::text("hello")]).await?;
            peer.receive().await
        });
    }
    for echo in tasks.join_all().await {
        assert_eq!(echo.expect("open"), Some(wire::text("hello")));
    }
    server.abort();
}

#[tokio::test]
async fn accepted_connections_have_the_options_that_were_set() {
    let plain = AcceptOptions::new();
    let tuned = AcceptOptions::new().nagle().outbound_buffer_size(20_000);
    for (options, has_no_delay, sizes) in [
        (plain, true, 40_001..=usize::MAX),
        (tuned, false, 20_000..=40_000),
    ] {
        let (listener, _) = listener(options).await;
        let (client, incoming) = tokio::join!(
            TcpStream::connect(listener.local_address()),
            listener.accept()
        );
        let stream = incoming.expect("a client").into_stream();
        let socket = SockRef::from(&stream);
        assert_eq!(socket.tcp_nodelay().expect("known"), has_no_delay);
        let size = socket.send_buffer_size().expect("known");
        assert!(sizes.contains(&size), "{size}");
        #[cfg(any(target_os = "linux", target_os = "android"))]
        assert_eq!(
            socket.tcp_user_timeout().expect("known"),
            twinsock::Timeouts::default().send
        );
        drop(client);
    }
}

#[tokio::test]
async fn what_one_client_sent_is_never_seen_in_the_handshake_of_another() {
    const ROOM: usize = 1 << 16;
    let (server, mut client) = server_of_raw(PATIENT, ROOM).await.expect("a handshake");
    let frame = wire::ping([7; 125]).masked().bytes();
    let (begin, rest) = frame.split_at(100);
    client.stream.write_all(begin).await.expect("room");
    let mut receiving = task::spawn(server.receive());
    // The frame is not whole: the socket keeps its bytes, and its memory goes to others.
    assert_pending!(receiving.poll());

    let (near, mut far) = duplex(ROOM);
    far.write_all(REQUEST.as_bytes()).await.expect("room");
    let other = AcceptOptions::new().accept(near).await;
    other.expect("a sound request");

    client.stream.write_all(rest).await.expect("room");
    client.send(&[wire::text("whole")]).await.expect("room");
    let received = receiving.await.expect("open");
    assert_eq!(received, Some(Message::from("whole")));
}
