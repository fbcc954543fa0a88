//! Records through a byte stream: a writer and a reader over its two halves.
//!
//! Start a server with `cargo run -- serve`, then
//! `cargo run -p twinsock --example stream_records -- ws://127.0.0.1:9001/`.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use twinsock::{DataReader, DataWriter, StreamWebSocket};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let uri = std::env::args().nth(1);
    let stream = StreamWebSocket::connect(uri.as_deref().unwrap_or("ws://127.0.0.1:9001/")).await?;
    let (mut receiving, mut sending) = stream.split();
    let mut writer = DataWriter::over(&mut sending);
    let mut reader = DataReader::over(&mut receiving);
    for text in ["Hello, world!", "Grüße", "你好"] {
        writer.write_u32(u32::try_from(writer.measure_string(text))?);
        writer.write_string(text);
        writer.store().await?;
        writer.flush().await?;

        reader.load(4).await?;
        let length = usize::try_from(reader.read_u32()?)?;
        reader.load(length).await?;
        println!("{length} bytes came back: {}", reader.read_string(length)?);
    }
    // The halves were only lent.
    tokio::io::AsyncWriteExt::shutdown(&mut sending).await?;
    tokio::io::copy(&mut receiving, &mut tokio::io::sink()).await?;
    Ok(())
}
