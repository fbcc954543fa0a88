//! The opening handshake of the neutral side, and of libraries that leave it to the application.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::library::{ByteStream, Outcome};

/// A client's request.
pub(crate) const REQUEST: &str = "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Version: 13\r\n\r\n";
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const KEY: &str = "sec-websocket-key:";

/// Whether the head of a request or response is all there.
pub(crate) fn is_whole(head: &[u8]) -> bool {
    head.ends_with(b"\r\n\r\n")
}

/// The 101 that answers this request.
pub(crate) fn response_to(request: &[u8]) -> Outcome<String> {
    let request = std::str::from_utf8(request)?;
    let key = request
        .lines()
        .find(|line| line.to_ascii_lowercase().starts_with(KEY))
        .and_then(|line| line.get(KEY.len()..))
        .ok_or("expected a request with a Sec-WebSocket-Key")?;
    let accept = STANDARD.encode(Sha1::digest(format!("{}{GUID}", key.trim())));
    Ok(format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    ))
}

/// The server's side, for a library that takes over an open connection.
pub(crate) async fn answer(stream: &mut impl ByteStream) -> Outcome<()> {
    let request = read_head(stream).await?;
    let response = response_to(&request)?;
    stream.write_all(response.as_bytes()).await?;
    Ok(())
}

/// The client's side, for a library that takes over an open connection.
pub(crate) async fn ask(stream: &mut impl ByteStream) -> Outcome<()> {
    stream.write_all(REQUEST.as_bytes()).await?;
    let response = read_head(stream).await?;
    match response.starts_with(b"HTTP/1.1 101 ") {
        true => Ok(()),
        false => Err("expected a response with status 101".into()),
    }
}

/// One byte at a time, so that nothing behind the head is taken.
async fn read_head(stream: &mut impl ByteStream) -> Outcome<Vec<u8>> {
    let mut head = Vec::new();
    while !is_whole(&head) {
        head.push(stream.read_u8().await?);
    }
    Ok(head)
}
