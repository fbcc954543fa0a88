//! Sends a few messages to an echo server and prints what comes back.
//!
//! Start a server with `cargo run -- serve`, then
//! `cargo run -p twinsock --example message_echo -- ws://127.0.0.1:9001/`.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use twinsock::{CloseCode, Message, MessageWebSocket};

#[tokio::main]
async fn main() -> Result<(), twinsock::Error> {
    let uri = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "ws://127.0.0.1:9001/".to_owned());
    let socket = MessageWebSocket::connect(&uri).await?;
    socket.send_text("Hello, world!").await?;
    socket.send_binary(&[1, 2, 3]).await?;
    for _ in 0..2 {
        match socket.receive().await? {
            Some(Message::Text(text)) => println!("text: {text}"),
            Some(Message::Binary(bytes)) => println!("binary: {bytes:?}"),
            None => break,
        }
    }
    socket.close(CloseCode::NORMAL, "done").await?;
    if let Some(closed) = socket.closed() {
        println!("{closed}");
    }
    Ok(())
}
