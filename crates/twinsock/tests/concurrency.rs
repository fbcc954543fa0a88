//! One socket, many tasks.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::task::JoinSet;
use twinsock::{
    AcceptOptions, CloseCode, Error, ErrorKind, Message, MessageWebSocket, Timeout, Timeouts,
};
use twinsock_testkit::sockets::{PATIENT, echo_server, pair, pair_with};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_eight_tasks_send_comes_back_once_to_two_that_receive() {
    let (address, server) = echo_server(AcceptOptions::new(), |_| {})
        .await
        .expect("a port");
    let socket = MessageWebSocket::connect(&format!("ws://{address}/")).await;
    let socket = Arc::new(socket.expect("a server"));
    let mut tasks = JoinSet::new();
    for sender in 0..8 {
        let socket = Arc::clone(&socket);
        tasks.spawn(async move { send_thousand(&socket, sender).await });
    }
    for _ in 0..2 {
        let socket = Arc::clone(&socket);
        tasks.spawn(async move { receive_four_thousand(&socket).await });
    }
    let received = tasks.join_all().await.concat();
    assert_eq!(received.len(), 8_000);
    assert_eq!(received.iter().collect::<HashSet<_>>().len(), 8_000);
    socket.close(CloseCode::NORMAL, "").await.expect("open");
    server.abort();
}

async fn send_thousand(socket: &MessageWebSocket, sender: usize) -> Vec<Message> {
    for number in 0..1_000 {
        let message = format!("{sender} {number}");
        socket.send(message).await.expect("open");
    }
    Vec::new()
}

async fn receive_four_thousand(socket: &MessageWebSocket) -> Vec<Message> {
    let mut received = Vec::new();
    for _ in 0..4_000 {
        received.push(socket.receive().await.expect("open").expect("an echo"));
    }
    received
}

#[tokio::test]
async fn the_halves_of_a_socket_work_in_different_tasks() {
    let (client, server) = pair(1024).await.expect("a pair");
    let (sender, receiver) = client.split();
    let echo = tokio::spawn(async move {
        while let Some(message) = server.receive().await? {
            server.send(message).await?;
        }
        Ok::<_, Error>(())
    });
    let receiving = tokio::spawn(async move {
        let mut count = 0;
        while receiver.receive().await?.is_some() {
            count += 1;
        }
        Ok::<_, Error>((count, receiver))
    });
    for _ in 0..100 {
        sender.send_text("hello").await.expect("open");
    }
    sender.flush().await.expect("open");
    sender
        .socket()
        .start_close(CloseCode::NORMAL, "")
        .expect("a good code");
    let (count, receiver) = receiving.await.expect("no panic").expect("open");
    assert_eq!(count, 100);
    assert!(receiver.closed().expect("closed").is_clean());
    echo.await.expect("no panic").expect("open");
}

#[tokio::test]
async fn a_socket_lives_until_both_halves_are_dropped() {
    let (client, server) = pair(1024).await.expect("a pair");
    let (sender, receiver) = client.split();
    drop(receiver);
    sender.send_text("still here").await.expect("open");
    let message = server.receive().await.expect("open");
    assert_eq!(message, Some(Message::from("still here")));
    drop(sender);
    assert_eq!(server.receive().await.expect("open"), None);
}

#[tokio::test]
async fn a_socket_is_a_stream_and_a_sink() {
    let (mut client, mut server) = pair(1024).await.expect("a pair");
    let echo = tokio::spawn(async move {
        while let Some(message) = server.next().await {
            SinkExt::send(&mut server, message?).await?;
        }
        Ok::<_, Error>(server)
    });
    for number in 0..10 {
        client
            .feed(Message::from(number.to_string()))
            .await
            .expect("open");
    }
    SinkExt::flush(&mut client).await.expect("open");
    for number in 0..10 {
        let message = client.next().await.expect("an echo").expect("open");
        assert_eq!(message, Message::from(number.to_string()));
    }
    SinkExt::close(&mut client).await.expect("open");
    assert_eq!(client.closed().expect("closed").code(), CloseCode::NORMAL);
    assert!(client.next().await.is_none());
    let server = echo.await.expect("no panic").expect("open");
    assert!(server.closed().expect("closed").is_clean());
}

#[tokio::test]
async fn an_error_is_the_last_item_of_the_stream() {
    let (mut client, server) = pair(1024).await.expect("a pair");
    server.send(vec![0; 2_000]).await.expect("open");
    let aborted = tokio::spawn(async move { server.close(CloseCode::NORMAL, "").await });
    assert!(client.next().await.expect("an item").is_ok());
    aborted.abort();
    while let Some(item) = client.next().await {
        assert!(item.is_err());
    }
    assert!(client.next().await.is_none());
}

async fn send_then_receive(socket: &MessageWebSocket, count: usize) -> Result<(), Error> {
    for _ in 0..count {
        socket.send(vec![7; 64 << 10]).await?;
    }
    for _ in 0..count {
        socket.receive().await?.expect("a message");
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn two_peers_that_send_before_they_receive_may_send_what_queue_and_read_ahead_hold() {
    // Of 64 KiB each: one message goes into the peer's read-ahead, one waits in the queue, and
    // one more was let in when the queue was not quite full.
    const COUNT: usize = 3;
    let (client, server) = pair(1024).await.expect("a pair");
    let both = async {
        tokio::try_join!(
            send_then_receive(&client, COUNT),
            send_then_receive(&server, COUNT)
        )
    };
    let done = tokio::time::timeout(Duration::from_secs(60), both).await;
    done.expect("nobody waits for the other").expect("open");
}

#[tokio::test(start_paused = true)]
async fn two_peers_that_only_send_far_more_give_up_after_the_send_timeout() {
    let timeouts = Timeouts {
        send: Some(Duration::from_secs(30)),
        ..PATIENT
    };
    let (client, server) = pair_with(1024, timeouts).await.expect("a pair");
    let (first, second) = tokio::join!(
        send_then_receive(&client, 1_000),
        send_then_receive(&server, 1_000)
    );
    let kinds = [first, second].map(|result| result.unwrap_err().kind());
    assert!(
        kinds.contains(&ErrorKind::Timeout(Timeout::Send)),
        "{kinds:?}"
    );
}

#[tokio::test]
async fn two_peers_that_send_far_more_while_another_task_receives_never_wait_for_each_other() {
    const COUNT: usize = 1_000;
    let (client, server) = pair(1024).await.expect("a pair");
    let send = async |socket: &MessageWebSocket| {
        for _ in 0..COUNT {
            socket.send(vec![7; 64 << 10]).await?;
        }
        socket.flush().await
    };
    let receive = async |socket: &MessageWebSocket| {
        for _ in 0..COUNT {
            socket.receive().await?.expect("a message");
        }
        Ok(())
    };
    tokio::try_join!(
        send(&client),
        send(&server),
        receive(&client),
        receive(&server)
    )
    .expect("open");
}
