//! What came before the peer's Close can still be replied to.

use std::sync::Arc;

use tokio::io::duplex;
use twinsock::{CloseCode, Error, Message, MessageWebSocket};

async fn echo(socket: &MessageWebSocket) -> Result<(), Error> {
    while let Some(message) = socket.receive().await? {
        socket.send(message).await?;
    }
    Ok(())
}

/// The message of this number, of a little more than this size.
fn numbered(number: usize, size: usize) -> String {
    format!("{number} {}", "x".repeat(size))
}

async fn send_and_close(socket: &MessageWebSocket, count: usize, size: usize) -> Result<(), Error> {
    for number in 0..count {
        socket.send(numbered(number, size)).await?;
    }
    socket.start_close(CloseCode::NORMAL, "")
}

async fn pair(memory: usize) -> (MessageWebSocket, MessageWebSocket) {
    let (client, server) = duplex(memory);
    let connecting = MessageWebSocket::connect_over(client, "ws://localhost/");
    let (client, server) = tokio::join!(connecting, MessageWebSocket::accept(server));
    (client.expect("a client"), server.expect("a server"))
}

/// The server's sends wait for room, and meanwhile it reads ahead as far as the client's Close.
#[tokio::test]
async fn a_plain_echo_loop_loses_no_reply_to_a_client_that_closes_early() {
    for (memory, count, size) in [
        (1 << 16, 20, 1 << 20),
        (100, 50, 1000),
        (1 << 16, 500, 3000),
    ] {
        let (client, server) = pair(memory).await;
        let serving = tokio::spawn(async move { echo(&server).await });
        let client = Arc::new(client);
        let sender = Arc::clone(&client);
        let sending = tokio::spawn(async move { send_and_close(&sender, count, size).await });
        for number in 0..count {
            let message = client.receive().await.expect("open").expect("an echo");
            assert_eq!(message, Message::from(numbered(number, size)));
        }
        assert_eq!(client.receive().await.expect("a clean end"), None);
        assert!(client.closed().expect("closed").is_clean());
        sending.await.expect("no panic").expect("sent");
        serving.await.expect("no panic").expect("served");
    }
}
