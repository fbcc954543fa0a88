//! Three ways to give up connecting before the default of 60 s.
//!
//! `cargo run -p twinsock --example connect_timeout`
//!
//! It connects to a listener of its own that never answers.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::fmt::Display;
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tokio::time::timeout;
use twinsock::{Error, MessageWebSocket, Timeouts};

const LIMIT: Duration = Duration::from_secs(5);

#[tokio::main]
async fn main() -> std::io::Result<()> {
    // The system completes TCP connections for it, but nobody ever accepts them.
    let silent = TcpListener::bind("127.0.0.1:0").await?;
    let uri = format!("ws://{}/", silent.local_addr()?);

    // Each address has this long, and then again the opening handshake.
    let each_step = Timeouts {
        connect: LIMIT,
        handshake: LIMIT,
        ..Timeouts::default()
    };
    // Name resolution, all addresses and the opening handshake have this long together.
    let all_steps = Timeouts {
        overall: Some(LIMIT),
        ..Timeouts::default()
    };
    // Dropping the future cancels the attempt: here because of the time, but any reason will do.
    let dropping = timeout(LIMIT, MessageWebSocket::connect(&uri));
    tokio::join!(
        show("Timeouts::handshake", connect(&uri, each_step)),
        show("Timeouts::overall", connect(&uri, all_steps)),
        show("tokio::time::timeout", dropping),
    );
    Ok(())
}

async fn connect(uri: &str, timeouts: Timeouts) -> Result<MessageWebSocket, Error> {
    let builder = MessageWebSocket::builder().timeouts(timeouts);
    builder.connect(uri).await
}

async fn show<T, E: Display>(way: &str, connecting: impl Future<Output = Result<T, E>>) {
    let started = Instant::now();
    let outcome = match connecting.await {
        Ok(_) => "connected".to_owned(),
        Err(error) => error.to_string(),
    };
    println!("{way}: {outcome}, after {:.1?}", started.elapsed());
}
