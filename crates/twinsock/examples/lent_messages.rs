//! Adds up what a server sends back, and keeps none of it: each message is looked at where it
//! stands.
//!
//! Start a server with `cargo run -- serve`, then
//! `cargo run --release -p twinsock --example lent_messages -- ws://127.0.0.1:9001/`.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::time::Instant;

use twinsock::{CloseCode, MessageSender, MessageWebSocket};

const MESSAGES: u32 = 1_000_000;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let uri = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "ws://127.0.0.1:9001/".to_owned());
    let (sender, receiver) = MessageWebSocket::connect(&uri).await?.split();
    let begin = Instant::now();
    let sending = tokio::spawn(send_all(sender));
    let mut messages = receiver.lend();
    let mut sum = 0_u64;
    for _ in 0..MESSAGES {
        let Some(message) = messages.receive().await? else {
            break;
        };
        let number = message.as_bytes().try_into().map(u32::from_le_bytes)?;
        sum += u64::from(number);
    }
    // The last message is still on loan, and nobody would read the answer to our Close.
    drop(messages);
    let seconds = begin.elapsed().as_secs_f64();
    println!("{MESSAGES} messages back in {seconds:.2} s; they add up to {sum}");
    sending.await??.close(CloseCode::NORMAL, "done").await?;
    Ok(())
}

async fn send_all(sender: MessageSender) -> Result<MessageSender, twinsock::Error> {
    for number in 0..MESSAGES {
        sender.send_binary(&number.to_le_bytes()).await?;
    }
    sender.flush().await?;
    Ok(sender)
}
