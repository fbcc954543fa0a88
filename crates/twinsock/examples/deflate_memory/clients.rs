//! The clients, in a process of their own.

use std::io::{self, BufRead};
use std::net::SocketAddr;

use twinsock::{DeflateOffer, Message, MessageWebSocket};

use crate::Outcome;

/// How many connections come before the first look: what is needed once is there after them.
pub(crate) const FIRST: usize = 8;

const MESSAGES: usize = 100;

/// Connects the first ones, and the others when a line comes, and tells each time that all have
/// their echoes; ends with standard input.
#[tokio::main(flavor = "current_thread")]
pub(crate) async fn run(address: SocketAddr, count: usize) -> Outcome<()> {
    let mut lines = io::stdin().lock().lines();
    let mut sockets = Vec::new();
    for count in [FIRST, count] {
        for _ in 0..count {
            sockets.push(connected(address).await?);
        }
        println!("idle");
        if lines.next().transpose()?.is_none() {
            break;
        }
    }
    Ok(())
}

async fn connected(address: SocketAddr) -> Outcome<MessageWebSocket> {
    let socket = MessageWebSocket::builder()
        .deflate(DeflateOffer::default())
        .connect(&format!("ws://{address}/"))
        .await?;
    for number in 0..MESSAGES {
        let text = json(number);
        socket.send_text(&text).await?;
        let echo = socket.receive().await?;
        if echo != Some(Message::from(text)) {
            return Err("expected the message again, got another".into());
        }
    }
    Ok(socket)
}

/// About 1 KiB that is like the one before, but not the same.
pub(crate) fn json(number: usize) -> String {
    let place = |index: usize| {
        let mixed = (number * 31 + index) * 7919 % 100_003;
        format!(
            r#"{{"id":{mixed},"name":"player-{}","x":{}.{index},"y":-{}.5,"state":"{}"}}"#,
            mixed % 977,
            mixed % 4_096,
            mixed % 2_003,
            ["idle", "running", "jumping"][mixed % 3],
        )
    };
    let places: Vec<String> = (0..15).map(place).collect();
    format!(r#"{{"tick":{number},"places":[{}]}}"#, places.join(","))
}
