//! The byte client: what goes in comes back, and every end has its exit code.
#![cfg(unix)]

mod program;

use std::io::Write;
use std::thread;

use program::{Ended, Program};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use twinsock::{CloseCode, Listener, MessageWebSocket, StreamWebSocket};

/// Bytes of all values in no order.
fn noise(size: usize) -> Vec<u8> {
    let mut state: u32 = 7;
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    std::iter::repeat_with(next).take(size).collect()
}

/// Has `stream` copy these bytes.
fn copied(uri: &str, options: &[&str], input: Vec<u8>) -> (Ended, Vec<u8>) {
    let mut words = vec!["stream", uri];
    words.extend(options);
    let mut client = Program::start(&words);
    let mut stdin = client.take_input();
    let typist = thread::spawn(move || stdin.write_all(&input));
    let ended = client.end_with_bytes();
    let typed = typist.join().expect("it does not panic");
    typed.expect("all is read");
    ended
}

#[test]
fn all_bytes_come_back_from_an_echo_server_before_the_end() {
    let (server, uri) = Program::serve(&[]);
    let bytes = noise(5 << 20);
    for options in [&[][..], &["--endless-message"]] {
        let (ended, output) = copied(&uri, options, bytes.clone());
        assert_eq!((ended.code, &*ended.stderr), (Some(0), ""), "{options:?}");
        assert!(output == bytes, "{options:?}: {} bytes came", output.len());
    }
    server.signal("TERM");
    let ended = server.end();
    assert_eq!((ended.code, &*ended.stderr), (Some(0), ""));
}

#[test]
fn an_empty_input_gives_an_empty_output() {
    let (_server, uri) = Program::serve(&[]);
    let (ended, output) = copied(&uri, &[], Vec::new());
    assert_eq!((ended.code, &*ended.stderr), (Some(0), ""));
    assert_eq!(output, b"");
}

#[test]
fn bytes_are_echoed_while_the_input_stays_open() {
    let (_server, uri) = Program::serve(&[]);
    let mut client = Program::start(&["stream", &uri]);
    for bytes in [&b"\0"[..], b"\xff\xfe\n", b"no line end"] {
        client.write(bytes);
        assert_eq!(client.read_exact(bytes.len()), bytes);
    }
    client.end_input();
    assert_eq!(client.end().code, Some(0));
}

#[test]
fn a_reader_that_goes_ends_the_client_quietly() {
    let (_server, uri) = Program::serve(&[]);
    let mut client = Program::start(&["stream", &uri]);
    client.write(b"one");
    assert_eq!(client.read_exact(3), b"one");
    client.drop_output();
    let mut stdin = client.take_input();
    let typist = thread::spawn(move || while stdin.write_all(b"more").is_ok() {});
    let ended = client.end();
    typist.join().unwrap();
    assert_eq!((ended.code, &*ended.stderr), (Some(0), ""));
}

/// A server for one client, and the client's program, its input left open.
async fn client_of<F: Future>(
    options: &[&str],
    treat: impl FnOnce(StreamWebSocket, Program) -> F,
) -> F::Output {
    let listener = Listener::bind("127.0.0.1:0").await.expect("a port is free");
    let uri = format!("ws://{}", listener.local_address());
    let mut words = vec!["stream", &uri];
    words.extend(options);
    let client = Program::start(&words);
    let incoming = listener.accept().await.expect("the client comes");
    let socket = incoming.accept_stream().await;
    treat(socket.expect("the client speaks WebSocket"), client).await
}

async fn end(client: Program) -> Ended {
    let ended = tokio::task::spawn_blocking(|| client.end());
    ended.await.expect("it ended")
}

#[tokio::test]
async fn a_server_that_ends_the_stream_ends_the_client() {
    for code in [CloseCode::NORMAL, CloseCode::GOING_AWAY] {
        let ended = client_of(&[], |mut socket, client| async move {
            socket.write_all(b"that is all").await.unwrap();
            let (closed, ended) = tokio::join!(socket.close(code, ""), end(client));
            closed.unwrap();
            ended
        })
        .await;
        assert_eq!((ended.code, &*ended.stderr), (Some(0), ""));
        assert_eq!(ended.stdout, "that is all");
    }
}

#[tokio::test]
async fn another_close_code_is_an_error_after_all_that_came_before() {
    let ended = client_of(&[], |mut socket, client| async move {
        socket.write_all(b"so far").await.unwrap();
        let code = CloseCode::INTERNAL_ERROR;
        let (_, ended) = tokio::join!(socket.close(code, "no disk"), end(client));
        ended
    })
    .await;
    assert_eq!((ended.code, &*ended.stdout), (Some(1), "so far"));
    assert!(ended.error().contains("closed by the peer: 1011"));
    assert!(ended.error().contains("no disk"));
}

#[tokio::test]
async fn a_server_that_only_goes_has_not_said_all() {
    let ended = client_of(&[], |mut socket, client| async move {
        socket.write_all(b"so far").await.unwrap();
        socket.flush().await.unwrap();
        drop(socket);
        end(client).await
    })
    .await;
    assert_eq!((ended.code, &*ended.stdout), (Some(1), "so far"));
    assert!(ended.error().contains("closed by the peer: 1005"));
}

#[tokio::test]
async fn a_lost_connection_is_an_error_after_all_that_came_before() {
    let ended = client_of(&[], |mut socket, client| async move {
        socket.write_all(b"so far").await.unwrap();
        socket.flush().await.unwrap();
        socket.abort();
        end(client).await
    })
    .await;
    assert_eq!((ended.code, &*ended.stdout), (Some(5), "so far"));
    assert!(ended.error().contains("127.0.0.1"));
}

#[tokio::test]
async fn the_end_of_the_input_is_told_while_the_server_goes_on() {
    let ended = client_of(&[], |mut socket, mut client| async move {
        client.write(b"question");
        client.end_input();
        let mut question = Vec::new();
        socket.read_to_end(&mut question).await.unwrap();
        assert_eq!(question, b"question");
        socket.write_all(b"late answer").await.unwrap();
        let (closed, ended) = tokio::join!(socket.shutdown(), end(client));
        closed.unwrap();
        ended
    })
    .await;
    assert_eq!((ended.code, &*ended.stdout), (Some(0), "late answer"));
}

#[tokio::test]
async fn a_signal_closes_with_1001_and_is_no_success() {
    for signal in ["INT", "TERM"] {
        let ended = client_of(&[], |mut socket, mut client| async move {
            client.write(b"beginning");
            let mut beginning = [0; 9];
            socket.read_exact(&mut beginning).await.unwrap();
            client.signal(signal);
            assert_eq!(socket.read(&mut [0; 1]).await.unwrap(), 0);
            socket.shutdown().await.unwrap();
            let closed = socket.closed().unwrap();
            assert_eq!(closed.code(), CloseCode::GOING_AWAY);
            end(client).await
        })
        .await;
        assert_eq!(ended.code, Some(9));
        assert!(ended.error().contains("9 bytes sent and 0 received"));
    }
}

#[tokio::test]
async fn a_text_is_refused_unless_its_bytes_are_asked_for() {
    for (options, code) in [(&[][..], 5), (&["--text-as-bytes"], 0)] {
        let listener = Listener::bind("127.0.0.1:0").await.unwrap();
        let uri = format!("ws://{}", listener.local_address());
        let mut words = vec!["stream", &uri];
        words.extend(options);
        let client = Program::start(&words);
        let socket: MessageWebSocket = listener.accept().await.unwrap().accept().await.unwrap();
        socket.send_text("text").await.unwrap();
        let (_, ended) = tokio::join!(socket.close(CloseCode::NORMAL, ""), end(client));
        assert_eq!(ended.code, Some(code), "{}", ended.stderr);
        assert_eq!(ended.stdout, if code == 0 { "text" } else { "" });
    }
}
