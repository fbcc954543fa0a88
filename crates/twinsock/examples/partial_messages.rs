//! A message that goes out in frames and is received in parts.
//!
//! Start a server with `cargo run -- serve`, then
//! `cargo run -p twinsock --example partial_messages -- ws://127.0.0.1:9001/`.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use twinsock::{CloseCode, MessageType, MessageWebSocket};

#[tokio::main]
async fn main() -> Result<(), twinsock::Error> {
    let uri = std::env::args().nth(1);
    let socket =
        MessageWebSocket::connect(uri.as_deref().unwrap_or("ws://127.0.0.1:9001/")).await?;
    socket.set_message_type(MessageType::Text);
    socket.send_nonfinal_frame("the beginning, ").await?;
    socket.send_nonfinal_frame("the middle, ").await?;
    socket.send_final_frame("and the end").await?;
    while let Some(part) = socket.receive_part().await? {
        // A part of a text ends between two characters.
        println!("{}", part.as_text().unwrap_or_default());
        if part.is_complete() {
            break;
        }
    }
    socket.close(CloseCode::NORMAL, "").await
}
