//! Text messages through a writer that lives as long as the socket.
//!
//! Start a server with `cargo run -- serve`, then
//! `cargo run -p twinsock --example utf8_text -- ws://127.0.0.1:9001/`.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use twinsock::{CloseCode, DataWriter, MessageType, MessageWebSocket};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let uri = std::env::args().nth(1);
    let socket =
        MessageWebSocket::connect(uri.as_deref().unwrap_or("ws://127.0.0.1:9001/")).await?;
    socket.set_message_type(MessageType::Text);
    let mut writer = DataWriter::over(&socket);
    for text in ["Hello, world!", "Grüße", "你好"] {
        writer.write_string(text);
        let sent = writer.store().await?;
        let Some(echo) = socket.receive_part().await? else {
            break;
        };
        let mut reader = echo.into_reader();
        let length = reader.unconsumed_buffer_length();
        println!(
            "sent {sent} bytes, got back: {}",
            reader.read_string(length)?
        );
    }
    socket.close(CloseCode::NORMAL, "all said").await?;
    Ok(())
}
