//! How the program ends when a connection does.
#![cfg(unix)]

mod program;

use std::time::Instant;

use program::{Ended, Program};
use twinsock::{CloseCode, Error, Listener, MessageWebSocket, Timeouts};

#[tokio::test]
async fn signals_close_every_client_with_1001() {
    for signal in ["TERM", "INT"] {
        let (server, uri) = Program::serve(&[]);
        let mut clients = Vec::new();
        for _ in 0..3 {
            let client = MessageWebSocket::connect(&uri).await.unwrap();
            client.send_text("ready?").await.unwrap();
            assert!(client.receive().await.unwrap().is_some());
            clients.push(client);
        }
        server.signal(signal);
        for client in clients {
            assert_eq!(client.receive().await.unwrap(), None);
            assert_eq!(client.closed().unwrap().code(), CloseCode::GOING_AWAY);
        }
        let ended = server.end();
        assert_eq!((ended.code, &*ended.stderr), (Some(0), ""));
    }
}

#[tokio::test]
async fn a_second_signal_ends_the_server_at_once() {
    let (server, uri) = Program::serve(&[]);
    let polite = MessageWebSocket::connect(&uri).await.unwrap();
    // It does not answer, and the server would wait for it.
    let silent = MessageWebSocket::connect(&uri).await.unwrap();
    for client in [&polite, &silent] {
        client.send_text("ready?").await.unwrap();
        assert!(client.receive().await.unwrap().is_some());
    }
    let started = Instant::now();
    server.signal("TERM");
    assert_eq!(polite.receive().await.unwrap(), None);
    server.signal("TERM");
    assert_eq!(server.end().code, Some(0));
    assert!(started.elapsed() < Timeouts::default().close / 2);
}

#[tokio::test]
async fn one_bad_client_is_one_line_and_the_server_goes_on() {
    let (server, uri) = Program::serve(&["--max-message-size", "10"]);
    let client = MessageWebSocket::connect(&uri).await.unwrap();
    client.send_text("above the limit").await.unwrap();
    assert_eq!(client.receive().await.unwrap(), None);
    assert_eq!(client.closed().unwrap().code(), CloseCode::MESSAGE_TOO_BIG);
    let address = client.local_address().unwrap().to_string();

    let client = MessageWebSocket::connect(&uri).await.unwrap();
    client.send_text("within it").await.unwrap();
    assert!(client.receive().await.unwrap().is_some());
    client.close(CloseCode::NORMAL, "").await.unwrap();
    server.signal("TERM");
    let ended = server.end();
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    assert!(ended.stderr.starts_with(&address), "{}", ended.stderr);
}

/// Runs `connect`, its input left open, against a server that does this with the connection.
async fn connect_to<F: Future<Output = Result<(), Error>>>(
    options: &[&str],
    treat: impl FnOnce(MessageWebSocket) -> F,
) -> Ended {
    let listener = Listener::bind("127.0.0.1:0").await.expect("a port is free");
    let uri = format!("ws://{}", listener.local_address());
    let mut words = vec!["connect", &uri];
    words.extend(options);
    let client = Program::start(&words);
    let incoming = listener.accept().await.expect("the client comes");
    let socket = incoming
        .accept()
        .await
        .expect("the client speaks WebSocket");
    // What the server learns is the client's business here.
    let _ = treat(socket).await;
    tokio::task::spawn_blocking(|| client.end())
        .await
        .expect("it ended")
}

#[tokio::test]
async fn another_close_code_is_named() {
    let ended = connect_to(&[], |socket| async move {
        socket.send_text("farewell").await?;
        socket
            .close(CloseCode::from(4000), "enough\u{1b}[31m")
            .await
    })
    .await;
    assert_eq!((ended.code, &*ended.stdout), (Some(1), "farewell\n"));
    assert_eq!(
        ended.error(),
        r#"closed by the peer: 4000 "enough\u{1b}[31m""#
    );
}

#[tokio::test]
async fn a_normal_close_by_the_peer_is_success() {
    for code in [CloseCode::NORMAL, CloseCode::GOING_AWAY] {
        let ended = connect_to(&[], |socket| async move { socket.close(code, "").await }).await;
        assert_eq!((ended.code, &*ended.stderr), (Some(0), ""));
    }
}

#[tokio::test]
async fn a_binary_message_is_described() {
    let ended = connect_to(&[], |socket| async move {
        socket.send_binary(&[0; 1234]).await?;
        socket.send_text("\u{1b}[31mtext").await?;
        socket.close(CloseCode::NORMAL, "").await
    })
    .await;
    assert_eq!(ended.code, Some(0));
    assert_eq!(ended.stdout, "\u{1b}[31mtext\n");
    assert_eq!(ended.stderr, "binary message, 1234 bytes\n");
}

#[tokio::test]
async fn a_message_above_the_limit_fails_the_connection() {
    let ended = connect_to(&["--max-message-size", "3"], |socket| async move {
        socket.send_text("abc").await?;
        socket.send_text("abcd").await?;
        socket.receive().await.map(|_| ())
    })
    .await;
    assert_eq!((ended.code, &*ended.stdout), (Some(5), "abc\n"));
    assert!(ended.error().contains("127.0.0.1"));
}
