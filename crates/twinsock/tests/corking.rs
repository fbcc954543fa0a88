//! Messages go out together when more follow, and none waits for a later call.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep};
use twinsock::{AcceptOptions, CloseCode, Error, Message, MessageWebSocket};
use twinsock_testkit::counting::{Counting, Counts};
use twinsock_testkit::sockets::{PATIENT, URI, pair, server_of_raw};
use twinsock_testkit::wire;

/// A client, and a server that counts, over TCP.
async fn counted_pair() -> (MessageWebSocket, MessageWebSocket, Arc<Counts>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let near = TcpStream::connect(address).await.expect("it listens");
    let (far, _) = listener.accept().await.expect("somebody connects");
    let (far, counts) = Counting::new(far);
    let options = AcceptOptions::new();
    let (client, server) = tokio::try_join!(
        MessageWebSocket::connect_over(near, URI),
        options.accept(far)
    )
    .expect("a handshake");
    (client, server, counts)
}

async fn echo(socket: &MessageWebSocket) -> Result<(), Error> {
    while let Some(message) = socket.receive().await? {
        socket.send(message).await?;
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the measured numbers are the result")]
async fn assert_few_writes(runtime: &str) {
    const IN_FLIGHT: usize = 1_000;
    const ROUNDS: usize = 20;
    let (client, server, counts) = counted_pair().await;
    let echo = tokio::spawn(async move { echo(&server).await });
    let before = counts.writes();
    for _ in 0..ROUNDS {
        for _ in 0..IN_FLIGHT {
            client.send("sixteen bytes...").await.expect("open");
        }
        for _ in 0..IN_FLIGHT {
            client.receive().await.expect("open").expect("an echo");
        }
    }
    let writes = counts.writes() - before;
    let messages = IN_FLIGHT * ROUNDS;
    println!("{runtime}: {writes} writes for {messages} messages in flight by the thousand");
    assert!(writes * 10 < messages, "{writes}");
    client.close(CloseCode::NORMAL, "").await.expect("open");
    echo.await.expect("no panic").expect("open");
}

#[tokio::test]
async fn a_plain_echo_loop_writes_less_than_once_in_ten_messages_on_one_thread() {
    assert_few_writes("one thread").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plain_echo_loop_writes_less_than_once_in_ten_messages_on_two_threads() {
    assert_few_writes("two threads").await;
}

#[tokio::test]
async fn one_message_at_a_time_is_one_write_each() {
    let (client, server, counts) = counted_pair().await;
    let echo = tokio::spawn(async move { echo(&server).await });
    let before = counts.writes();
    for _ in 0..1_000 {
        client.send("ping").await.expect("open");
        client.receive().await.expect("open").expect("an echo");
    }
    assert_eq!(counts.writes() - before, 1_000);
    client.close(CloseCode::NORMAL, "").await.expect("open");
    echo.await.expect("no panic").expect("open");
}

async fn send_numbers(socket: &MessageWebSocket, count: u32) {
    for number in 0..count {
        socket.send(number.to_string()).await.expect("open");
    }
}

#[tokio::test(start_paused = true)]
async fn one_send_or_a_hundred_are_with_the_peer_before_time_moves() {
    for count in [1, 2, 3, 100] {
        let (client, server) = pair(1 << 16).await.expect("a pair");
        let start = Instant::now();
        let sending = tokio::spawn(async move {
            send_numbers(&client, count).await;
            sleep(Duration::from_secs(10)).await;
        });
        for number in 0..count {
            let message = server.receive().await.expect("open");
            assert_eq!(message, Some(Message::from(number.to_string())));
        }
        assert_eq!(start.elapsed(), Duration::ZERO);
        sending.await.expect("no panic");
    }
}

#[tokio::test(start_paused = true)]
async fn a_send_among_unread_messages_is_with_the_peer_before_time_moves() {
    let (server, mut client) = server_of_raw(PATIENT, 1 << 16).await.expect("a pair");
    let start = Instant::now();
    client
        .send(&[wire::text("one"), wire::text("two"), wire::text("three")])
        .await
        .expect("open");
    let answering = tokio::spawn(async move {
        let message = server.receive().await.expect("open").expect("a message");
        server.send(message).await.expect("open");
        sleep(Duration::from_secs(10)).await;
    });
    let answer = client.receive().await.expect("open");
    assert_eq!(answer, Some(wire::text("one")));
    assert_eq!(start.elapsed(), Duration::ZERO);
    answering.await.expect("no panic");
}

#[tokio::test]
async fn what_was_sent_goes_out_though_the_task_awaits_something_else_for_ever() {
    let (client, server) = pair(1 << 16).await.expect("a pair");
    let sending = tokio::spawn(async move {
        send_numbers(&client, 100).await;
        pending::<()>().await;
        drop(client);
    });
    for number in 0..100 {
        let message = server.receive().await.expect("open");
        assert_eq!(message, Some(Message::from(number.to_string())));
    }
    sending.abort();
}

#[test]
fn what_was_sent_last_goes_out_when_the_runtime_ends() {
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_all().build().expect("a runtime")
    };
    let first = runtime();
    let (client, server) = first.block_on(pair(1 << 16)).expect("a pair");
    first.block_on(async {
        client.send("one").await.expect("open");
        client.send("two").await.expect("open");
    });
    drop(first);
    runtime().block_on(async {
        for expected in ["one", "two"] {
            let message = server.receive().await.expect("open");
            assert_eq!(message, Some(Message::from(expected)));
        }
    });
    drop(client);
}
