//! A server's TLS over a TCP connection.

use std::io;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::accept::handshake::{drain, send_last};
use crate::driver::ByteStream;
use crate::error::{Error, ErrorKind};
use crate::timeout::Timeout;
use crate::tls::{ServerTls, TlsInformation};

/// What a client gets that speaks plain HTTP here.
const NOT_TLS: &[u8] = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\n\
    Content-Length: 40\r\nConnection: close\r\n\r\nThis port speaks TLS: use wss or https.\n";

/// Agrees on TLS with a client, within the time that it has.
pub(crate) async fn secure(
    stream: TcpStream,
    tls: &ServerTls,
    limit: Duration,
) -> Result<(Box<dyn ByteStream>, TlsInformation), Error> {
    timeout(limit, agree(stream, tls))
        .await
        .unwrap_or_else(|_| Err(Error::timeout(Timeout::Tls)))
}

async fn agree(
    stream: TcpStream,
    tls: &ServerTls,
) -> Result<(Box<dyn ByteStream>, TlsInformation), Error> {
    if begins_with_a_letter(&stream).await.map_err(failure)? {
        let _ = send_last(Box::new(stream), NOT_TLS).await;
        return Err(Error::new(
            ErrorKind::TlsFailed,
            "expected TLS from the client, got plain HTTP",
        ));
    }
    let accepting = TlsAcceptor::from(tls.config()).accept(stream);
    match accepting.into_fallible().await {
        Ok(stream) => {
            let information = TlsInformation::of(stream.get_ref().1, Vec::new());
            Ok((Box::new(stream), information))
        }
        Err((error, mut stream)) => {
            // The client is to read the alert: closing with unread bytes would destroy it.
            drain(&mut stream).await;
            Err(failure(error))
        }
    }
}

/// TLS begins with the byte 22, HTTP with the letter of a method.
async fn begins_with_a_letter(stream: &TcpStream) -> io::Result<bool> {
    let mut first = [0];
    let count = stream.peek(&mut first).await?;
    Ok(count > 0 && first[0].is_ascii_uppercase())
}

fn failure(error: io::Error) -> Error {
    let inside = error
        .get_ref()
        .and_then(|inside| inside.downcast_ref::<rustls::Error>());
    match inside.cloned() {
        Some(error @ rustls::Error::InvalidCertificate(_)) => Error::with_source(
            ErrorKind::TlsFailed,
            "the client's certificate was not accepted",
            error,
        ),
        Some(error) => Error::with_source(ErrorKind::TlsFailed, "no TLS with the client", error),
        None => Error::with_source(
            ErrorKind::TlsFailed,
            "no TLS with the client: the connection ended",
            error,
        ),
    }
}
