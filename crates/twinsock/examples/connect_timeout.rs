//! Three ways to give up connecting before the default of 60 s.
//!
//! `cargo run -p twinsock --example connect_timeout`, or with a number of seconds behind `--`.
//! It connects to a listener of its own that never answers, with one second for each way.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use twinsock::{MessageWebSocket, Timeouts};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let limit = match std::env::args().nth(1) {
        Some(seconds) => seconds
            .parse()
            .ok()
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
            .ok_or_else(|| format!("expected a number of seconds, got {seconds:?}"))?,
        None => Duration::from_secs(1),
    };
    // The system completes TCP connections for it, but nobody ever accepts them.
    let silent = TcpListener::bind("127.0.0.1:0").await?;
    let uri = format!("ws://{}/", silent.local_addr()?);

    show("Timeouts::connect", each_step_within(&uri, limit)).await;
    show("Timeouts::overall", all_steps_within(&uri, limit)).await;
    show("tokio::time::timeout", dropped_after(&uri, limit)).await;
    Ok(())
}

/// Each address has this long, and then again the opening handshake.
async fn each_step_within(uri: &str, limit: Duration) -> Result<MessageWebSocket, Box<dyn Error>> {
    let timeouts = Timeouts {
        connect: limit,
        ..Timeouts::default()
    };
    let builder = MessageWebSocket::builder().timeouts(timeouts);
    Ok(builder.connect(uri).await?)
}

/// Name resolution, all addresses and the opening handshake have this long together.
async fn all_steps_within(uri: &str, limit: Duration) -> Result<MessageWebSocket, Box<dyn Error>> {
    let timeouts = Timeouts {
        overall: Some(limit),
        ..Timeouts::default()
    };
    let builder = MessageWebSocket::builder().timeouts(timeouts);
    Ok(builder.connect(uri).await?)
}

/// Dropping the future cancels the attempt: here because of the time, but any reason will do.
async fn dropped_after(uri: &str, limit: Duration) -> Result<MessageWebSocket, Box<dyn Error>> {
    Ok(tokio::time::timeout(limit, MessageWebSocket::connect(uri)).await??)
}

async fn show(
    way: &str,
    connecting: impl Future<Output = Result<MessageWebSocket, Box<dyn Error>>>,
) {
    let started = Instant::now();
    let outcome = match connecting.await {
        Ok(_) => "connected".to_owned(),
        Err(error) => error.to_string(),
    };
    println!("{way}: {outcome}, after {:.1?}", started.elapsed());
}
