//! Bytes that go out now and then, and what comes back, whenever it does.
//!
//! Start a server with `cargo run -- serve`, then
//! `cargo run -p twinsock --example stream_echo -- ws://127.0.0.1:9001/`.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::interval;
use twinsock::{StreamReader, StreamWebSocket, StreamWriter};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let uri = std::env::args().nth(1);
    let stream = StreamWebSocket::connect(uri.as_deref().unwrap_or("ws://127.0.0.1:9001/")).await?;
    let (reader, writer) = stream.split();
    tokio::try_join!(send(writer), receive(reader))?;
    Ok(())
}

async fn send(mut writer: StreamWriter) -> std::io::Result<()> {
    let mut pace = interval(Duration::from_millis(200));
    for _ in 0..10 {
        pace.tick().await;
        writer.write_all(b"ten bytes.").await?;
        writer.flush().await?;
    }
    // Reading goes on until the server has said all too.
    writer.shutdown().await
}

async fn receive(mut reader: StreamReader) -> std::io::Result<()> {
    let mut buffer = [0; 1000];
    let mut received = 0;
    loop {
        match reader.read(&mut buffer).await? {
            0 => return Ok(()),
            count => received += count,
        }
        println!("{received} bytes came back");
    }
}
