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
/// The server's response to it.
const RESPONSE: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const KEY: &str = "sec-websocket-key:";

const END: &[u8] = b"\r\n\r\n";

/// Whether the head of a request or response is all there, and nothing more.
pub(crate) fn is_whole(head: &[u8]) -> bool {
    head.ends_with(END)
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

/// A client's request that offers an extension.
pub(crate) fn request_offering(extension: &str) -> String {
    with_extension(REQUEST, extension)
}

fn with_extension(head: &str, extension: &str) -> String {
    let fields = head.strip_suffix("\r\n").unwrap_or(head);
    format!("{fields}Sec-WebSocket-Extensions: {extension}\r\n\r\n")
}

/// The server's side, for a library that takes over an open connection.
pub(crate) async fn answer(stream: &mut impl ByteStream) -> Outcome<()> {
    let request = read_head(stream).await?;
    let response = response_to(&request)?;
    stream.write_all(response.as_bytes()).await?;
    Ok(())
}

/// Answers any request as if it were [`REQUEST`], without a look at it.
pub(crate) async fn answer_alike(stream: &mut impl ByteStream) -> Outcome<()> {
    let mut request = [0; 1 << 10];
    if stream.read(&mut request).await? == 0 {
        return Err("the end came before the request".into());
    }
    stream.write_all(RESPONSE).await?;
    Ok(())
}

/// The server's side, agreeing to an extension, for a library that takes over an open connection.
pub(crate) async fn answer_agreeing(stream: &mut impl ByteStream, extension: &str) -> Outcome<()> {
    let request = read_head(stream).await?;
    let response = with_extension(&response_to(&request)?, extension);
    stream.write_all(response.as_bytes()).await?;
    Ok(())
}

/// The client's side, for a library that takes over an open connection.
pub(crate) async fn ask(stream: &mut impl ByteStream) -> Outcome<()> {
    stream.write_all(REQUEST.as_bytes()).await?;
    let mut response = Vec::new();
    // One byte at a time, so that nothing behind the head is taken.
    while !is_whole(&response) {
        response.push(stream.read_u8().await?);
    }
    expect_101(&response)
}

/// The client's side of a server that needs not be heard further: tells whether it said more.
pub(crate) async fn ask_only(stream: &mut impl ByteStream) -> Outcome<bool> {
    stream.write_all(REQUEST.as_bytes()).await?;
    let response = read_head(stream).await?;
    expect_101(&response)?;
    Ok(!is_whole(&response))
}

fn expect_101(response: &[u8]) -> Outcome<()> {
    match response.starts_with(b"HTTP/1.1 101 ") {
        true => Ok(()),
        false => Err("expected a response with status 101".into()),
    }
}

/// With what came at once behind it.
async fn read_head(stream: &mut impl ByteStream) -> Outcome<Vec<u8>> {
    let mut head = Vec::with_capacity(1 << 10);
    while !head.windows(END.len()).any(|bytes| bytes == END) {
        if stream.read_buf(&mut head).await? == 0 {
            return Err("the end came before the head".into());
        }
    }
    Ok(head)
}
